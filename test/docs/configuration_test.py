#!/usr/bin/env python3
"""docs/configuration.md names exactly the keys that the program knows.

usage: configuration_test.py GRETE

The program is asked: an unknown key's error lists the known ones.
"""

import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
UNKNOWN = "zzzzzzzzzzzzzzzz"
CONFIG = f"""
clusters:
  c: {{bootstrap: ["127.0.0.1:1"], {UNKNOWN}: 1}}
listeners:
  - {{name: l, bind: "127.0.0.1:2", broker_ports: 3-4, cluster: c, {UNKNOWN}: 1}}
plugins:
  p: {{wasm: none, {UNKNOWN}: 1}}
admin: {{bind: "127.0.0.1:5", {UNKNOWN}: 1}}
limits: {{{UNKNOWN}: 1}}
log: {{{UNKNOWN}: 1}}
{UNKNOWN}: 1
"""
SECTIONS = {"clusters.c": "clusters", "listeners[0]": "listeners", "plugins.p": "plugins"}


def known_to_the_program(grete: str) -> dict[str, set[str]]:
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        file.write(CONFIG)
        file.flush()
        ran = subprocess.run([grete, "check", "-c", file.name], capture_output=True, text=True,
                             timeout=60, check=False)
    output = ran.stdout + ran.stderr
    found = {}
    for section, keys in re.findall(rf"([\w.\[\] ]+): unknown key '{UNKNOWN}'; expected one of: (.*)",
                                    output):
        found[SECTIONS.get(section.strip(), section.strip())] = set(keys.split(", "))
    assert len(found) == 7, f"expected the keys of 7 sections in:\n{output}"
    return found


def documented() -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    section = ""
    for line in (ROOT / "docs/configuration.md").read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            section = line[3:].strip()
            found[section] = set()
        elif match := re.match(r"\| `(\w+)` \|", line):
            found[section].add(match.group(1))
    return found


def main() -> int:
    program, docs = known_to_the_program(sys.argv[1]), documented()
    top = program.pop("the configuration")
    wrong = []
    if top != set(docs):
        wrong.append(f"sections: the program knows {sorted(top)}, the page {sorted(docs)}")
    for section, keys in program.items():
        for key in sorted(keys ^ docs.get(section, set())):
            where = "the page" if key in keys else "the program"
            wrong.append(f"{section}.{key}: not known to {where}")
    print("\n".join(wrong) or "configuration.md and the program agree")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
