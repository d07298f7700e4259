"""Brokers that die, stop and come back, and the gateway's own start and end."""

import re
import signal
import socket
import threading
import time

import pytest

from harness import clients, wire
from harness.kafka import Kafka
from harness.processes import PORTS, eventually
from harness.wire import Connection, i32, request

pytestmark = pytest.mark.gateway_only


@pytest.fixture(scope="module")
def mortal(workspace):
    """A Kafka to be killed and frozen; each test leaves it running."""
    cluster = Kafka(workspace / "mortal").start()
    yield cluster
    cluster.stop()


def fill(kafka, topic, megabytes):
    clients.create_topic(kafka.bootstrap, topic, max_message_bytes=4 << 20)
    producer = clients.Producer(kafka.bootstrap, message_max_bytes=4 << 20)
    for n in range(megabytes):
        producer.send(topic, bytes([n]) * (1 << 20))
    producer.flush()


def test_a_broker_that_dies_in_the_middle_of_an_answer(mortal, new_gateway):
    gateway = new_gateway({"plain": mortal.bootstrap})
    fill(mortal, "dies", 32)
    with Connection(gateway.broker_port(1), receive_buffer=65536) as connection, \
            Connection(gateway.broker_port(1)) as idle:
        idle.ask(wire.METADATA, 1, i32(0))
        connection.send(request(wire.FETCH, 4, 1, wire.fetch("dies", 0, 0, max_bytes=30 << 20)))
        length = int.from_bytes(connection.exactly(4), "big")
        assert length > 28 << 20
        connection.exactly(1 << 20)
        mortal.node(1).kill()
        # The rest cannot come; what the client must not see is a frame that looks whole.
        assert len(connection.closed()) < length - (1 << 20)
        assert idle.closed() == b""
    assert gateway.program.alive()
    with Connection(gateway.port()) as refused:
        refused.send(request(wire.METADATA, 1, 1, i32(0)))
        refused.closed()
    eventually(lambda: str(mortal.port) in gateway.log(), seconds=5, what="the broker's address in the log")
    mortal.node(1).start()
    mortal.wait_ready()
    eventually(lambda: wire.brokers(gateway.port()), what="served again")
    assert len(clients.consume(gateway.bootstrap(), "dies", 32)) == 32


def test_a_gateway_that_starts_before_its_brokers(mortal, new_gateway):
    mortal.node(1).kill()
    try:
        # Ready means that it takes connections: it cannot know yet which brokers clients will want.
        gateway = new_gateway({"plain": mortal.bootstrap}, start=False).start()
        assert gateway.http("/healthz")[0] == 200
        with Connection(gateway.port()) as connection:
            connection.send(request(wire.METADATA, 1, 1, i32(0)))
            assert connection.closed() == b""
    finally:
        mortal.node(1).start()
        mortal.wait_ready()
    # A client may know a broker's port from before, and come to it first.
    with Connection(gateway.broker_port(1)) as connection:
        connection.ask(wire.METADATA, 1, i32(0))
    assert gateway.stop() == 0


def test_a_frozen_broker_does_not_fill_the_gateways_memory(mortal, new_gateway):
    gateway = new_gateway({"plain": mortal.bootstrap})
    topic = "frozen"
    clients.create_topic(mortal.bootstrap, topic)
    wire.brokers(gateway.port())
    before = gateway.program.resident_bytes()
    frame = request(wire.PRODUCE, 7, 1, wire.produce(topic, 0, wire.batch([b"x" * 900_000])))
    count, stop = 120, threading.Event()
    mortal.node(1).program.process.send_signal(signal.SIGSTOP)
    try:
        connection = Connection(gateway.broker_port(1), timeout=60)

        def produce():
            for _ in range(count):
                connection.send(frame)
            stop.set()

        thread = threading.Thread(target=produce)
        thread.start()
        time.sleep(1.5)
        assert not stop.is_set(), "108 MB went somewhere while the broker stood still"
        grown = gateway.program.resident_bytes() - before
        assert grown < 48 << 20, f"grew by {grown >> 20} MB"
    finally:
        mortal.node(1).program.process.send_signal(signal.SIGCONT)
    for n in range(count):
        assert wire.produce_answer(connection.answer(1), 7) == [(topic, 0, 0, n)]
    thread.join()
    connection.socket.close()
    mortal.wait_ready()


