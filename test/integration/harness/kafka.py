"""A real Apache Kafka: one node or several, KRaft, on loopback, in a folder of its own."""

import functools
import subprocess
from pathlib import Path

from . import wire
from .processes import PORTS, ROOT, Program, eventually, run

# Small heaps and the quick compiler: a node is ready in seconds and leaves the cores to the tests.
JVM = ["-Xms256m", "-Xmx768m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto"]
NEWEST = "4.4"
USERS = {"alice": "alice-secret"}


@functools.cache
def jars(line: str) -> str:
    """The class path of one line of Apache Kafka: 4.4, 4.3 (tools only) or 3.9."""
    prefix = subprocess.run([ROOT / "tools/kafka/prefix", line], check=True, text=True,
                            capture_output=True).stdout.strip()
    if not Path(prefix).is_dir():
        raise RuntimeError(f"no Apache Kafka {line} on this machine: run tools/setup integration")
    return f"{prefix}/lib/*"


def java(line: str, main: str, *arguments, log_config: Path, heap: str = "512m") -> list[str]:
    """The command line of a Java program of Kafka's, or of ours, that finds its classes there."""
    key = "log4j2.configurationFile" if line != "3.9" else "log4j.configuration"
    value = str(log_config) if line != "3.9" else f"file:{log_config}"
    return ["java", *JVM[2:], f"-Xmx{heap}", f"-D{key}={value}", "-cp", jars(line), main,
            *[str(argument) for argument in arguments]]


def write_log_config(folder: Path, line: str, level: str) -> Path:
    """A logging configuration that prints to stderr; the two lines want different ones."""
    if line != "3.9":
        path = folder / f"log4j2-{level}.properties"
        path.write_text(f"rootLogger.level={level}\nrootLogger.appenderRef.c.ref=c\nappender.c.type=Console\n"
                        "appender.c.name=c\nappender.c.target=SYSTEM_ERR\nappender.c.layout.type=PatternLayout\n"
                        "appender.c.layout.pattern=%d %p %c{1} %m%n\n")
    else:
        path = folder / f"log4j-{level}.properties"
        path.write_text(f"log4j.rootLogger={level}, c\nlog4j.appender.c=org.apache.log4j.ConsoleAppender\n"
                        "log4j.appender.c.target=System.err\nlog4j.appender.c.layout=org.apache.log4j.PatternLayout\n"
                        "log4j.appender.c.layout.ConversionPattern=%d %p %c{1} %m%n\n")
    return path


class Node:
    """One broker; node 1 is the controller too."""

    def __init__(self, cluster, node_id):
        self.cluster, self.node_id = cluster, node_id
        self.port, self.sasl_port = PORTS.one(), PORTS.one()
        self.folder = cluster.folder / f"node-{node_id}"
        self.program = None

    def write_config(self):
        self.folder.mkdir(parents=True)
        listeners = [f"PLAINTEXT://127.0.0.1:{self.port}", f"SASL://127.0.0.1:{self.sasl_port}"]
        roles = "broker"
        if self.node_id == 1:
            roles = "broker,controller"
            listeners.append(f"CONTROLLER://127.0.0.1:{self.cluster.controller_port}")
        copies = min(3, len(self.cluster.nodes))
        users = " ".join(f'user_{name}="{secret}"' for name, secret in USERS.items())
        settings = {
            "process.roles": roles, "node.id": self.node_id,
            "controller.quorum.voters": f"1@127.0.0.1:{self.cluster.controller_port}",
            "listeners": ",".join(listeners),
            "advertised.listeners": ",".join(listeners[:2]),
            "controller.listener.names": "CONTROLLER", "inter.broker.listener.name": "PLAINTEXT",
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL:SASL_PLAINTEXT",
            "sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-256",
            "listener.name.sasl.plain.sasl.jaas.config":
                f"org.apache.kafka.common.security.plain.PlainLoginModule required {users};",
            "listener.name.sasl.scram-sha-256.sasl.jaas.config":
                "org.apache.kafka.common.security.scram.ScramLoginModule required;",
            "log.dirs": self.folder / "data", "num.partitions": 1,
            "offsets.topic.replication.factor": copies, "offsets.topic.num.partitions": 4,
            "transaction.state.log.replication.factor": copies, "transaction.state.log.min.isr": 1,
            "transaction.state.log.num.partitions": 4,
            "share.coordinator.state.topic.replication.factor": copies,
            "share.coordinator.state.topic.min.isr": 1, "share.coordinator.state.topic.num.partitions": 2,
            "group.initial.rebalance.delay.ms": 0, "group.consumer.min.heartbeat.interval.ms": 300,
            "group.consumer.heartbeat.interval.ms": 300, "group.share.min.heartbeat.interval.ms": 300,
            "group.share.heartbeat.interval.ms": 300,
            "message.max.bytes": 64 << 20, "socket.request.max.bytes": 100 << 20, "fetch.max.bytes": 128 << 20,
            "broker.session.timeout.ms": 3000, "broker.heartbeat.interval.ms": 500,
            "controlled.shutdown.enable": "false", "log.cleaner.enable": "false",
            "num.network.threads": 2, "num.io.threads": 4, "num.replica.fetchers": 1,
            "background.threads": 2,
        }
        settings.update(self.cluster.settings)
        self.config = self.folder / "server.properties"
        self.config.write_text("".join(f"{key}={value}\n" for key, value in settings.items()))
        scram = []
        if self.node_id == 1:
            for name, secret in USERS.items():
                scram += ["--add-scram", f"SCRAM-SHA-256=[name={name},password={secret}]"]
        run(self._java("kafka.tools.StorageTool", "format", "-t", self.cluster.cluster_id, "-c", self.config,
                       *scram), timeout=120)

    def _java(self, main, *arguments):
        return java(self.cluster.line, main, *arguments, log_config=self.cluster.log_config, heap="768m")

    def start(self):
        self.program = Program(self._java("kafka.Kafka", self.config), self.folder / "broker.log")

    def kill(self):
        """As a power cut does."""
        self.program.kill()

    def segment(self, topic, partition=0) -> bytes:
        """The partition's log as it lies on the disk."""
        folder = self.folder / "data" / f"{topic}-{partition}"
        return b"".join(path.read_bytes() for path in sorted(folder.glob("*.log")))


