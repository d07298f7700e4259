#!/usr/bin/env python3
"""Writes the C++ of all Kafka messages into a folder.

usage: generate.py --newer JAR --older JAR --overrides FILE --out DIR [--list] [--report FILE]

--list prints the names of the files that would be written, for the build system. --report writes
how much memory a byte of each message can make decoding allocate.
"""

from __future__ import annotations

import argparse
import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from cpp_files import api_files, file_stem, message_header, source_files  # noqa: E402
from cpp_types import amplification, check_message  # noqa: E402
from descriptors import DescriptorError, Message, load_jar, merge_lines  # noqa: E402


def write_if_changed(path: pathlib.Path, text: str) -> None:
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def generate(messages: list[Message]) -> dict[str, str]:
    files = {f"kafka/messages/{file_stem(m)}.h": message_header(m) for m in messages}
    files |= source_files(messages)
    files |= api_files(messages)
    return files


def report(messages: list[Message]) -> str:
    rows = sorted(((amplification(m), m.name) for m in messages), reverse=True)
    lines = ["# bytes of memory that one byte on the wire can make decoding allocate, at most"]
    return "\n".join(lines + [f"{factor:8.1f}  {name}" for factor, name in rows]) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--newer", required=True)
    parser.add_argument("--older", required=True)
    parser.add_argument("--overrides", required=True)
    parser.add_argument("--out", required=True, type=pathlib.Path)
    parser.add_argument("--list", action="store_true")
    args = parser.parse_args()
    try:
        overrides = json.loads(pathlib.Path(args.overrides).read_text(encoding="utf-8"))
        messages = merge_lines(load_jar(args.newer), load_jar(args.older), overrides)
        for message in messages:
            check_message(message)
    except (DescriptorError, OSError) as error:
        print(f"generate.py: {error}", file=sys.stderr)
        return 1
    files = generate(messages)
    files["kafka/messages/amplification.txt"] = report(messages)
    if args.list:
        print("\n".join(str(args.out / name) for name in files))
        return 0
    for name, text in files.items():
        write_if_changed(args.out / name, text)
    worst, name = max((amplification(m), m.name) for m in messages)
    print(f"{len(messages)} messages; the largest amplification is {worst:.0f} ({name})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
