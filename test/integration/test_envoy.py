"""The same pii.wasm in a stock Envoy, in front of the real Kafka: the article's scene again."""

import json
from pathlib import Path

import pytest

from harness import clients
from harness.kafka import Kafka
from harness.processes import PORTS, Program, eventually
from harness import wire
from test_pii import ARTICLE, PII_WASM, SENT

pytestmark = [pytest.mark.gateway_only, pytest.mark.needs("envoy")]


def envoy_config(port, upstream, admin, module, configuration):
    wasm = {
        "@type": "type.googleapis.com/envoy.extensions.filters.network.wasm.v3.Wasm",
        "config": {
            "name": "mask-pii", "root_id": "mask-pii",
            "configuration": {"@type": "type.googleapis.com/google.protobuf.StringValue",
                              "value": json.dumps(configuration)},
            "vm_config": {"runtime": "envoy.wasm.runtime.v8", "vm_id": "pii",
                          "code": {"local": {"filename": str(module)}}}}}
    tcp = {"@type": "type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy",
           "stat_prefix": "kafka", "cluster": "kafka"}

    def address(at):
        return {"socket_address": {"address": "127.0.0.1", "port_value": at}}

    return {
        "admin": {"address": address(admin)},
        "static_resources": {
            "listeners": [{"name": "kafka", "address": address(port), "filter_chains": [{"filters": [
                {"name": "envoy.filters.network.wasm", "typed_config": wasm},
                {"name": "envoy.filters.network.tcp_proxy", "typed_config": tcp}]}]}],
            "clusters": [{"name": "kafka", "type": "STATIC", "connect_timeout": "5s", "load_assignment": {
                "cluster_name": "kafka",
                "endpoints": [{"lb_endpoints": [{"endpoint": {"address": address(upstream)}}]}]}}]}}


@pytest.fixture(scope="module")
def envoy(workspace):
    """Envoy in front of a Kafka that tells its clients Envoy's address."""
    import envoy as package
    port, admin, inner = PORTS.one(), PORTS.one(), PORTS.one()
    folder = workspace / "envoy"
    folder.mkdir()
    broker = Kafka(folder / "kafka")
    node = broker.nodes[0]
    broker.settings = {
        "listeners": f"PLAINTEXT://127.0.0.1:{node.port},CONTROLLER://127.0.0.1:{broker.controller_port},"
                     f"BEHIND://127.0.0.1:{inner}",
        "advertised.listeners": f"PLAINTEXT://127.0.0.1:{node.port},BEHIND://127.0.0.1:{port}",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,BEHIND:PLAINTEXT"}
    broker.start()
    config = folder / "envoy.json"
    config.write_text(json.dumps(envoy_config(port, inner, admin, PII_WASM, {
        "detect": ["email", "aws"], "topics": {"include": ["*"]}})))
    program = Program([Path(package.__file__).parent / "_bin/envoy", "-c", config, "--concurrency", "1",
                       "--disable-hot-restart", "-l", "info"], folder / "envoy.log")
    try:
        eventually(lambda: wire.brokers(port) or not program.alive(), seconds=60, what="Envoy answers")
        assert program.alive(), program.text()[-4000:]
        yield broker, f"127.0.0.1:{port}", program
    finally:
        program.kill()
        broker.stop()


@pytest.mark.parametrize("codec", ["none", "gzip", "snappy", "lz4", "zstd"])
def test_the_scene(envoy, codec):
    broker, bootstrap, program = envoy
    topic = f"example-topic-{codec}"
    clients.kcat_produce(bootstrap, topic, SENT * 50, "-z", codec)
    assert clients.kcat_consume(bootstrap, topic) == ARTICLE * 50
    assert clients.kcat_consume(broker.bootstrap, topic) == ARTICLE * 50, "what Kafka itself has stored"
    assert program.alive()


def test_todays_librdkafka(envoy):
    broker, bootstrap, _ = envoy
    clients.create_topic(broker.bootstrap, "modern")
    producer = clients.Producer(bootstrap, compression_type="zstd", enable_idempotence=True)
    for n in range(500):
        producer.send("modern", f"{n} user{n}@example.com".encode())
    producer.flush()
    found = clients.consume(bootstrap, "modern", 500)
    assert [m.value().decode() for m in found] == [f"{n} **" for n in range(500)]
