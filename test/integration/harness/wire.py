"""Kafka frames made by hand, byte by byte, for what no client library would ever send.

Independent of the project's codec on purpose. The formats are those of Kafka's protocol guide."""

import socket
import struct
import time

PRODUCE, FETCH, LIST_OFFSETS, METADATA = 0, 1, 2, 3
FIND_COORDINATOR, SASL_HANDSHAKE, API_VERSIONS = 10, 17, 18
CREATE_TOPICS, SASL_AUTHENTICATE, DESCRIBE_CLUSTER = 19, 36, 60
UNSUPPORTED_VERSION = 35


# --- writing ---------------------------------------------------------------------------------------

def i8(value):
    return struct.pack(">b", value)


def i16(value):
    return struct.pack(">h", value)


def i32(value):
    return struct.pack(">i", value)


def i64(value):
    return struct.pack(">q", value)


def uvarint(value):
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def varint(value):
    return uvarint((value << 1) ^ (value >> 63))


def string(text):
    if text is None:
        return i16(-1)
    data = text.encode()
    return i16(len(data)) + data


def compact(text):
    if text is None:
        return uvarint(0)
    data = text if isinstance(text, bytes) else text.encode()
    return uvarint(len(data) + 1) + data


def blob(data):
    return i32(-1) if data is None else i32(len(data)) + data


def array(items):
    items = list(items)
    return i32(len(items)) + b"".join(items)


def compact_array(items):
    items = list(items)
    return uvarint(len(items) + 1) + b"".join(items)


NO_TAGS = b"\0"


def request(key, version, correlation, body=b"", client="wire", flexible=False):
    """A whole frame, its length first."""
    payload = i16(key) + i16(version) + i32(correlation) + string(client)
    payload += (NO_TAGS if flexible else b"") + body
    return i32(len(payload)) + payload


