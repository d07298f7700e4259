"""The PII filter in WebAssembly, on a real Kafka: the article's scene and what production asks beyond it."""

import json

import pytest

from harness import clients
from harness.gateway import binary

pytestmark = [pytest.mark.gateway_only, pytest.mark.needs("pii")]

PII_WASM = binary().parents[1] / "filters/pii.wasm"
SENT = ["AWS_SECRET_ACCESS_KEY=myawssecretkeyvalue", "My email is example@email.com"]
ARTICLE = ["AWS_SECRET_ACCESS_KEY=*******************", "My email is **"]


@pytest.fixture
def masking(kafka, new_gateway):
    """masking(**config) starts a gateway with the filter so configured."""
    def start(**config):
        return new_gateway({"plain": kafka.bootstrap}, chains={"plain": ["mask-pii"]}, plugins={
            "mask-pii": {"wasm": str(PII_WASM), "deadline": "100ms", "memory": "64MiB", "on_failure": "reject",
                         "config": {"detect": ["email", "aws"], "topics": {"include": ["*"]}, **config}}})
    return start


@pytest.mark.parametrize("codec", ["none", "gzip", "snappy", "lz4", "zstd"])
def test_the_scene(kafka, masking, topic, codec):
    gateway = masking()
    # Many times, for librdkafka leaves alone what compression would not make smaller.
    clients.kcat_produce(gateway.bootstrap(), topic, SENT * 50, "-z", codec)
    assert clients.kcat_consume(gateway.bootstrap(), topic) == ARTICLE * 50
    assert clients.kcat_consume(kafka.bootstrap, topic) == ARTICLE * 50, "what Kafka itself has stored"
    assert {batch["codec"] for batch in kafka.batches(topic)} == {codec}, "the codec that it came with"


def test_batches_of_several_partitions_keep_order_and_neighbours(kafka, masking, new_topic):
    topic = new_topic(partitions=3)
    gateway = masking()
    producer = clients.Producer(gateway.bootstrap(), linger_ms=100, compression_type="lz4", enable_idempotence=True)
    for n in range(3000):
        value = f"{n} user{n}@example.com end" if n % 5 == 0 else f"{n} nothing to see"
        producer.send(topic, value.encode(), key=b"k%d" % n, partition=n % 3, headers=[("n", b"%d" % n)])
    producer.flush()
    found = clients.consume(gateway.bootstrap(), topic, 3000)
    for partition in range(3):
        mine = [m for m in found if m.partition() == partition]
        assert [m.value().decode() for m in mine] == [
            f"{n} ** end" if n % 5 == 0 else f"{n} nothing to see" for n in range(partition, 3000, 3)]
        assert [m.key() for m in mine] == [b"k%d" % n for n in range(partition, 3000, 3)]
        assert [m.offset() for m in mine] == list(range(1000))


def test_transactions(kafka, masking, topic):
    gateway = masking()
    producer = clients.Producer(gateway.bootstrap(), transactional_id=topic)
    producer.init_transactions(30)
    for outcome in ("abort", "commit"):
        producer.begin_transaction()
        for n in range(20):
            producer.send(topic, f"{outcome} {n} a{n}@example.com".encode())
        producer.flush()
        getattr(producer, f"{outcome}_transaction")(30)
    found = clients.consume(gateway.bootstrap(), topic, 20, isolation_level="read_committed")
    assert [m.value().decode() for m in found] == [f"commit {n} **" for n in range(20)]


def test_java_verifiable_producer_loses_and_duplicates_nothing(kafka, masking, topic, java):
    gateway = masking()
    out = java.tool("VerifiableProducer", "--bootstrap-server", gateway.bootstrap(), "--topic", topic,
                    "--max-messages", 20000, "--acks", -1, "--value-prefix", 7).stdout
    acknowledged = [json.loads(line)["value"] for line in out.splitlines() if '"producer_send_success"' in line]
    assert len(acknowledged) == 20000
    lines = java.client("consume", gateway.bootstrap(), topic, 20000, f"group.id={topic}",
                        "auto.offset.reset=earliest", "check.crcs=true")
    assert [line.split()[3] for line in lines] == [f"7.{n}" for n in range(20000)]


def test_idempotent_java_producer_with_masked_records(kafka, masking, topic, java):
    gateway = masking(detect=["email"])
    java.client("idempotent", gateway.bootstrap(), topic, 2000)
    assert clients.kcat_consume(kafka.bootstrap, topic) == [f"n{n}" for n in range(2000)]


def test_2_mb_records(kafka, masking, new_topic):
    topic = new_topic(max_message_bytes=8 << 20)
    gateway = masking()
    text = ("word " * 400_000) + "someone@example.com " + ("word " * 20_000)
    producer = clients.Producer(gateway.bootstrap(), message_max_bytes=4 << 20)
    for _ in range(3):
        producer.send(topic, text.encode())
    producer.flush()
    found = clients.consume(gateway.bootstrap(), topic, 3, max_partition_fetch_bytes=8 << 20)
    assert [m.value().decode() for m in found] == [text.replace("someone@example.com", "**")] * 3


def test_topics_that_are_left_out(kafka, masking, new_topic):
    masked, left_out = new_topic(), new_topic()
    gateway = masking(topics={"include": ["*"], "exclude": [left_out]})
    for topic in (masked, left_out):
        clients.kcat_produce(gateway.bootstrap(), topic, SENT)
    assert clients.kcat_consume(kafka.bootstrap, masked) == ARTICLE
    assert clients.kcat_consume(kafka.bootstrap, left_out) == SENT


def test_rejecting_instead_of_masking(kafka, masking, topic):
    gateway = masking(action="reject")
    producer = clients.Producer(gateway.bootstrap(), retries=0)
    producer.send(topic, b"harmless")
    producer.flush()
    producer.send(topic, b"reach me at example@email.com")
    producer.flush()
    outcomes = [result for _, result, _ in producer.results]
    assert outcomes[0] == 0 and outcomes[1].code() == 87
    assert clients.kcat_consume(kafka.bootstrap, topic) == ["harmless"]


def test_the_filters_latency_is_told_apart(masking, topic):
    gateway = masking()
    clients.kcat_produce(gateway.bootstrap(), topic, SENT)
    samples = gateway.metrics()
    assert any("mask-pii" in name and "_bucket" in name and value > 0 for name, value in samples.items()), samples
