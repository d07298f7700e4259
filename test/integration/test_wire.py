"""Frames made by hand: how bytes arrive, in which order answers leave, and what is no Kafka at all."""

import socket
import time

import pytest

from harness import clients, wire
from harness.processes import eventually
from harness.wire import Connection, Reader, i8, i16, i32, i64, request


def stored(target, topic):
    return [line.encode() for line in clients.kcat_consume(target.kafka.bootstrap, topic)]


def test_requests_written_a_byte_at_a_time(target, topic):
    frames = (request(wire.API_VERSIONS, 0, 1) + request(wire.METADATA, 1, 2, wire.array([wire.string(topic)]))
              + request(wire.PRODUCE, 7, 3, wire.produce(topic, 0, wire.batch([b"byte by byte"]))))
    with Connection(target.broker_port(1)) as connection:
        for at in range(len(frames)):
            connection.send(frames[at:at + 1])
        connection.answer(1)
        connection.answer(2)
        assert wire.produce_answer(connection.answer(3), 7) == [(topic, 0, 0, 0)]


def test_a_request_split_at_every_place(target, topic):
    with Connection(target.broker_port(1)) as connection:
        frame = request(wire.PRODUCE, 7, 7, wire.produce(topic, 0, wire.batch([b"split"])))
        for at in range(1, len(frame)):
            connection.send(frame[:at])
            time.sleep(0.001)
            connection.send(frame[at:])
            assert wire.produce_answer(connection.answer(7), 7) == [(topic, 0, 0, at - 1)]


def test_answers_come_in_the_order_of_pipelined_requests(target, topic):
    # A long poll in front holds up all that follow it, whoever answers them.
    sent = [(wire.FETCH, 4, wire.fetch(topic, 0, 0))]
    for n in range(60):
        sent += [(wire.API_VERSIONS, 0, b""), (wire.METADATA, 1, i32(0)),
                 (wire.PRODUCE, 7, wire.produce(topic, 0, wire.batch([b"%d" % n]))),
                 (wire.API_VERSIONS, 99, wire.NO_TAGS)]  # Too new; the header of new versions ends in tags.
    correlations = [(n * 7919) % 1000 - 500 for n in range(len(sent))]
    with Connection(target.broker_port(1)) as connection:
        connection.send(b"".join(request(key, version, correlation, body)
                                 for (key, version, body), correlation in zip(sent, correlations)))
        for correlation in correlations:
            connection.answer(correlation)
    assert stored(target, topic) == [b"%d" % n for n in range(60)]


def test_acks_0_has_no_answer_and_does_not_shift_those_of_others(target, topic):
    with Connection(target.broker_port(1)) as connection:
        for n in range(50):
            connection.send(request(wire.PRODUCE, 3 + n % 5, n, wire.produce(
                topic, 0, wire.batch([b"%d" % n]), version=3 + n % 5, acks=0)))
            connection.send(request(wire.METADATA, 1, 1000 + n, i32(0)))
        for n in range(50):
            connection.answer(1000 + n)
    assert stored(target, topic) == [b"%d" % n for n in range(50)]


@pytest.mark.parametrize("client", [None, "", "Zoë ☕", "x" * 3000])
def test_any_client_id(target, topic, client):
    with Connection(target.broker_port(1)) as connection:
        connection.send(request(wire.PRODUCE, 7, 5, wire.produce(topic, 0, wire.batch([b"v"])), client=client))
        assert wire.produce_answer(connection.answer(5), 7) == [(topic, 0, 0, 0)]


def test_an_api_versions_request_that_is_too_new(target):
    # KIP-511: error 35 in the oldest form of the answer, with the range to come back with.
    with Connection(target.port) as connection:
        connection.send(request(wire.API_VERSIONS, 300, 9, b"\xff\xfe\xfd", flexible=True))
        answer = connection.answer(9)
        assert answer.i16() == wire.UNSUPPORTED_VERSION
        ranges = {key: (low, high) for key, low, high in answer.array(
            lambda: (answer.i16(), answer.i16(), answer.i16()))}
        assert ranges[wire.API_VERSIONS][0] == 0
        assert connection.ask(wire.API_VERSIONS, min(ranges[wire.API_VERSIONS][1], 4),
                              wire.compact("kcat") + wire.compact("1") + wire.NO_TAGS, flexible=True).i16() == 0


def test_advertised_versions_lie_within_the_brokers(target):
    upstream, seen = wire.api_versions(target.kafka.port), wire.api_versions(target.port)
    assert seen[wire.PRODUCE][0] == 0, "librdkafka stops compressing if Produce starts above 0"
    assert set(upstream) == set(seen), "a key of the newest Kafka was withheld"
    for key, (low, high) in seen.items():
        assert upstream[key][0] <= low <= high <= upstream[key][1], f"key {key}"
    # Topic ids, node endpoints and today's transactions need these.
    assert seen[wire.PRODUCE][1] >= 13 and seen[wire.FETCH][1] >= 17