_CRC32C = []
for _n in range(256):
    for _ in range(8):
        _n = _n >> 1 ^ (0x82F63B78 if _n & 1 else 0)
    _CRC32C.append(_n)


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ _CRC32C[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFFFFFF


def batch(values, timestamp=None):
    """A record batch (magic 2) without compression; each value bytes, keys null."""
    timestamp = int(time.time() * 1000) if timestamp is None else timestamp
    records = b""
    for offset, value in enumerate(values):
        record = i8(0) + varint(0) + varint(offset) + varint(-1)
        record += varint(len(value)) + value + varint(0)
        records += varint(len(record)) + record
    tail = (i16(0) + i32(len(values) - 1) + i64(timestamp) + i64(timestamp) + i64(-1) + i16(-1) + i32(-1)
            + i32(len(values)) + records)
    return i64(0) + i32(4 + 1 + 4 + len(tail)) + i32(-1) + i8(2) + struct.pack(">I", crc32c(tail)) + tail


def message_set(values, magic):
    """A message set of the time before record batches (magic 0 or 1), without compression."""
    import zlib
    out = b""
    for offset, value in enumerate(values):
        message = i8(magic) + i8(0)
        if magic == 1:
            message += i64(int(time.time() * 1000))
        message += blob(None) + blob(value)
        message = struct.pack(">I", zlib.crc32(message)) + message
        out += i64(offset) + i32(len(message)) + message
    return out


def produce(topic, partition, records, version=7, acks=-1):
    """The body of Produce v0 to v8."""
    body = string(None) if version >= 3 else b""
    return body + i16(acks) + i32(10000) + array(
        [string(topic) + array([i32(partition) + blob(records)])])


def fetch(topic, partition, offset, version=4, max_bytes=1 << 20):
    """The body of Fetch v0 to v4."""
    body = i32(-1) + i32(500) + i32(1)
    body += i32(max_bytes) if version >= 3 else b""
    body += i8(0) if version >= 4 else b""
    return body + array([string(topic) + array([i32(partition) + i64(offset) + i32(max_bytes)])])


# --- reading ---------------------------------------------------------------------------------------

class Reader:
    def __init__(self, data):
        self.data = data
        self.at = 0

    def take(self, count):
        if count < 0 or self.at + count > len(self.data):
            raise AssertionError(f"{count} bytes wanted at {self.at} of {len(self.data)}")
        self.at += count
        return self.data[self.at - count:self.at]

    def _number(self, form):
        return struct.unpack(form, self.take(struct.calcsize(form)))[0]

    def i8(self):
        return self._number(">b")

    def i16(self):
        return self._number(">h")

    def i32(self):
        return self._number(">i")

    def i64(self):
        return self._number(">q")

    def string(self):
        length = self.i16()
        return None if length < 0 else self.take(length).decode()

    def blob(self):
        length = self.i32()
        return None if length < 0 else self.take(length)

    def uvarint(self):
        value = shift = 0
        while True:
            byte = self.take(1)[0]
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7

    def compact(self):
        length = self.uvarint()
        return None if length == 0 else self.take(length - 1)

    def array(self, item):
        return [item() for _ in range(self.i32())]

    def compact_array(self, item):
        return [item() for _ in range(self.uvarint() - 1)]

    def tags(self):
        """Tagged fields: {tag: bytes}."""
        return {self.uvarint(): self.take(self.uvarint()) for _ in range(self.uvarint())}

    def rest(self):
        return self.take(len(self.data) - self.at)


class Connection:
    """A socket to one broker or gateway port, blocking, with a limit on every wait."""

    def __init__(self, port, timeout=20, receive_buffer=None):
        self.socket = socket.socket()
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(timeout)
        self.socket.connect(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._correlation = 100

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def ask(self, key, version, body=b"", flexible=False):
        """Sends a request and returns a Reader of its answer, behind the header."""
        self._correlation += 1
        self.send(request(key, version, self._correlation, body, flexible=flexible))
        answer = self.answer(self._correlation)
        if flexible and key != API_VERSIONS:
            answer.tags()
        return answer

    def answer(self, correlation=None):
        """The next frame, behind its correlation id, which is checked if given."""
        reader = Reader(self.frame())
        got = reader.i32()
        assert correlation is None or got == correlation, f"answer {got} where {correlation} was due"
        reader.correlation = got
        return reader

    def frame(self):
        length = struct.unpack(">i", self.exactly(4))[0]
        assert 0 < length <= 200 << 20, f"a frame of {length} bytes"
        return self.exactly(length)

    def exactly(self, count):
        parts = []
        while count:
            part = self.socket.recv(min(count, 1 << 20))
            if not part:
                raise EOFError("closed by the peer")
            parts.append(part)
            count -= len(part)
        return b"".join(parts)

    def closed(self):
        """Waits until the peer closes; what came before that."""
        got = b""
        try:
            while True:
                part = self.socket.recv(65536)
                if not part:
                    return got
                got += part
        except ConnectionResetError:
            return got


# --- questions that several tests ask ----------------------------------------------------------------

def brokers(port):
    """{node id: (host, port)} by Metadata v1."""
    with Connection(port) as connection:
        answer = connection.ask(METADATA, 1, i32(0))
        return {node: (host, at) for node, host, at, _ in answer.array(
            lambda: (answer.i32(), answer.string(), answer.i32(), answer.string()))}


def leaders(port, topic):
    """{partition: node id} by Metadata v1."""
    with Connection(port) as connection:
        answer = connection.ask(METADATA, 1, array([string(topic)]))
        answer.array(lambda: (answer.i32(), answer.string(), answer.i32(), answer.string()))
        answer.i32()
        found = {}

        def partition():
            error, index, leader = answer.i16(), answer.i32(), answer.i32()
            answer.array(answer.i32)
            answer.array(answer.i32)
            if error == 0 and leader >= 0:
                found[index] = leader

        answer.array(lambda: (answer.i16(), answer.string(), answer.i8(), answer.array(partition)))
        return found


def topic_id(port, topic):
    """The topic's 16 bytes of id, by Metadata v12."""
    with Connection(port) as connection:
        body = compact_array([bytes(16) + compact(topic) + NO_TAGS]) + i8(0) + i8(0) + NO_TAGS
        answer = connection.ask(METADATA, 12, body, flexible=True)
        answer.i32()
        answer.compact_array(lambda: (answer.i32(), answer.compact(), answer.i32(), answer.compact(),
                                      answer.tags()))
        answer.compact()
        answer.i32()
        assert answer.uvarint() == 2
        error, name, identifier = answer.i16(), answer.compact(), answer.take(16)
        assert (error, name) == (0, topic.encode())
        return identifier


def api_versions(port):
    """{api key: (min, max)} by ApiVersions v0."""
    with Connection(port) as connection:
        answer = connection.ask(API_VERSIONS, 0)
        assert answer.i16() == 0
        return {key: (low, high) for key, low, high in answer.array(
            lambda: (answer.i16(), answer.i16(), answer.i16()))}


def produce_answer(answer, version):
    """[(topic, partition, error, base offset)] of Produce v0 to v7."""
    rows = []
    for _ in range(answer.i32()):
        topic = answer.string()
        for _ in range(answer.i32()):
            partition, error, offset = answer.i32(), answer.i16(), answer.i64()
            if version >= 2:
                answer.i64()
            if version >= 5:
                answer.i64()
            rows.append((topic, partition, error, offset))
    return rows


def fetch_answer(answer, version):
    """[(topic, partition, error, high watermark, records)] of Fetch v0 to v4."""
    if version >= 1:
        answer.i32()
    rows = []
    for _ in range(answer.i32()):
        topic = answer.string()
        for _ in range(answer.i32()):
            partition, error, high = answer.i32(), answer.i16(), answer.i64()
            if version >= 4:
                answer.i64()
                answer.array(lambda: (answer.i64(), answer.i64()))
            rows.append((topic, partition, error, high, answer.blob()))
    return rows
