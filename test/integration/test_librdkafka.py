"""Today's librdkafka, and the one of 2023 in Debian's kcat."""

import re

import confluent_kafka
import pytest
from confluent_kafka import admin as kadmin

from harness import clients
from harness.processes import eventually

CODECS = ["none", "gzip", "snappy", "lz4", "zstd"]


@pytest.mark.parametrize("codec", CODECS)
def test_kcat_produces_and_consumes(target, topic, codec):
    # librdkafka stops compressing without a word if Produce's advertised range looks too new to it
    # (KAFKA-18659), so what counts is what the broker stored.
    lines = [f"line {n} " + "x" * 200 for n in range(500)]
    clients.kcat_produce(target.bootstrap, topic, lines, "-z", codec)
    assert clients.kcat_consume(target.bootstrap, topic) == lines
    assert {batch["codec"] for batch in target.kafka.batches(topic)} == {codec}


@pytest.mark.parametrize("codec", CODECS)
def test_librdkafka_produces_and_consumes(target, topic, codec):
    producer = clients.Producer(target.bootstrap, compression_type=codec, linger_ms=50)
    for n in range(300):
        producer.send(topic, b"value %d" % n, key=b"key %d" % n, timestamp=1_700_000_000_000 + n,
                      headers=[("trace", b"\x00\xff"), ("empty", b""), ("null", None)])
    results = producer.flush()
    assert [offset for _, offset, _ in results] == list(range(300))
    messages = clients.consume(target.bootstrap, topic, 300)
    assert [(m.key(), m.value(), m.timestamp()[1], m.headers()) for m in messages] == [
        (b"key %d" % n, b"value %d" % n, 1_700_000_000_000 + n,
         [("trace", b"\x00\xff"), ("empty", b""), ("null", None)]) for n in range(300)]
    assert {batch["codec"] for batch in target.kafka.batches(topic)} == {codec}


def test_kcat_sees_only_the_addresses_it_can_reach(target, topic):
    listing = clients.kcat("-b", target.bootstrap, "-L", "-t", topic).stdout
    addresses = re.findall(r"broker \d+ at (\S+)", listing)
    assert addresses == [f"127.0.0.1:{target.broker_port(1)}"], listing
    if target.gateway:
        assert str(target.kafka.port) not in listing


def test_null_and_empty_values_survive(target, topic):
    producer = clients.Producer(target.bootstrap)
    sent = [(b"k", None), (None, b""), (b"", b"v"), (None, None)]
    for key, value in sent:
        producer.send(topic, value, key=key)
    producer.flush()
    assert [(m.key(), m.value()) for m in clients.consume(target.bootstrap, topic, 4)] == sent


def test_idempotent_producer_with_five_in_flight(target, topic):
    producer = clients.Producer(target.bootstrap, enable_idempotence=True, linger_ms=0, batch_num_messages=1,
                                max_in_flight=5)
    for n in range(2000):
        producer.send(topic, b"%d" % n)
    results = producer.flush()
    assert [(offset, value) for _, offset, value in results] == [(n, b"%d" % n) for n in range(2000)]
    batches = target.kafka.batches(topic)
    assert all(batch["producer"] >= 0 for batch in batches)


def test_transactions_commit_and_abort(target, topic):
    producer = clients.Producer(target.bootstrap, transactional_id=topic)
    producer.init_transactions(30)
    for outcome in ("abort", "commit"):
        producer.begin_transaction()
        for n in range(10):
            producer.send(topic, f"{outcome} {n}".encode())
        producer.flush()
        getattr(producer, f"{outcome}_transaction")(30)
    found = clients.consume(target.bootstrap, topic, 10, isolation_level="read_committed")
    assert [m.value() for m in found] == [b"commit %d" % n for n in range(10)]
    everything = clients.consume(target.bootstrap, topic, 20, isolation_level="read_uncommitted")
    assert len(everything) == 20


def test_acks_0(target, topic):
    producer = clients.Producer(target.bootstrap, acks=0)
    for n in range(1000):
        producer.send(topic, b"%d" % n)
    producer.flush()
    assert [m.value() for m in clients.consume(target.bootstrap, topic, 1000)] == [b"%d" % n for n in range(1000)]