def test_metadata_of_every_version_names_reachable_brokers(target, topic):
    with Connection(target.port) as connection:
        for version in range(0, 9):
            body = wire.array([wire.string(topic)])
            body += i8(0) if version >= 4 else b""
            body += i8(0) + i8(0) if version >= 8 else b""
            answer = connection.ask(wire.METADATA, version, body)
            if version >= 3:
                answer.i32()
            count = answer.i32()
            assert count == 1
            node, host, port = answer.i32(), answer.string(), answer.i32()
            assert (node, host, port) == (1, "127.0.0.1", target.broker_port(1)), f"version {version}"
        for version in range(9, 14):
            identifier = bytes(16) if version >= 10 else b""
            body = wire.compact_array([identifier + wire.compact(topic) + wire.NO_TAGS]) + i8(0)
            body += i8(0) if version <= 10 else b""
            answer = connection.ask(wire.METADATA, version, body + i8(0) + wire.NO_TAGS, flexible=True)
            answer.i32()
            assert answer.uvarint() == 2
            node, host, port = answer.i32(), answer.compact(), answer.i32()
            assert (node, host, port) == (1, b"127.0.0.1", target.broker_port(1)), f"version {version}"


@pytest.mark.parametrize("version", range(0, 7))
def test_coordinators_of_every_version_are_reachable(target, version):
    def found():
        with Connection(target.port) as connection:
            if version < 3:
                answer = connection.ask(wire.FIND_COORDINATOR, version,
                                        wire.string("group") + (i8(0) if version >= 1 else b""))
                answer.take(4 if version >= 1 else 0)
                error = answer.i16()
                if version >= 1:
                    answer.string()
                node, host, port = answer.i32(), answer.string(), answer.i32()
            elif version == 3:
                answer = connection.ask(wire.FIND_COORDINATOR, version,
                                        wire.compact("group") + i8(0) + wire.NO_TAGS, flexible=True)
                answer.i32()
                error = answer.i16()
                answer.compact()
                node, host, port = answer.i32(), answer.compact().decode(), answer.i32()
            else:
                answer = connection.ask(wire.FIND_COORDINATOR, version,
                                        i8(0) + wire.compact_array([wire.compact("group")]) + wire.NO_TAGS,
                                        flexible=True)
                answer.i32()
                assert answer.uvarint() == 2
                answer.compact()
                node, host, port = answer.i32(), answer.compact().decode(), answer.i32()
                error = answer.i16()
            if error == 15:  # The offsets topic is being made.
                assert node == -1
                return False
            assert (error, node, host, port) == (0, 1, "127.0.0.1", target.broker_port(1))
            return True

    eventually(found, every=0.2, what="a coordinator")


def test_topic_ids_on_produce_and_fetch(target, topic):
    identifier = wire.topic_id(target.port, topic)
    with Connection(target.broker_port(1)) as connection:
        partition = i32(0) + wire.compact(wire.batch([b"by id"])) + wire.NO_TAGS
        body = wire.compact(None) + i16(-1) + i32(10000) + wire.compact_array(
            [identifier + wire.compact_array([partition]) + wire.NO_TAGS]) + wire.NO_TAGS
        answer = connection.ask(wire.PRODUCE, 13, body, flexible=True)
        assert answer.uvarint() == 2 and answer.take(16) == identifier and answer.uvarint() == 2
        assert (answer.i32(), answer.i16(), answer.i64()) == (0, 0, 0)
        for version in (13, 14):
            partition = i32(0) + i32(-1) + i64(0) + i32(-1) + i64(-1) + i32(1 << 20) + wire.NO_TAGS
            body = i32(-1) + i32(500) + i32(1) + i32(1 << 20) + i8(0) + i32(0) + i32(-1) + wire.compact_array(
                [identifier + wire.compact_array([partition]) + wire.NO_TAGS])
            body += wire.compact_array([]) + wire.compact("") + wire.NO_TAGS
            answer = connection.ask(wire.FETCH, version, body, flexible=True)
            answer.i32()
            assert (answer.i16(), answer.i32()) == (0, 0)
            assert answer.uvarint() == 2 and answer.take(16) == identifier and answer.uvarint() == 2
            assert (answer.i32(), answer.i16(), answer.i64()) == (0, 0, 1)
            assert b"by id" in answer.rest()


def test_an_unknown_topic_id_is_an_error_and_not_a_broken_connection(target, topic):
    with Connection(target.broker_port(1)) as connection:
        partition = i32(0) + wire.compact(wire.batch([b"lost"])) + wire.NO_TAGS
        body = wire.compact(None) + i16(-1) + i32(10000) + wire.compact_array(
            [b"\x17" * 16 + wire.compact_array([partition]) + wire.NO_TAGS]) + wire.NO_TAGS
        answer = connection.ask(wire.PRODUCE, 13, body, flexible=True)
        answer.uvarint(), answer.take(16), answer.uvarint()
        assert (answer.i32(), answer.i16()) == (0, 100)
        connection.ask(wire.METADATA, 1, i32(0))