def test_sigterm_drains(mortal, new_gateway):
    gateway = new_gateway({"plain": mortal.bootstrap}, start=False).start()
    clients.create_topic(mortal.bootstrap, "drained")
    with Connection(gateway.broker_port(1)) as busy, Connection(gateway.port()) as idle:
        idle.ask(wire.METADATA, 1, i32(0))
        busy.ask(wire.METADATA, 1, i32(0))
        # The broker holds this for max_wait, 500 ms, for there is nothing to fetch.
        busy.send(request(wire.FETCH, 4, 77, wire.fetch("drained", 0, 0)))
        time.sleep(0.1)
        gateway.program.process.send_signal(signal.SIGTERM)
        eventually(lambda: gateway.http("/readyz")[0] == 503, seconds=0.3, every=0.02, what="no longer ready")
        busy.answer(77)
        assert idle.closed() == b""
        assert busy.closed() == b""
    with pytest.raises(ConnectionError):
        Connection(gateway.port())
    assert gateway.program.process.wait(20) == 0


def test_a_second_signal_ends_at_once(mortal, new_gateway):
    gateway = new_gateway({"plain": mortal.bootstrap}, start=False).start()
    clients.create_topic(mortal.bootstrap, "hurried")
    with Connection(gateway.broker_port(1)) as busy:
        body = i32(-1) + i32(30000) + i32(1) + i32(1000) + b"\0" + wire.array(
            [wire.string("hurried") + wire.array([i32(0) + wire.i64(0) + i32(1000)])])
        busy.send(request(wire.FETCH, 4, 1, body))
        time.sleep(0.2)
        gateway.program.process.send_signal(signal.SIGTERM)
        time.sleep(0.2)
        gateway.program.process.send_signal(signal.SIGTERM)
        gateway.program.process.wait(5)


def test_a_taken_port_is_an_error_that_names_it(mortal, new_gateway):
    gateway = new_gateway({"plain": mortal.bootstrap}, start=False)
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", gateway.port()))
        taken.listen()
        gateway.start(ready=False)
        assert gateway.program.process.wait(20) not in (0, -6, -11)
        assert str(gateway.port()) in gateway.log() and "in use" in gateway.log()


def test_metrics_count_what_passed(mortal, new_gateway):
    gateway = new_gateway({"plain": mortal.bootstrap})
    clients.create_topic(mortal.bootstrap, "counted")
    frame = request(wire.PRODUCE, 7, 1, wire.produce("counted", 0, wire.batch([b"x" * 1000])))
    with Connection(gateway.broker_port(1)) as connection:
        for _ in range(25):
            connection.send(frame)
            connection.answer(1)
        samples = gateway.metrics()
        requests = [value for name, value in samples.items()
                    if "Produce" in name and re.match(r"grete_requests_total", name)]
        assert requests == [25], samples
        sizes = [value for name, value in samples.items()
                 if "Produce" in name and re.match(r"grete_request_bytes_total", name)]
        assert sizes == [25 * len(frame)], samples
        assert any(name.startswith("grete_") and "connections" in name and value >= 1
                   for name, value in samples.items()), samples
        assert any(re.search(r"_bucket\{.*le=", name) for name in samples), "no histogram"
    assert gateway.http("/nothing")[0] == 404


def test_logs_can_be_json(mortal, new_gateway):
    import json
    gateway = new_gateway({"plain": mortal.bootstrap}, extra={"log": {"format": "json"}})
    with Connection(gateway.port()) as connection:
        connection.send(b"GET / HTTP/1.1\r\n\r\n")
        connection.closed()
    eventually(lambda: "HTTP" in gateway.log(), seconds=5)
    lines = [json.loads(line) for line in gateway.log().splitlines()]
    assert any("HTTP" in json.dumps(line) and "connection" in json.dumps(line) for line in lines)