@pytest.mark.parametrize("protocol", ["classic", "consumer"])
def test_consumer_group_balances_and_commits(target, new_topic, protocol):
    topic = new_topic(partitions=4)
    producer = clients.Producer(target.bootstrap)
    for n in range(400):
        producer.send(topic, b"%d" % n, partition=n % 4)
    producer.flush()
    settings = {"bootstrap.servers": target.bootstrap, "group.id": topic, "auto.offset.reset": "earliest",
                "group.protocol": protocol, "enable.auto.commit": False}
    members = [confluent_kafka.Consumer(settings) for _ in range(2)]
    found = []
    try:
        for member in members:
            member.subscribe([topic])

        def balanced():
            for member in members:
                found.extend(m.value() for m in member.consume(100, 0.1))
            return [len(member.assignment()) for member in members] == [2, 2]

        eventually(balanced, seconds=40, what="two partitions each")

        def all_read():
            for member in members:
                found.extend(m.value() for m in member.consume(100, 0.1))
            return set(found) >= {b"%d" % n for n in range(400)}

        eventually(all_read, what="every record")
        for member in members:
            member.commit(asynchronous=False, offsets=[
                confluent_kafka.TopicPartition(topic, p.partition, 100) for p in member.assignment()])
    finally:
        for member in members:
            member.close()
    admin = clients.admin(target.bootstrap)
    offsets = admin.list_consumer_group_offsets(
        [confluent_kafka.ConsumerGroupTopicPartitions(topic)])[topic].result(30)
    assert sorted((p.partition, p.offset) for p in offsets.topic_partitions) == [(n, 100) for n in range(4)]


def test_batches_of_2_mb(target, new_topic):
    topic = new_topic(max_message_bytes=8 << 20)
    values = [bytes([65 + n]) * (2 << 20) for n in range(6)]
    producer = clients.Producer(target.bootstrap, message_max_bytes=4 << 20)
    for value in values:
        producer.send(topic, value)
    producer.flush()
    found = clients.consume(target.bootstrap, topic, 6, fetch_max_bytes=16 << 20,
                            max_partition_fetch_bytes=8 << 20, receive_message_max_bytes=32 << 20)
    assert [m.value() for m in found] == values


def test_a_record_too_large_is_refused_by_the_broker(target, new_topic):
    topic = new_topic(max_message_bytes=1000)
    producer = clients.Producer(target.bootstrap)
    producer.send(topic, b"x" * 5000)
    ((_, error, _),) = producer.flush()
    assert error.code() == confluent_kafka.KafkaError.MSG_SIZE_TOO_LARGE


def test_administration(target, topic):
    admin = clients.admin(target.bootstrap)
    name = f"{topic}-made"
    admin.create_topics([kadmin.NewTopic(name, 1, 1)])[name].result(30)
    admin.create_partitions([kadmin.NewPartitions(name, 3)])[name].result(30)
    resource = kadmin.ConfigResource(kadmin.ConfigResource.Type.TOPIC, name)
    resource.add_incremental_config(kadmin.ConfigEntry(
        "retention.ms", "60000", incremental_operation=kadmin.AlterConfigOpType.SET))
    admin.incremental_alter_configs([resource])[resource].result(30)
    config = admin.describe_configs([kadmin.ConfigResource(kadmin.ConfigResource.Type.TOPIC, name)])
    assert next(iter(config.values())).result(30)["retention.ms"].value == "60000"
    cluster = admin.describe_cluster().result(30)
    assert [(node.host, node.port) for node in cluster.nodes] == [("127.0.0.1", target.broker_port(1))]
    assert cluster.controller.port == target.broker_port(1)
    described = admin.describe_topics(confluent_kafka.TopicCollection([name]))[name].result(30)
    assert [p.leader.port for p in described.partitions] == [target.broker_port(1)] * 3
    with pytest.raises(confluent_kafka.KafkaException) as refused:
        admin.create_topics([kadmin.NewTopic(name, 1, 1)])[name].result(30)
    assert refused.value.args[0].code() == confluent_kafka.KafkaError.TOPIC_ALREADY_EXISTS
    admin.delete_topics([name])[name].result(30)


SASL = [("PLAIN", "alice-secret", True), ("PLAIN", "wrong", False),
        ("SCRAM-SHA-256", "alice-secret", True), ("SCRAM-SHA-256", "wrong", False)]


@pytest.mark.parametrize("mechanism,password,good", SASL)
def test_sasl_passes_through(target, topic, mechanism, password, good):
    settings = {"security_protocol": "SASL_PLAINTEXT", "sasl_mechanism": mechanism,
                "sasl_username": "alice", "sasl_password": password}
    if good:
        producer = clients.Producer(target.sasl_bootstrap, **settings)
        producer.send(topic, b"from alice")
        producer.flush()
        found = clients.consume(target.sasl_bootstrap, topic, 1, **settings)
        assert [m.value() for m in found] == [b"from alice"]
    else:
        errors = []
        client = confluent_kafka.Producer({"bootstrap.servers": target.sasl_bootstrap, "error_cb": errors.append,
                                           **{k.replace("_", "."): v for k, v in settings.items()}})
        eventually(lambda: client.poll(0.1) or any(
            e.code() == confluent_kafka.KafkaError._AUTHENTICATION for e in errors), what="refused as alice")
