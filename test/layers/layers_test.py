#!/usr/bin/env python3
"""Dependencies point one way: checks every #include of the tree against the allowed layers."""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]

# What each layer may include, beside itself and the outside world.
ALLOWED = {
    "base": set(),
    "kafka": {"base"},
    "wasm": {"base"},
    "plugins": {"base", "kafka", "wasm"},
    "gateway": {"base", "kafka", "wasm", "plugins"},
    "sdk": {"base", "kafka"},
    "filters": {"base", "kafka", "sdk"},
    "bench": {"base", "kafka", "wasm", "plugins", "sdk", "filters"},
    "test": {"base", "kafka", "wasm", "plugins", "gateway", "sdk", "filters"},
}
# Tests, fuzzers and micro-benchmarks may also use what test/support offers, and guests' code is
# checked on the host that runs it.
EXTRA_FOR_TESTS = {"test"}
# The one file that puts the program together.
COMPOSITION_ROOT = "gateway/cli/main.cc"
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.MULTILINE)
SOURCES = {".h", ".cc"}


def violations(root: pathlib.Path) -> list[str]:
    found = []
    for layer, allowed in ALLOWED.items():
        for file in sorted((root / layer).rglob("*")):
            if file.suffix not in SOURCES:
                continue
            if file.relative_to(root).as_posix() == COMPOSITION_ROOT:
                continue
            is_test = re.search(r"_(test|fuzz|bench)$", file.stem) is not None
            for include in INCLUDE.findall(file.read_text(encoding="utf-8")):
                target = include.split("/")[0]
                name = file.relative_to(root)
                if target not in ALLOWED:
                    found.append(f"{name}: \"{include}\" is not written from the root of the tree")
                elif target != layer and target not in allowed:
                    if not (is_test and target in EXTRA_FOR_TESTS):
                        found.append(f"{name}: {layer}/ may not include \"{include}\"")
    return found


def main() -> int:
    root = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT
    found = violations(root)
    for line in found:
        print(line, file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
