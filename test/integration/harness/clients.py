"""The clients: kcat with Debian's old librdkafka, confluent-kafka with today's, and Kafka's own in Java."""

import functools
import hashlib
import subprocess
from pathlib import Path

import confluent_kafka
import confluent_kafka.admin

from .kafka import NEWEST, jars, java, write_log_config
from .processes import ROOT, eventually, run

JAVA_SOURCES = ROOT / "test/integration/java"


def kcat(*arguments, **options):
    return run(["kcat", *arguments], **options)


def kcat_produce(bootstrap, topic, lines, *arguments):
    return kcat("-b", bootstrap, "-t", topic, "-P", *arguments, input="".join(f"{line}\n" for line in lines))


def kcat_consume(bootstrap, topic, *arguments):
    """The values of all records there are now, as lines."""
    return kcat("-b", bootstrap, "-t", topic, "-C", "-e", "-q", *arguments).stdout.splitlines()


@functools.cache
def java_classes(line: str) -> Path:
    """Our Java clients, compiled against one line of Kafka; kept in the build tree by content."""
    sources = sorted(JAVA_SOURCES.glob("*.java"))
    key = hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()[:16]
    classes = ROOT / f"build/integration-java/{line}-{key}"
    if not classes.is_dir():
        scratch = classes.with_name(classes.name + ".new")
        subprocess.run(["javac", "-nowarn", "-d", scratch, "-cp", jars(line), *sources], check=True)
        scratch.rename(classes)
    return classes


class Java:
    """Programs of one line of Kafka; `folder` holds their small files."""

    def __init__(self, folder: Path, line: str = NEWEST):
        self.folder, self.line = folder, line
        self.log_config = write_log_config(folder, line, "ERROR")

    def tool(self, name, *arguments, **options):
        """One of Kafka's own programs, by its class below org.apache.kafka.tools."""
        return run(self.tool_command(name, *arguments), timeout=120, **options)

    def tool_command(self, name, *arguments):
        # The newest line has no tools of its own.
        line = "4.3" if self.line == NEWEST else self.line
        return java(line, f"org.apache.kafka.tools.{name}", *arguments, log_config=self.log_config)

    def client(self, *arguments, **options):
        """IntegrationClient: the lines that it prints."""
        command = java(self.line, "IntegrationClient", *arguments, log_config=self.log_config)
        at = command.index("-cp") + 1
        command[at] = f"{java_classes(self.line)}:{command[at]}"
        lines = run(command, timeout=120, **options).stdout.splitlines()
        assert lines and lines[-1] == "done", lines
        return lines[:-1]

    def properties(self, **settings) -> Path:
        path = self.folder / f"client-{abs(hash(tuple(settings.items())))}.properties"
        path.write_text("".join(f"{key.replace('_', '.')}={value}\n" for key, value in settings.items()))
        return path


def admin(bootstrap, **settings):
    return confluent_kafka.admin.AdminClient({"bootstrap.servers": bootstrap, **settings})


def create_topic(bootstrap, name, *, partitions=1, replication=1, **config):
    """Creates a topic and waits until each of its partitions has a leader that answers.

    The controller says that a topic is there before its brokers do, and to a produce with acks=0 that
    comes too early a broker answers by closing the connection.
    """
    topic = confluent_kafka.admin.NewTopic(name, partitions, replication,
                                           config={key.replace("_", "."): str(value) for key, value in config.items()})
    client = admin(bootstrap)  # A client that is collected gives up its requests.
    client.create_topics([topic])[name].result(30)
    offsets = {confluent_kafka.TopicPartition(name, partition): confluent_kafka.admin.OffsetSpec.latest()
               for partition in range(partitions)}

    def leaders_answer():
        try:
            return all(listed.result(10) for listed in client.list_offsets(offsets).values())
        except confluent_kafka.KafkaException:
            return False

    eventually(leaders_answer)


class Producer:
    """librdkafka's producer; `results` are (partition, offset or error, value) in order of arrival."""

    def __init__(self, bootstrap, **settings):
        self.results = []
        self._producer = confluent_kafka.Producer(
            {"bootstrap.servers": bootstrap, **{k.replace("_", "."): v for k, v in settings.items()}})

    def send(self, topic, value, *, partition=0, **more):
        self._producer.produce(topic, value, partition=partition, on_delivery=self._delivered, **more)
        self._producer.poll(0)

    def _delivered(self, error, message):
        self.results.append((message.partition(), error or message.offset(), message.value()))

    def flush(self, seconds=60):
        left = self._producer.flush(seconds)
        assert left == 0, f"{left} records not delivered"
        return self.results

    def __getattr__(self, name):
        return getattr(self._producer, name)


def consume(bootstrap, topic, count, *, seconds=40, **settings):
    """`count` messages from the beginning by librdkafka's consumer, or fewer after `seconds`."""
    import time
    conf = {"bootstrap.servers": bootstrap, "group.id": f"g-{time.monotonic_ns()}",
            "auto.offset.reset": "earliest", **{k.replace("_", "."): v for k, v in settings.items()}}
    consumer = confluent_kafka.Consumer(conf)
    consumer.subscribe([topic])
    found, deadline = [], time.monotonic() + seconds
    try:
        while len(found) < count and time.monotonic() < deadline:
            for message in consumer.consume(count - len(found), 0.5):
                assert not message.error(), message.error()
                found.append(message)
        if found:
            consumer.commit(asynchronous=False)
    finally:
        consumer.close()
    return found
