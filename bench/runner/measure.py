"""Reads what processes cost out of /proc, and runs one work of the load generator."""

import dataclasses
import json
import os
import pathlib
import subprocess
import time

TICK_S = 1 / os.sysconf("SC_CLK_TCK")


class BenchError(Exception):
    """A target or the generator did not do what it should; the message says which and how."""


def descendants(pid: int) -> list[int]:
    """The process and all below it."""
    found = [pid]
    for parent in found:
        for children in pathlib.Path(f"/proc/{parent}/task").glob("*/children"):
            try:
                found += [int(child) for child in children.read_text().split()]
            except OSError:
                pass
    return found


def cpu_seconds(pid: int) -> float:
    """CPU time of a process and all below it: user and system.

    From the scheduler's own clock (nanoseconds), which /proc/PID/stat rounds to 10 ms.
    """
    total = 0.0
    for process in descendants(pid):
        for task in pathlib.Path(f"/proc/{process}/task").glob("*/schedstat"):
            try:
                total += int(task.read_text().split()[0]) / 1e9
            except OSError:
                pass
    return total


def resident_mb(pid: int, field: str) -> float:
    """VmRSS (now) or VmHWM (the most since reset_peak) of a process and all below it, in MB."""
    total = 0
    for process in descendants(pid):
        try:
            status = pathlib.Path(f"/proc/{process}/status").read_text()
        except OSError:
            continue
        total += sum(int(line.split()[1]) * 1024 for line in status.splitlines()
                     if line.startswith(field + ":"))
    return total / 1e6


def reset_peak(pid: int) -> None:
    for process in descendants(pid):
        try:
            pathlib.Path(f"/proc/{process}/clear_refs").write_text("5")
        except OSError:
            pass


def machine_busy_seconds() -> float:
    """CPU time that the machine's cores have not been idle, time taken by a hypervisor included."""
    fields = pathlib.Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]
    user, nice, system, _idle, _iowait, irq, softirq, steal = map(int, fields)
    return (user + nice + system + irq + softirq + steal) * TICK_S


def wait_for_quiet(limit: float, at_most_s: float = 3) -> None:
    """Waits until the machine's cores have been busy for less than `limit` of one, but not for ever."""
    deadline = time.monotonic() + at_most_s
    while time.monotonic() < deadline:
        busy, started = machine_busy_seconds(), time.monotonic()
        time.sleep(0.2)
        if machine_busy_seconds() - busy < limit * (time.monotonic() - started):
            return


@dataclasses.dataclass
class Run:
    """One work once, on one target."""

    target: str
    work: str
    round: int
    metrics: dict[str, float]
    foreign: float  # CPU of other processes, as a share of one core


def load_command(binaries: pathlib.Path, work: str, port: int, seconds: float, core: int) -> list:
    return ["taskset", "-c", str(core), str(binaries / "bench-load"), "--work", work,
            "--connect", f"127.0.0.1:{port}", "--seconds", str(seconds), "--warm-up",
            str(round(seconds / 5, 2))]


def run_idle(command: list, proxy: int) -> dict[str, float]:
    """Resident memory while 1,000 connections are open that have said hello once."""
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True) as load:
        ready = load.stdout.readline()
        if ready:
            time.sleep(0.2)
        memory = resident_mb(proxy, "VmRSS")
        _out, errors = load.communicate("")
    if load.returncode != 0 or not ready:
        raise BenchError(errors.strip() or f"bench-load exited with {load.returncode}")
    return {"rss_mb": memory}


def run_work(command: list, work: str, proxy: int, sink: int) -> tuple[dict[str, float], float]:
    """Runs the generator once; returns the metrics and the foreign CPU (share of one core).

    The proxy's CPU is that of the generator's whole life, warm-up included, divided by all requests.
    """
    reset_peak(proxy)
    ours = {proxy, sink}
    started, busy = time.monotonic(), machine_busy_seconds()
    cpu = {pid: cpu_seconds(pid) for pid in ours}
    me = sum(os.times()[:4])
    if work.startswith("idle"):
        metrics = run_idle(command, proxy)
    else:
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        if done.returncode != 0:
            raise BenchError(done.stderr.strip() or f"bench-load exited with {done.returncode}")
        said = json.loads(done.stdout)
        spent = cpu_seconds(proxy) - cpu[proxy]
        metrics = {"cpu_us_per_request": spent * 1e6 / said["requests"],
                   "mb_per_s": said["mb_per_s"],
                   "rss_mb": resident_mb(proxy, "VmHWM")}
        if work.startswith("rate"):
            metrics |= {"p50_us": said["p50_us"], "p99_us": said["p99_us"]}
    own = sum(cpu_seconds(pid) - cpu[pid] for pid in ours) + sum(os.times()[:4]) - me
    elapsed = time.monotonic() - started
    return metrics, max(0.0, machine_busy_seconds() - busy - own) / elapsed
