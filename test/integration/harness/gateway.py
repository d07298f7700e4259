"""The gateway under test: `grete run` with a configuration made for the test."""

import functools
import json
import os
import urllib.error
import urllib.request
from pathlib import Path

from .processes import PORTS, ROOT, Program, eventually, run

BROKER_PORTS = 12


@functools.cache
def binary() -> Path:
    path = Path(os.environ.get("GRETE_BIN", ROOT / "build/dev/bin/grete")).resolve()
    if not path.exists():
        raise RuntimeError(f"{path} is not there: build it, or name another in GRETE_BIN")
    return path


class Gateway:
    """`clusters` maps names to bootstrap addresses; each gets a listener of the same name.

    `chains` maps a listener to its plug-ins' names; `plugins` is that section of the configuration;
    `extra` is laid over the top of the configuration."""

    def __init__(self, folder: Path, clusters: dict[str, str], *, chains=None, plugins=None, extra=None,
                 listener=None):
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.ports, listeners = {}, []
        for name in clusters:
            first = PORTS.block(1 + BROKER_PORTS)
            self.ports[name] = first
            listeners.append({"name": name, "bind": f"127.0.0.1:{first}",
                              "broker_ports": f"{first + 1}-{first + BROKER_PORTS}",
                              "advertise": "127.0.0.1", "cluster": name, **(listener or {}),
                              **({"chain": chains[name]} if chains and name in chains else {})})
        self.admin_port = PORTS.one()
        self.config = {
            "clusters": {name: {"bootstrap": [address]} for name, address in clusters.items()},
            "listeners": listeners, "admin": {"bind": f"127.0.0.1:{self.admin_port}"},
            **({"plugins": plugins} if plugins else {}), **(extra or {})}
        self.path = folder / "grete.yaml"
        self.write()
        self.program = None

    def write(self):
        # JSON is YAML, and cannot be got wrong by indenting.
        self.path.write_text(json.dumps(self.config, indent=1))

    def start(self, *, ready: bool = True):
        self.program = Program([binary(), "run", "-c", self.path], self.folder / "grete.log",
                               cwd=self.folder)
        if ready:
            try:
                self.wait_ready()
            except BaseException:
                self.program.kill()
                raise
        return self

    def wait_ready(self):
        def answers():
            if not self.program.alive():
                raise RuntimeError(f"grete ended with {self.program.process.returncode}:\n{self.log()[-4000:]}")
            return self.http("/readyz")[0] == 200
        eventually(answers, seconds=60, what="/readyz answers 200")

    def port(self, name: str | None = None) -> int:
        """Where clients of a listener (the first, if none is named) bootstrap."""
        return self.ports[name or next(iter(self.ports))]

    def broker_port(self, node_id: int, name: str | None = None) -> int:
        return self.port(name) + 1 + node_id

    def bootstrap(self, name: str | None = None) -> str:
        return f"127.0.0.1:{self.port(name)}"

    def http(self, path: str) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.admin_port}{path}", timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def metrics(self) -> dict[str, float]:
        """Every sample by its name with labels, as printed."""
        status, text = self.http("/metrics")
        assert status == 200, text
        return {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1])
                for line in text.splitlines() if line and not line.startswith("#")}

    def log(self) -> str:
        return self.program.text()

    def stop(self, seconds: float = 30) -> int:
        return self.program.stop(seconds)


def check(path: Path):
    """`grete check -c FILE`, to its end."""
    return run([binary(), "check", "-c", path], check=False)
