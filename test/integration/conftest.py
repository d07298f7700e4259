"""Fixtures: one real Kafka and one gateway for the whole run, a topic of its own for each test.

    test/integration/run                     everything, through the gateway
    test/integration/run --through=direct    the same against Kafka itself: are the tests right?
"""

import itertools
import re
import shutil
import tempfile
from pathlib import Path

import pytest

from harness import clients
from harness.gateway import Gateway
from harness.kafka import Kafka

NOT_YET = Path(__file__).with_name("not_yet.txt")


def pytest_addoption(parser):
    parser.addoption("--through", choices=["direct", "grete"], default="grete",
                     help="where clients connect: to the broker, or to the gateway in front of it")


def pytest_collection_modifyitems(config, items):
    listed = {line for line in NOT_YET.read_text().split("\n") if line and not line.startswith("#")}
    direct = config.getoption("--through") == "direct"
    known, kept, left_out = set(), [], []
    for item in items:
        needs = {mark.args[0] for mark in item.iter_markers("needs")}
        known |= needs
        if not direct and (item.get_closest_marker("gateway_only") or "target" in item.fixturenames):
            needs.add("gateway")
        if direct and (item.get_closest_marker("gateway_only") or needs) or needs & listed:
            left_out.append(item)
        else:
            kept.append(item)
    whole_suite = not config.getoption("keyword") and not any(":" in argument or argument.endswith(".py")
                                                              for argument in config.args)
    stale = listed - known - {"gateway"}
    if whole_suite and stale:
        raise pytest.UsageError(f"{NOT_YET.name} names {', '.join(sorted(stale))}, and no test needs it")
    items[:] = kept
    config.hook.pytest_deselected(items=left_out)
    config.stash[LEFT_OUT] = (len(left_out), listed)


LEFT_OUT = pytest.StashKey()


def pytest_report_header(config):
    return f"clients connect through: {config.getoption('--through')}"


def pytest_terminal_summary(terminalreporter, config):
    count, listed = config.stash.get(LEFT_OUT, (0, set()))
    if count and listed and config.getoption("--through") == "grete":
        terminalreporter.write_line(f"left out {count} tests that need: {', '.join(sorted(listed))}", yellow=True)


@pytest.fixture(scope="session")
def workspace(request):
    """A folder for everything that runs; after a failure it stays, with the logs and without the data."""
    folder = Path(tempfile.mkdtemp(prefix="grete-integration-"))
    yield folder
    if request.session.testsfailed == 0:
        shutil.rmtree(folder, ignore_errors=True)
    else:
        for data in folder.glob("**/data"):
            shutil.rmtree(data, ignore_errors=True)
        print(f"\nlogs: {folder}")


@pytest.fixture(scope="session")
def kafka(workspace):
    """The newest Kafka, one node."""
    cluster = Kafka(workspace / "kafka").start()
    yield cluster
    cluster.stop()


class Target:
    """Where the clients of a test connect."""

    def __init__(self, kafka: Kafka, gateway: Gateway | None, names=("plain", "sasl")):
        self.kafka, self.gateway = kafka, gateway
        plain, sasl = names
        self.bootstrap = gateway.bootstrap(plain) if gateway else kafka.bootstrap
        self.sasl_bootstrap = gateway.bootstrap(sasl) if gateway else kafka.sasl_bootstrap
        self.port = int(self.bootstrap.rsplit(":", 1)[1])
        self._plain = plain

    def broker_port(self, node_id: int) -> int:
        """The port at which clients find a broker."""
        return self.gateway.broker_port(node_id, self._plain) if self.gateway else self.kafka.node(node_id).port


@pytest.fixture(scope="session")
def through(request):
    return request.config.getoption("--through")


@pytest.fixture(scope="session")
def target(kafka, through, workspace):
    """The session's Kafka, or the session's gateway with an empty chain in front of it."""
    if through == "direct":
        yield Target(kafka, None)
        return
    gateway = Gateway(workspace / "grete", {"plain": kafka.bootstrap, "sasl": kafka.sasl_bootstrap}).start()
    yield Target(kafka, gateway)
    text = gateway.log()
    assert gateway.program.alive(), f"the gateway died:\n{text[-4000:]}"
    assert gateway.stop() == 0, f"the gateway did not end well:\n{text[-4000:]}"


@pytest.fixture
def new_gateway(workspace, request):
    """Starts gateways of the test's own: new_gateway({"plain": bootstrap}, chains=..., plugins=...)."""
    started, numbers = [], itertools.count()
    name = re.sub(r"\W+", "-", request.node.name)

    def start(clusters, *, start=True, **options):
        gateway = Gateway(workspace / f"grete-{name}-{next(numbers)}", clusters, **options)
        if start:
            started.append(gateway)
            gateway.start()
        return gateway

    yield start
    for gateway in started:
        gateway.stop()


_topics = itertools.count(1)


@pytest.fixture
def new_topic(kafka, request):
    """Makes topics directly on the broker: new_topic(partitions=3, max_message_bytes=...) -> name."""
    name = re.sub(r"\W+", "-", request.node.name)[:60].strip("-")

    def make(cluster=kafka, **options):
        topic = f"{name}-{next(_topics)}"
        clients.create_topic(cluster.bootstrap, topic, **options)
        return topic

    return make


@pytest.fixture
def topic(new_topic):
    return new_topic()


@pytest.fixture(scope="session")
def java(workspace):
    """Kafka's own clients and tools, of the newest line."""
    folder = workspace / "java"
    folder.mkdir()
    return clients.Java(folder)
