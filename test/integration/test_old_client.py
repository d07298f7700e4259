"""Java clients of 3.9 with the newest broker."""

import pytest

from harness import clients


@pytest.fixture(scope="module")
def old_java(workspace):
    folder = workspace / "java-3.9-newest"
    folder.mkdir()
    return clients.Java(folder, "3.9")


def test_java_3_9(target, topic, old_java):
    old_java.client("idempotent", target.bootstrap, topic, 300)
    assert old_java.client("transactional", target.bootstrap, topic, f"{topic}-group") == ["group offset 7"]
    lines = old_java.client("consume", target.bootstrap, topic, 310, f"group.id={topic}",
                            "auto.offset.reset=earliest", "isolation.level=read_committed")
    assert [line.split()[3] for line in lines] == [f"n{n}" for n in range(300)] + [
        f"committed{n}" for n in range(10)]
