"""Old brokers and old clients: Kafka 3.9 still speaks the versions that KIP-896 removed."""

import pytest

from harness import clients, wire
from harness.kafka import Kafka
from conftest import Target


@pytest.fixture(scope="module")
def old(workspace):
    cluster = Kafka(workspace / "old", line="3.9").start()
    yield cluster
    cluster.stop()


@pytest.fixture(scope="module")
def target(old, through, workspace):
    if through == "direct":
        yield Target(old, None)
        return
    from harness.gateway import Gateway
    gateway = Gateway(workspace / "grete-old", {"plain": old.bootstrap, "sasl": old.sasl_bootstrap}).start()
    yield Target(old, gateway)
    assert gateway.stop() == 0, gateway.log()[-4000:]


@pytest.fixture(scope="module")
def old_java(workspace):
    folder = workspace / "java-3.9"
    folder.mkdir()
    return clients.Java(folder, "3.9")


@pytest.mark.parametrize("version,magic", [(0, 0), (1, 0), (2, 1), (0, 1), (2, 0)])
def test_message_sets_of_old_produce_versions(old, target, version, magic):
    topic = f"sets-{version}-{magic}"
    clients.create_topic(old.bootstrap, topic)
    with wire.Connection(target.broker_port(1)) as connection:
        answer = connection.ask(wire.PRODUCE, version, wire.produce(
            topic, 0, wire.message_set([b"one", b"two"], magic), version=version))
        assert wire.produce_answer(answer, version) == [(topic, 0, 0, 0)]
    assert [m.value() for m in clients.consume(target.bootstrap, topic, 2)] == [b"one", b"two"]


@pytest.mark.parametrize("version", range(0, 5))
def test_old_fetch_versions(old, target, version):
    topic = f"fetched-{version}"
    clients.create_topic(old.bootstrap, topic)
    clients.kcat_produce(target.bootstrap, topic, ["down-converted"])
    with wire.Connection(target.broker_port(1)) as connection:
        answer = connection.ask(wire.FETCH, version, wire.fetch(topic, 0, 0, version=version))
        ((_, _, error, high, records),) = wire.fetch_answer(answer, version)
        assert (error, high) == (0, 1) and b"down-converted" in records
        assert records[16] == (0 if version < 2 else 1 if version < 4 else 2), "magic"


def test_a_client_that_asks_for_no_versions(old, target):
    clients.create_topic(old.bootstrap, "ancient")
    ancient = ["-X", "api.version.request=false", "-X", "broker.version.fallback=0.9.0.1"]
    clients.kcat_produce(target.bootstrap, "ancient", ["from", "2015"], *ancient)
    assert clients.kcat_consume(target.bootstrap, "ancient", *ancient) == ["from", "2015"]


@pytest.mark.parametrize("codec", ["gzip", "snappy", "lz4", "zstd"])
def test_librdkafka_old_and_new(old, target, codec):
    topic = f"codec-{codec}"
    clients.create_topic(old.bootstrap, topic)
    clients.kcat_produce(target.bootstrap, topic, ["a" * 300] * 20, "-z", codec)
    producer = clients.Producer(target.bootstrap, compression_type=codec)
    producer.send(topic, b"b" * 300)
    producer.flush()
    assert len(clients.consume(target.bootstrap, topic, 21)) == 21
    assert {batch["codec"] for batch in old.batches(topic)} == {codec}


def test_java_3_9_with_a_broker_of_its_age(old, target, old_java):
    clients.create_topic(old.bootstrap, "peers")
    old_java.client("idempotent", target.bootstrap, "peers", 300)
    assert old_java.client("transactional", target.bootstrap, "peers", "peers-group") == ["group offset 7"]


def test_java_4_4_with_an_older_broker(old, target, java):
    clients.create_topic(old.bootstrap, "newer")
    java.client("idempotent", target.bootstrap, "newer", 300)
    assert java.client("transactional", target.bootstrap, "newer", "newer-group") == ["group offset 7"]
    lines = java.client("consume", target.bootstrap, "newer", 300, "group.id=g", "auto.offset.reset=earliest")
    assert len(lines) >= 300
