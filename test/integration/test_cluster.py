"""Three nodes behind one listener: each broker has a port of its own, and leaders move."""

import pytest

from harness import clients, wire
from harness.kafka import Kafka
from harness.processes import eventually
from conftest import Target


@pytest.fixture(scope="module")
def three(workspace):
    cluster = Kafka(workspace / "three", nodes=3).start()
    yield cluster
    cluster.stop()


@pytest.fixture(scope="module")
def target(three, through, workspace):
    if through == "direct":
        yield Target(three, None)
        return
    from harness.gateway import Gateway
    gateway = Gateway(workspace / "grete-three", {"plain": three.bootstrap, "sasl": three.sasl_bootstrap}).start()
    yield Target(three, gateway)
    assert gateway.stop() == 0, gateway.log()[-4000:]


def test_a_brokers_port_is_served_before_anyone_asked_for_metadata(three, target):
    with wire.Connection(target.broker_port(3)) as connection:
        assert connection.ask(wire.API_VERSIONS, 0).i16() == 0
        connection.ask(wire.METADATA, 1, wire.i32(0))


def test_metadata_names_a_port_for_each_node(three, target):
    expected = {node: ("127.0.0.1", target.broker_port(node)) for node in (1, 2, 3)}
    for port in (target.port, *(target.broker_port(node) for node in (1, 2, 3))):
        assert wire.brokers(port) == expected


def test_every_port_leads_to_its_own_node(three, target):
    # Only a partition's leader takes records for it: the others answer NOT_LEADER_OR_FOLLOWER.
    clients.create_topic(three.bootstrap, "places", partitions=3)
    leaders = wire.leaders(target.port, "places")
    assert set(leaders.values()) == {1, 2, 3}
    for partition, leader in leaders.items():
        for node in (1, 2, 3):
            with wire.Connection(target.broker_port(node)) as connection:
                answer = connection.ask(wire.PRODUCE, 7, wire.produce("places", partition, wire.batch([b"v"])))
                ((_, _, error, _),) = wire.produce_answer(answer, 7)
                assert error == (0 if node == leader else 6), f"partition {partition} at node {node}"


@pytest.mark.parametrize("codec", ["none", "zstd"])
def test_producers_and_groups_reach_all_nodes(three, target, codec):
    topic = f"spread-{codec}"
    clients.create_topic(three.bootstrap, topic, partitions=6, replication=2)
    producer = clients.Producer(target.bootstrap, compression_type=codec, enable_idempotence=True)
    for n in range(1200):
        producer.send(topic, b"%d" % n, partition=n % 6)
    producer.flush()
    found = clients.consume(target.bootstrap, topic, 1200)
    assert sorted(int(m.value()) for m in found) == list(range(1200))


def test_java_describes_only_reachable_addresses(three, target, java):
    lines = java.client("admin", target.bootstrap, "described")
    assert {line for line in lines if line.startswith("node ")} == {
        f"node {node} 127.0.0.1:{target.broker_port(node)}" for node in (1, 2, 3)}


def test_leaders_move_when_a_node_dies_and_nothing_is_lost(three, target):
    topic = "survives"
    clients.create_topic(three.bootstrap, topic, partitions=3, replication=3, min_insync_replicas=2)
    producer = clients.Producer(target.bootstrap, enable_idempotence=True, acks="all",
                                socket_timeout_ms=5000, message_timeout_ms=60000)
    for n in range(3000):
        producer.send(topic, b"%d" % n, partition=n % 3)
        if n == 1000:
            three.node(3).kill()
        if n > 1000:
            producer.poll(0.001)
    results = producer.flush()
    assert not [error for _, error, _ in results if not isinstance(error, int)]
    found = clients.consume(target.bootstrap, topic, 3000)
    for partition in range(3):
        assert [int(m.value()) for m in found if m.partition() == partition] == list(range(partition, 3000, 3))
    assert 3 not in wire.leaders(target.port, topic).values()
    three.node(3).start()
    three.wait_ready()
    eventually(lambda: wire.brokers(target.broker_port(3)), what="node 3 through its port again")
