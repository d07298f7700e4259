#!/usr/bin/env python3
"""What the runner makes of its runs: medians, dropped runs, ratios, verdicts, the page."""

import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from runner import measure, report, targets  # noqa: E402


def runs(target, work, metric, values, foreign=0.0):
    return [measure.Run(target, work, number, {metric: value}, foreign)
            for number, value in enumerate(values)]


class Report(unittest.TestCase):
    def test_disturbed_runs_are_dropped(self):
        results = report.summarise(
            runs("nginx", "produce-1k", "cpu_us_per_request", [10, 30, 20])
            + runs("nginx", "produce-1k", "cpu_us_per_request", [99], foreign=0.5), {})
        self.assertEqual(results.rows, [
            {"target": "nginx", "work": "produce-1k", "metric": "cpu_us_per_request", "median": 20,
             "min": 10, "max": 30, "rounds": 3}])
        self.assertFalse(results.noisy)

    def test_where_all_were_disturbed_the_quietest_is_shown_and_marked(self):
        results = report.summarise(
            runs("grete", "fetch-1m", "cpu_us_per_request", [500], foreign=0.9)
            + runs("grete", "fetch-1m", "cpu_us_per_request", [300], foreign=0.2), {})
        self.assertEqual(results.rows[0]["median"], 300)
        self.assertIn("300~", report.markdown(results, ["grete"], 1))

    def test_aims_are_judged_against_the_best_byte_proxy(self):
        results = report.summarise(
            runs("nginx", "produce-16k", "cpu_us_per_request", [20])
            + runs("envoy", "produce-16k", "cpu_us_per_request", [10])
            + runs("grete", "produce-16k", "cpu_us_per_request", [11.6])
            + runs("grete-pii-wasm", "produce-16k", "cpu_us_per_request", [60])
            + runs("grete", "idle-1000", "rss_mb", [63]), {"haproxy": "not installed"})
        lines = report.verdicts(results)
        self.assertIn("| pass-through, produce-16k: CPU a request, to the best byte proxy "
                      "| 1.16 x envoy | 1.15 | **missed** |", lines)
        self.assertIn("| PII in wasm, produce-16k: CPU a request, to nginx | 3.00 x nginx | 3 | met |",
                      lines)
        self.assertIn("| 1,000 idle connections: resident memory, MB | 63.00 MB | 64 | met |", lines)
        self.assertTrue(any("native twin" in line and "not measured" in line for line in lines))
        self.assertIn("haproxy: not available (not installed).",
                      report.markdown(results, ["nginx", "haproxy"], 1))

    def test_the_page_keeps_what_is_around_its_marks(self):
        with tempfile.TemporaryDirectory() as folder:
            page = pathlib.Path(folder) / "page.md"
            page.write_text((targets.ROOT / "docs" / "performance.md").read_text())
            before, mark, _ = page.read_text().partition("<!-- results: written by bench/run -->")
            report.write_page("one", page)
            report.write_page("two", page)
            self.assertEqual(page.read_text(), f"{before}{mark}\ntwo\n<!-- end of results -->\n")

    def test_rows_are_valid_json(self):
        results = report.summarise(runs("grete", "rate-16k", "p50_us", [1.23456]), {})
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder) / "results.json"
            report.write_json(results, file)
            self.assertEqual(json.loads(file.read_text())[0]["median"], 1.235)

    def test_what_a_process_costs_is_read_with_its_children(self):
        burn = "import time\nend = time.monotonic() + 0.3\nwhile time.monotonic() < end: pass\n"
        burn += "print('done', flush=True)\ninput()"
        with subprocess.Popen(["sh", "-c", '"$0" -c "$1"; true', sys.executable, burn],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as shell:
            self.assertEqual(shell.stdout.readline(), "done\n")
            self.assertEqual(len(measure.descendants(shell.pid)), 2)
            self.assertGreater(measure.cpu_seconds(shell.pid), 0.05)
            self.assertGreater(measure.resident_mb(shell.pid, "VmRSS"), 1)
            shell.communicate("\n")


if __name__ == "__main__":
    unittest.main()