def test_a_slow_reader_gets_everything_in_order(target, new_topic):
    topic = new_topic(max_message_bytes=4 << 20)
    producer = clients.Producer(target.kafka.bootstrap, message_max_bytes=4 << 20)
    for n in range(24):
        producer.send(topic, bytes([n]) * (1 << 20))
    producer.flush()
    before = target.gateway.program.resident_bytes() if target.gateway else 0
    peak = before
    with Connection(target.broker_port(1), receive_buffer=4096, timeout=60) as slow:
        for n in range(12):
            slow.send(request(wire.FETCH, 4, n, wire.fetch(topic, 0, 0, max_bytes=24 << 20)))
        # While it does not read, others are served, and what waits for it stays with the broker.
        for _ in range(20):
            time.sleep(0.05)
            assert wire.brokers(target.port)
            if target.gateway:
                peak = max(peak, target.gateway.program.resident_bytes())
        for n in range(12):
            ((_, _, error, high, records),) = wire.fetch_answer(slow.answer(n), 4)
            assert (error, high) == (0, 24) and len(records) > 20 << 20
            if target.gateway:
                peak = max(peak, target.gateway.program.resident_bytes())
    assert peak - before < 32 << 20, f"the gateway grew by {(peak - before) >> 20} MB for one slow reader"


@pytest.mark.parametrize("frame", [
    i32(-1), i32(0), i32(3) + b"abc", i32(1 << 30), i32(8) + i16(18) + i16(0) + i32(1),
    i32(10) + i16(18) + i16(0) + i32(1) + i16(500), request(9999, 0, 1), request(-5, 0, 1),
    request(wire.METADATA, 1, 1, i32(1 << 28)), request(wire.PRODUCE, 7, 1, b"\0"),
    request(wire.FETCH, 12, 1, b"\xff" * 40, flexible=True)],
    ids=["negative", "empty", "short", "huge", "no client id", "client id beyond the end", "unknown key",
         "negative key", "array bomb", "truncated produce", "bad varints"])
def test_a_broken_frame_ends_its_connection_and_no_other(target, frame):
    with Connection(target.port) as other, Connection(target.port) as connection:
        connection.send(frame)
        connection.socket.settimeout(10)
        try:
            connection.closed()
        except TimeoutError:
            pytest.fail("neither answered nor closed")
        other.ask(wire.METADATA, 1, i32(0))


@pytest.mark.gateway_only
@pytest.mark.parametrize("sent,told", [
    (bytes.fromhex("16030100f8010000f40303") + b"\x5a" * 237, "TLS"),
    (b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", "HTTP"),
    (b"POST /topics HTTP/1.1\r\nHost: localhost\r\n\r\n", "HTTP"),
    (b"\xff" * 64, "-1"),
    (b"SSH-2.0-OpenSSH_9.2\r\n", ""),
    (i32((100 << 20) + 1) + b"\0" * 64, "104857601")],
    ids=["TLS", "GET", "POST", "garbage", "ssh", "over the limit"])
def test_what_is_no_kafka_is_refused_with_a_reason(target, sent, told):
    before = len(target.gateway.log())
    with Connection(target.port) as connection:
        connection.send(sent)
        local = connection.socket.getsockname()[1]
        connection.closed()
    eventually(lambda: told in target.gateway.log()[before:] and str(local) in target.gateway.log()[before:],
               seconds=5, what=f"a line in the log with {told!r} and the client's port:\n"
               + target.gateway.log()[before:])


@pytest.mark.gateway_only
def test_clients_that_vanish_leave_nothing_behind(target, topic):
    gateway = target.gateway
    wire.brokers(target.port)
    time.sleep(0.3)
    before = gateway.program.open_files()
    frame = request(wire.PRODUCE, 7, 1, wire.produce(topic, 0, wire.batch([b"x" * 1000])))
    for n in range(100):
        connection = Connection(target.broker_port(1))
        connection.send(frame[:n * len(frame) // 100])
        if n % 2:
            connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        connection.socket.close()
    eventually(lambda: gateway.program.open_files() <= before, what="descriptors back to before")


def test_an_idle_connection_stays(target):
    with Connection(target.port) as connection:
        connection.ask(wire.METADATA, 1, i32(0))
        time.sleep(5)
        connection.ask(wire.METADATA, 1, i32(0))


def test_a_sasl_handshake_of_version_0_is_followed_by_bare_tokens(target):
    with Connection(int(target.sasl_bootstrap.rsplit(":", 1)[1])) as connection:
        connection.send(request(wire.SASL_HANDSHAKE, 0, 1, wire.string("PLAIN")))
        assert connection.answer(1).i16() == 0
        connection.send(wire.blob(b"\0alice\0alice-secret"))
        assert connection.exactly(4) == i32(0)
        assert Reader(b"").rest() == b""
        connection.ask(wire.METADATA, 1, i32(0))


def test_requests_before_authentication_are_refused_by_the_broker(target):
    with Connection(int(target.sasl_bootstrap.rsplit(":", 1)[1])) as connection:
        connection.ask(wire.API_VERSIONS, 0)
        connection.send(request(wire.METADATA, 1, 2, i32(0)))
        assert connection.closed() == b""
