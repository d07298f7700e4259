"""Programs that the tests start: a log file each, and dead for certain when the test run is."""

import ctypes
import os
import random
import signal
import socket
import subprocess
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


def _die_with_parent() -> None:
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


class Program:
    """A running program. `log` receives what it prints."""

    def __init__(self, arguments, log: Path, **options):
        self.log = log
        self.arguments = [str(argument) for argument in arguments]
        with open(log, "ab") as output:
            self.process = subprocess.Popen(
                self.arguments, stdout=output, stderr=subprocess.STDOUT,
                stdin=options.pop("stdin", subprocess.DEVNULL),
                preexec_fn=_die_with_parent, start_new_session=True, **options)

    @property
    def pid(self) -> int:
        return self.process.pid

    def alive(self) -> bool:
        return self.process.poll() is None

    def text(self) -> str:
        return self.log.read_text(errors="replace")

    def resident_bytes(self) -> int:
        """Resident memory, as the kernel counts it."""
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
        raise RuntimeError(f"process {self.pid} is gone")

    def open_files(self) -> int:
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def kill(self) -> None:
        if self.alive():
            os.killpg(self.pid, signal.SIGKILL)
        self.process.wait()

    def stop(self, seconds: float = 20) -> int:
        """Asks with SIGTERM, kills after `seconds`; the exit status (negative: the signal)."""
        if self.alive():
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            return self.process.returncode


def run(arguments, *, timeout: float = 60, check: bool = True, **options) -> subprocess.CompletedProcess:
    """Runs a client to its end; both outputs are kept as text, and are in the error if it fails."""
    arguments = [str(argument) for argument in arguments]
    options.setdefault("text", True)
    if "input" not in options:
        options.setdefault("stdin", subprocess.DEVNULL)
    result = subprocess.run(arguments, capture_output=True, timeout=timeout,
                            preexec_fn=_die_with_parent, **options)
    if check and result.returncode != 0:
        raise AssertionError(f"{' '.join(arguments)}\nexit status {result.returncode}\n"
                             f"--- stdout\n{result.stdout}\n--- stderr\n{result.stderr}")
    return result


def eventually(condition, *, seconds: float = 30, every: float = 0.05, what: str = ""):
    """Waits until `condition()` is true and returns its value; an exception in it counts as not yet."""
    deadline = time.monotonic() + seconds
    failure = None
    while True:
        try:
            value = condition()
            failure = None
            if value:
                return value
        except (OSError, AssertionError, EOFError) as error:
            failure = error
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {what or condition}"
                                 + (f" ({failure!r})" if failure else ""))
        time.sleep(every)


class Ports:
    """Free ports of loopback, below the range from which the kernel gives out its own.

    GRETE_TEST_PORTS=FIRST-LAST says from where, so that several runs share a machine."""

    def __init__(self):
        first, last = (int(n) for n in os.environ.get("GRETE_TEST_PORTS", "21000-29999").split("-"))
        self._first, self._last = first, last
        self._next = random.randint(first, last) if last - first > 2000 else first

    def block(self, count: int) -> int:
        """The first of `count` ports in a row that are free now; none is given out twice soon."""
        for _ in range(self._last - self._first):
            start = self._next
            if start + count - 1 > self._last:
                self._next = self._first
                continue
            self._next = start + 1
            if all(is_free(port) for port in range(start, start + count)):
                self._next = start + count
                return start
        raise RuntimeError(f"no {count} free ports within {self._first}-{self._last}")

    def one(self) -> int:
        return self.block(1)


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
            return True
        except OSError:
            return False


PORTS = Ports()
