"""Apache Kafka's own Java clients and tools."""

import re

import pytest

from harness import clients
from harness.processes import run


def test_console_tools(target, topic, java):
    lines = [f"line {n}" for n in range(100)]
    java.tool("ConsoleProducer", "--bootstrap-server", target.bootstrap, "--topic", topic,
              "--compression-codec", "zstd", input="\n".join(lines) + "\n")
    out = java.tool("consumer.ConsoleConsumer", "--bootstrap-server", target.bootstrap, "--topic", topic,
                    "--from-beginning", "--max-messages", 100, "--timeout-ms", 30000).stdout
    assert out.splitlines() == lines
    assert {batch["codec"] for batch in target.kafka.batches(topic)} == {"zstd"}


def test_performance_tools(target, topic, java):
    out = java.tool("ProducerPerformance", "--topic", topic, "--num-records", 50000, "--record-size", 512,
                    "--throughput", -1, "--producer-props", f"bootstrap.servers={target.bootstrap}",
                    "acks=all", "compression.type=lz4").stdout
    assert "50000 records sent" in out, out
    out = java.tool("ConsumerPerformance", "--bootstrap-server", target.bootstrap, "--topic", topic,
                    "--messages", 50000, "--timeout", 30000).stdout
    consumed = int(float(out.splitlines()[-1].split(",")[4]))
    assert consumed == 50000, out


def test_idempotent_producer_with_five_in_flight(target, topic, java):
    java.client("idempotent", target.bootstrap, topic, 3000)
    assert clients.kcat_consume(target.bootstrap, topic) == [f"n{n}" for n in range(3000)]


def test_transactions(target, topic, java):
    lines = java.client("transactional", target.bootstrap, topic, f"{topic}-group")
    assert lines == ["group offset 7"]
    found = clients.consume(target.bootstrap, topic, 10, isolation_level="read_committed")
    assert [m.value().decode() for m in found] == [f"committed{n}" for n in range(10)]
    assert any(batch["control"] for batch in target.kafka.batches(topic))


@pytest.mark.parametrize("protocol", ["classic", "consumer"])
def test_consumer_group(target, new_topic, java, protocol):
    topic = new_topic(partitions=3)
    producer = clients.Producer(target.bootstrap)
    for n in range(90):
        producer.send(topic, b"%d" % n, partition=n % 3)
    producer.flush()
    lines = java.client("consume", target.bootstrap, topic, 90, f"group.id={topic}",
                        "auto.offset.reset=earliest", f"group.protocol={protocol}")
    assert sorted(int(line.split()[3]) for line in lines) == list(range(90))


def test_share_group(target, topic, java):
    # KIP-932: reads by topic id, from whatever broker leads; the group starts at the earliest record.
    producer = clients.Producer(target.bootstrap)
    for n in range(50):
        producer.send(topic, b"%d" % n)
    producer.flush()
    group = f"{topic}-group"
    java.client("group-config", target.bootstrap, group, "share.auto.offset.reset", "earliest")
    out = java.tool("consumer.ConsoleShareConsumer", "--bootstrap-server", target.bootstrap, "--topic", topic,
                    "--group", group, "--max-messages", 50, "--timeout-ms", 30000).stdout
    assert sorted(int(line) for line in out.split()) == list(range(50))


def test_administration(target, topic, java):
    lines = java.client("admin", target.bootstrap, f"{topic}-made")
    nodes = {line for line in lines if line.startswith("node ")}
    assert nodes == {f"node 1 127.0.0.1:{target.broker_port(1)}"}
    assert [line for line in lines if not line.startswith("node ")] == [
        "retention.ms 3600000", "max.message.bytes 123456", "partitions 3", "earliest 3", "latest 5",
        "producers 1", "log dirs 1", "quorum leader 1", "features true", "transactions ArrayList",
        "groups true", "acls SecurityDisabledException"]


def test_sasl_scram(target, topic, java):
    settings = java.properties(
        security_protocol="SASL_PLAINTEXT", sasl_mechanism="SCRAM-SHA-256",
        sasl_jaas_config='org.apache.kafka.common.security.scram.ScramLoginModule required '
                         'username="alice" password="alice-secret";')
    java.tool("ConsoleProducer", "--bootstrap-server", target.sasl_bootstrap, "--topic", topic,
              "--command-config", settings, input="from Java\n")
    assert clients.kcat_consume(target.bootstrap, topic) == ["from Java"]


def test_verifiable_producer_and_consumer(target, topic, java):
    out = java.tool("VerifiableProducer", "--bootstrap-server", target.bootstrap, "--topic", topic,
                    "--max-messages", 5000, "--acks", -1).stdout
    assert '"acked":5000' in re.sub(r"\s", "", out), out[-500:]
    values = clients.kcat_consume(target.bootstrap, topic)
    assert values == [str(n) for n in range(5000)]
