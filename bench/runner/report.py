"""Turns runs into rows, tables, and verdicts on the targets the project has set itself."""

import dataclasses
import json
import os
import pathlib
import platform
import statistics

from runner.measure import Run

WORKS = ["produce-1k", "produce-16k", "produce-16k-lz4", "produce-1m", "fetch-1m", "rate-16k",
         "idle-1000"]
BYTE_PROXIES = ["nginx", "haproxy", "envoy"]
# What a run may lose to other processes, as a share of one core, before it is dropped.
FOREIGN_LIMIT = 0.10


@dataclasses.dataclass
class Results:
    rows: list[dict]
    noisy: set[tuple[str, str]]  # (target, work) for which no quiet run was had
    unavailable: dict[str, str]  # target -> why

    def value(self, target: str, work: str, metric: str) -> float | None:
        for row in self.rows:
            if (row["target"], row["work"], row["metric"]) == (target, work, metric):
                return row["median"]
        return None

    def best(self, work: str, metric: str) -> tuple[float, str] | None:
        """The lowest value among the byte proxies, and whose it is."""
        found = [(value, proxy) for proxy in BYTE_PROXIES
                 if (value := self.value(proxy, work, metric)) is not None]
        return min(found) if found else None


def summarise(runs: list[Run], unavailable: dict[str, str]) -> Results:
    results = Results([], set(), unavailable)
    keys = dict.fromkeys((run.target, run.work) for run in runs)
    for target, work in keys:
        all_runs = [run for run in runs if (run.target, run.work) == (target, work)]
        kept = [run for run in all_runs if run.foreign <= FOREIGN_LIMIT]
        if not kept:
            kept = [min(all_runs, key=lambda run: run.foreign)]
            results.noisy.add((target, work))
        for metric in kept[0].metrics:
            values = [run.metrics[metric] for run in kept]
            results.rows.append({
                "target": target, "work": work, "metric": metric,
                "median": round(statistics.median(values), 3), "min": round(min(values), 3),
                "max": round(max(values), 3), "rounds": len(values)})
    return results


def number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def table(results: Results, targets: list[str], metric: str, title: str) -> list[str]:
    """One row a target; in brackets the ratio to the best byte proxy."""
    works = [work for work in WORKS
             if any(row["work"] == work and row["metric"] == metric for row in results.rows)]
    if not works:
        return []
    lines = [f"**{title}**", "", "| target | " + " | ".join(works) + " |", "|---" * (len(works) + 1) + "|"]
    for target in targets:
        if target in results.unavailable:
            continue
        cells = []
        for work in works:
            value, best = results.value(target, work, metric), results.best(work, metric)
            cell = number(value)
            if cell and best and target != "direct" and metric != "mb_per_s":
                cell += f" ({value / best[0]:.2f})"
            cells.append(cell + ("~" if cell and (target, work) in results.noisy else ""))
        lines.append(f"| {target} | " + " | ".join(cells) + " |")
    return lines + [""]


def verdicts(results: Results) -> list[str]:
    """One line for each aim: met, missed, or not measured."""
    lines = []

    def judge(aim: str, value: float | None, limit: float, against: str) -> None:
        if value is None:
            lines.append(f"| {aim} | | {limit:g} | not measured |")
        else:
            verdict = "met" if value <= limit else "**missed**"
            lines.append(f"| {aim} | {value:.2f} {against} | {limit:g} | {verdict} |")

    def ratio(work: str, metric: str, target: str, other: str | None = None):
        own = results.value(target, work, metric)
        base = results.best(work, metric) if other is None else (
            results.value(other, work, metric), other)
        if own is None or base is None or base[0] is None:
            return None, ""
        return own / base[0], f"x {base[1]}"

    for work in WORKS[:5]:
        value, against = ratio(work, "cpu_us_per_request", "grete")
        judge(f"pass-through, {work}: CPU a request, to the best byte proxy", value, 1.15, against)
    value, against = ratio("rate-16k", "p50_us", "grete")
    judge("pass-through, rate-16k: p50, to the best byte proxy", value, 1.1, against)
    for work in ("produce-1k", "produce-16k", "produce-16k-lz4", "produce-1m"):
        value, against = ratio(work, "cpu_us_per_request", "grete-pii-wasm", "grete-pii-native")
        judge(f"PII in wasm, {work}: CPU a request, to its native twin", value, 2, against)
    for work in ("produce-16k", "produce-16k-lz4"):
        value, against = ratio(work, "cpu_us_per_request", "grete-pii-wasm", "nginx")
        judge(f"PII in wasm, {work}: CPU a request, to nginx", value, 3, against)
    judge("1,000 idle connections: resident memory, MB",
          results.value("grete", "idle-1000", "rss_mb"), 64, "MB")
    return ["| aim | measured | at most | |", "|---|---|---|---|", *lines, ""]


def machine() -> str:
    model, memory = platform.machine(), 0
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.split(":", 1)[1].strip()
            break
    for line in pathlib.Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("MemTotal"):
            memory = round(int(line.split()[1]) / (1 << 20))
    return f"{os.cpu_count()} cores ({model}), {memory} GiB of memory, Linux {platform.release()}"


def markdown(results: Results, targets: list[str], rounds: int) -> str:
    lines = [f"Machine: {machine()}. Medians of up to {rounds} rounds. In brackets: the ratio to the best"
             " of nginx, HAProxy and Envoy.", ""]
    lines += table(results, targets, "cpu_us_per_request", "Proxy CPU, microseconds a request")
    lines += table(results, targets, "p50_us", "Latency at the fixed rate, p50, microseconds")
    lines += table(results, targets, "p99_us", "Latency at the fixed rate, p99, microseconds")
    lines += table(results, targets, "rss_mb", "Resident memory of the proxy, MB")
    lines += table(results, targets, "mb_per_s", "Payload, MB a second")
    if results.noisy:
        lines += ["~ other processes took more than a tenth of a core in every run: do not trust it.",
                  ""]
    for target, why in results.unavailable.items():
        lines += [f"{target}: not available ({why}).", ""]
    return "\n".join(lines + ["**Aims**", "", *verdicts(results)])


def write_json(results: Results, file: pathlib.Path) -> None:
    file.write_text("[\n" + ",\n".join(json.dumps(row) for row in results.rows) + "\n]\n")


def write_page(text: str, page: pathlib.Path) -> None:
    """Puts the tables between the page's two marks."""
    begin, end = "<!-- results: written by bench/run -->", "<!-- end of results -->"
    before, _, rest = page.read_text().partition(begin)
    _, _, after = rest.partition(end)
    page.write_text(f"{before}{begin}\n{text}\n{end}{after}")
