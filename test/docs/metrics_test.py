#!/usr/bin/env python3
"""docs/metrics.md names exactly the metrics, with their types, that the program exports."""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]


def main() -> int:
    source = (ROOT / "gateway/telemetry/metrics.cc").read_text(encoding="utf-8")
    page = (ROOT / "docs/metrics.md").read_text(encoding="utf-8")
    exported = {(name, kind.lower()) for name, kind in
                re.findall(r'begin\(\s*"(grete_\w+)".*?MetricType::(\w+)\)', source, re.DOTALL)}
    exported |= {(name, kind) for kind, name in
                 re.findall(r'\b(counter|histogram)s\(\s*"(grete_\w+)"', source)}
    # Every name must have been begun in a way that the patterns above understand.
    assert {name for name, _ in exported} == set(re.findall(r'"(grete_\w+)"', source)), exported
    documented = set(re.findall(r"^\| `(grete_\w+)` \| (\w+) \|", page, re.MULTILINE))
    for name, kind in sorted(exported ^ documented):
        where = "the page" if (name, kind) in exported else "the program"
        print(f"{name} ({kind}): not known to {where}")
    return 1 if exported != documented else 0


if __name__ == "__main__":
    sys.exit(main())
