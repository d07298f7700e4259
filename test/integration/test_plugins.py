"""Plug-ins on real traffic: one partition refused, plug-ins that misbehave, filters of other SDKs."""

import threading
import time

import confluent_kafka
import pytest

from harness import clients, guests, wire
from harness.processes import eventually
from harness.wire import request

pytestmark = [pytest.mark.gateway_only, pytest.mark.needs("plugins")]

INVALID_RECORD = 87


@pytest.fixture
def behind(kafka, new_gateway):
    """behind({name: plug-in}) starts a gateway whose chain is these plug-ins, in order."""
    def start(plugins):
        for plugin in plugins.values():
            if "wasm" in plugin:
                plugin["wasm"] = str(plugin["wasm"])
        return new_gateway({"plain": kafka.bootstrap}, chains={"plain": list(plugins)}, plugins=plugins)
    return start


def values(kafka, topic, partition=0):
    return clients.kcat_consume(kafka.bootstrap, topic, "-p", partition)


# --- one of three partitions --------------------------------------------------------------------------

def test_java_learns_which_of_three_partitions_was_refused(kafka, behind, new_topic, java):
    topic = new_topic(partitions=3)
    gateway = behind({"judge": {"wasm": guests.c("judge")}})
    lines = java.client("partitions", gateway.bootstrap(), topic, "good", "poison", "good too")
    assert lines[0] == "0 ok 0" and lines[2] == "2 ok 0"
    assert lines[1].startswith("1 InvalidRecordException") and "no poison here" in lines[1], lines[1]
    assert [values(kafka, topic, n) for n in range(3)] == [["good"], [], ["good too"]]


@pytest.mark.parametrize("codec", ["none", "zstd"])
def test_librdkafka_learns_which_of_three_partitions_was_refused(kafka, behind, new_topic, codec):
    topic = new_topic(partitions=3)
    gateway = behind({"judge": {"wasm": guests.c("judge")}})
    producer = clients.Producer(gateway.bootstrap(), linger_ms=500, compression_type=codec, retries=0)
    sent = ["good", "poison", "good too"]
    for partition, value in enumerate(sent):
        producer.send(topic, value.encode(), partition=partition)
    outcome = {partition: result for partition, result, _ in producer.flush()}
    assert outcome[0] == 0 and outcome[2] == 0
    assert outcome[1].code() == INVALID_RECORD, outcome[1]
    assert [values(kafka, topic, n) for n in range(3)] == [["good"], [], ["good too"]]


def test_all_partitions_refused_needs_no_broker(kafka, behind, new_topic):
    topic = new_topic(partitions=2)
    gateway = behind({"judge": {"wasm": guests.c("judge")}})
    with wire.Connection(gateway.broker_port(1)) as connection:
        body = wire.string(None) + wire.i16(-1) + wire.i32(10000) + wire.array([wire.string(topic) + wire.array(
            [wire.i32(n) + wire.blob(wire.batch([b"poison"])) for n in range(2)])])
        connection.send(request(wire.METADATA, 1, 1, wire.i32(0)) + request(wire.PRODUCE, 7, 2, body)
                        + request(wire.METADATA, 1, 3, wire.i32(0)))
        connection.answer(1)
        rows = wire.produce_answer(connection.answer(2), 7)
        connection.answer(3)
        assert [(partition, error) for _, partition, error, _ in rows] == [(0, INVALID_RECORD), (1, INVALID_RECORD)]


def test_a_refused_request_with_acks_0_is_dropped_in_silence(kafka, behind, topic):
    gateway = behind({"judge": {"wasm": guests.c("judge")}})
    with wire.Connection(gateway.broker_port(1)) as connection:
        for value in (b"one", b"poison", b"two"):
            connection.send(request(wire.PRODUCE, 7, 1, wire.produce(topic, 0, wire.batch([value]), acks=0)))
        connection.ask(wire.METADATA, 1, wire.i32(0))
    eventually(lambda: values(kafka, topic) == ["one", "two"], what="what was not refused")


def test_observe_counts_and_changes_nothing(kafka, behind, topic):
    gateway = behind({"judge": {"wasm": guests.c("judge"), "on_failure": "observe"}})
    clients.kcat_produce(gateway.bootstrap(), topic, ["poison"])
    assert values(kafka, topic) == ["poison"]


# --- plug-ins that misbehave --------------------------------------------------------------------------

RECORDS = ["loop", "trap", "recurse", "memory", "pointers", "floods the log", "allocate-null", "allocate-beyond",
           "allocate-trap", "allocate-loop", "allocate-reenter"]


class Others:
    """A producer on another connection that goes on all the while; every record must arrive."""

    def __init__(self, bootstrap, topic):
        self._producer = clients.Producer(bootstrap, enable_idempotence=True, linger_ms=1)
        self._topic, self._stop, self.count = topic, threading.Event(), 0
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self):
        while not self._stop.is_set():
            self._producer.send(self._topic, b"%d" % self.count)
            self.count += 1
            time.sleep(0.002)

    def finish(self):
        self._stop.set()
        self._thread.join()
        results = self._producer.flush()
        assert [offset for _, offset, _ in results] == list(range(self.count))


