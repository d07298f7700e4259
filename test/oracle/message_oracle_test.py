#!/usr/bin/env python3
"""Every message and version against Apache Kafka's own classes, of both release lines.

usage: message_oracle_test.py MESSAGE_ORACLE JARS WORK_FOLDER

Kafka's classes make seeded random instances, as bytes and JSON; ours must agree. GRETE_SEED repeats
a run, GRETE_ORACLE_INSTANCES makes it longer.
"""

import os
import pathlib
import random
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
LINES = ("4.4", "3.9")
LIBRARIES = ("jackson-databind", "jackson-core", "jackson-annotations", "slf4j-api")


def one(jars: pathlib.Path, pattern: str) -> str:
    found = sorted(jars.glob(pattern))
    if not found:
        sys.exit(f"no {pattern} in {jars}: run tools/setup build")
    return str(found[-1])


def main() -> int:
    oracle, jars, work = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
    seed = int(os.environ.get("GRETE_SEED", random.randrange(1 << 31)))
    instances = os.environ.get("GRETE_ORACLE_INSTANCES", "8")
    print(f"seed {seed} (GRETE_SEED={seed} repeats this)", flush=True)
    libraries = [one(jars, f"{name}-*.jar") for name in LIBRARIES]
    files = []
    for line in LINES:
        folder = work / line
        folder.mkdir(parents=True, exist_ok=True)
        kafka = one(jars, f"kafka-clients-{line}.*.jar")
        path = ":".join([str(folder), kafka, *libraries])
        subprocess.run(["javac", "-cp", path, "-d", folder, HERE / "MessageVectors.java"], check=True)
        vectors = folder / "vectors.txt"
        with vectors.open("wb") as out:
            made = subprocess.run(["java", "-Xshare:auto", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC",
                                   "-cp", path, "MessageVectors", kafka, str(seed), instances],
                                  stdout=out, stderr=subprocess.PIPE, text=True)
        if made.returncode != 0:
            sys.exit(f"MessageVectors failed with Kafka {line}:\n{made.stderr}")
        files.append((line, vectors))
    status = subprocess.run([oracle, *(f"{line}={file}" for line, file in files)]).returncode
    for _, file in files:
        file.unlink()
    return status


if __name__ == "__main__":
    sys.exit(main())