class Kafka:
    """A cluster. `settings` are added to every node's server.properties."""

    def __init__(self, folder: Path, *, line: str = NEWEST, nodes: int = 1, settings: dict | None = None):
        self.folder, self.line, self.settings = folder, line, settings or {}
        folder.mkdir(parents=True, exist_ok=True)
        self.cluster_id = "grete-integration-0000"
        self.controller_port = PORTS.one()
        self.log_config = write_log_config(folder, line, "WARN")
        self.nodes = [None] * nodes
        self.nodes = [Node(self, node_id) for node_id in range(1, nodes + 1)]

    def start(self):
        try:
            for node in self.nodes:
                node.write_config()
            for node in self.nodes:
                node.start()
            self.wait_ready()
        except BaseException:
            self.stop()
            raise
        return self

    def wait_ready(self, nodes=None):
        """Until every node answers, and names that many nodes."""
        nodes = self.nodes if nodes is None else nodes

        def ready():
            for node in nodes:
                if not node.program.alive():
                    raise RuntimeError(f"node {node.node_id} ended:\n{node.program.text()[-4000:]}")
            return all(len(wire.brokers(node.port)) == len(nodes) for node in nodes)

        eventually(ready, seconds=120, every=0.1, what="Kafka ready")

    def node(self, node_id) -> Node:
        return self.nodes[node_id - 1]

    @property
    def port(self) -> int:
        return self.nodes[0].port

    @property
    def bootstrap(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def sasl_bootstrap(self) -> str:
        return f"127.0.0.1:{self.nodes[0].sasl_port}"

    def stop(self):
        # Nothing here outlives the test, so a clean shutdown would only cost seconds.
        for node in self.nodes:
            if node.program:
                node.program.kill()

    def batches(self, topic, partition=0):
        """The batches as the broker stored them: [{codec, count, transactional, control, producer}]."""
        data = b"".join(node.segment(topic, partition) for node in self.nodes
                        if (node.folder / "data" / f"{topic}-{partition}").is_dir())
        found, at = [], 0
        while at + 61 <= len(data):
            reader = wire.Reader(data[at:at + 61])
            reader.take(8)
            length = reader.i32()
            reader.take(4)
            magic = reader.i8()
            reader.take(4)
            attributes = reader.i16()
            reader.take(4 + 8 + 8)
            producer = reader.i64()
            reader.take(2 + 4)
            found.append({"magic": magic, "codec": ["none", "gzip", "snappy", "lz4", "zstd"][attributes & 7],
                          "transactional": bool(attributes & 16), "control": bool(attributes & 32),
                          "producer": producer, "count": reader.i32()})
            at += 12 + length
        return found