@pytest.mark.parametrize("do", RECORDS)
def test_a_plugin_that_misbehaves_harms_nobody_else(kafka, behind, new_topic, do):
    gateway = behind({"hostile": {"wasm": guests.c("hostile"), "deadline": "100ms", "memory": "16MiB",
                                  "config": {"do": do}}})
    victim, healthy = new_topic(), new_topic()
    others = Others(gateway.bootstrap(), healthy)
    eventually(lambda: others.count > 50)
    before = gateway.program.resident_bytes()
    with wire.Connection(gateway.broker_port(1)) as connection:
        for n in range(3):
            poison = connection.ask(wire.PRODUCE, 7, wire.produce(victim, 0, wire.batch([b"poison"])))
            assert wire.produce_answer(poison, 7) == [(victim, 0, INVALID_RECORD, -1)], "on_failure is reject"
            # The connection itself goes on, and so does the plug-in, with another instance.
            good = connection.ask(wire.PRODUCE, 7, wire.produce(victim, 0, wire.batch([b"good"])))
            assert wire.produce_answer(good, 7) == [(victim, 0, 0, n)]
    others.finish()
    assert values(kafka, victim) == ["good"] * 3
    assert len(values(kafka, healthy)) == others.count
    assert gateway.program.resident_bytes() - before < 64 << 20
    failures = [value for name, value in gateway.metrics().items()
                if "hostile" in name and "failures" in name and value > 0]
    assert failures, "no metric tells of it"
    assert "hostile" in gateway.log()


def test_a_failing_plugin_that_may_be_passed_by(kafka, behind, topic):
    gateway = behind({"hostile": {"wasm": guests.c("hostile"), "on_failure": "pass", "config": {"do": "trap"}}})
    clients.kcat_produce(gateway.bootstrap(), topic, ["poison", "good"])
    assert values(kafka, topic) == ["poison", "good"]


@pytest.mark.parametrize("do", ["loop", "trap", "memory", "allocate-loop", "allocate-reenter"])
def test_a_byte_filter_that_misbehaves_ends_only_connections_of_its_own(kafka, behind, new_topic, do):
    gateway = behind({"hostile": {"wasm": guests.c("hostile"), "memory": "16MiB", "isolation": "connection",
                                  "config": {"at": "stream", "do": do}}})
    victim, healthy = new_topic(), new_topic()
    others = Others(gateway.bootstrap(), healthy)
    eventually(lambda: others.count > 50)
    with wire.Connection(gateway.broker_port(1)) as connection:
        connection.send(request(wire.PRODUCE, 7, 1, wire.produce(victim, 0, wire.batch([b"poison"]))))
        assert connection.closed() == b""
    others.finish()
    assert values(kafka, victim) == []
    assert gateway.program.alive()


def test_a_chain_runs_in_its_order(kafka, behind, topic):
    # The judge comes first and takes out what would make the second one trap.
    gateway = behind({"judge": {"wasm": guests.c("judge")},
                      "hostile": {"wasm": guests.c("hostile"), "config": {"do": "trap"}}})
    with wire.Connection(gateway.broker_port(1)) as connection:
        answer = connection.ask(wire.PRODUCE, 7, wire.produce(topic, 0, wire.batch([b"poison"])))
        ((_, _, error, _),) = wire.produce_answer(answer, 7)
    assert error == INVALID_RECORD
    assert not [name for name, value in gateway.metrics().items()
                if "hostile" in name and "failures" in name and value > 0]


# --- modules of other SDKs ----------------------------------------------------------------------------

def test_a_go_filter_rewrites_answers_however_they_are_cut(kafka, behind, topic):
    gateway = behind({"frames": {"wasm": guests.go("go-frames")}})
    clients.kcat_produce(kafka.bootstrap, topic, ["this is classified", "this is not"])
    assert clients.kcat_consume(gateway.bootstrap(), topic) == ["this is **********", "this is not"]
    with wire.Connection(gateway.broker_port(1)) as connection:
        for _ in range(200):
            answer = connection.ask(wire.FETCH, 4, wire.fetch(topic, 0, 0))
            ((_, _, error, _, records),) = wire.fetch_answer(answer, 4)
            assert error == 0 and b"classified" not in records and b"this is **********" in records


@pytest.mark.needs("guests' own metrics")
def test_a_filters_own_metrics_are_shown(kafka, behind, topic):
    gateway = behind({"frames": {"wasm": guests.go("go-frames")}})
    clients.kcat_produce(kafka.bootstrap, topic, ["this is classified"])
    with wire.Connection(gateway.broker_port(1)) as connection:
        for _ in range(200):
            connection.ask(wire.FETCH, 4, wire.fetch(topic, 0, 0))
    assert any("go_frames_replaced" in name and value >= 200 for name, value in gateway.metrics().items())


def test_a_rust_filter_closes_what_is_forbidden(kafka, behind, topic):
    gateway = behind({"guard": {"wasm": guests.rust("rust-guard"), "config": {"forbidden": "smuggled"}}})
    clients.kcat_produce(gateway.bootstrap(), topic, ["plain", "goods"])
    frame = request(wire.PRODUCE, 7, 1, wire.produce(topic, 0, wire.batch([b"smuggled"])))
    for piece in (len(frame), 1, 7):
        with wire.Connection(gateway.broker_port(1)) as connection:
            connection.ask(wire.METADATA, 1, wire.i32(0))
            try:
                for at in range(0, len(frame), piece):
                    connection.send(frame[at:at + piece])
                    time.sleep(0.0005)
            except ConnectionError:
                pass  # Closed before the last piece.
            assert connection.closed() == b""
    assert values(kafka, topic) == ["plain", "goods"]
    assert "closing: a forbidden word" in gateway.log()


def test_a_rust_filter_that_refuses_its_configuration_is_an_error_at_start(kafka, new_gateway):
    gateway = new_gateway({"plain": kafka.bootstrap}, chains={"plain": ["guard"]}, start=False,
                          plugins={"guard": {"wasm": str(guests.rust("rust-guard")), "config": {}}})
    gateway.start(ready=False)
    assert gateway.program.process.wait(30) not in (0, -6, -11)
    assert "no forbidden word is configured" in gateway.log()
