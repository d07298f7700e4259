#!/usr/bin/env python3
"""Our record batches against Apache Kafka's own classes, both ways.

usage: records_oracle_test.py RECORDS_ORACLE JARS WORK_FOLDER

Kafka writes seeded batches of every magic and codec and says what is in them; ours must read the
same. Ours edits them and builds others; Kafka must find them valid and read what was meant.
GRETE_SEED repeats a run, GRETE_ORACLE_BLOBS makes it longer.
"""

import os
import pathlib
import random
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent

# Kafka 4.4 moved its record classes.
LINES = {
    "3.9": ("org.apache.kafka.common.record", "org.apache.kafka.common.utils"),
    "4.4": ("org.apache.kafka.common.record.internal", "org.apache.kafka.common.utils.internals"),
}
LIBRARIES = ("zstd-jni", "lz4-java", "snappy-java", "slf4j-api")


def one(jars: pathlib.Path, pattern: str) -> str:
    found = sorted(jars.glob(pattern))
    if not found:
        sys.exit(f"no {pattern} in {jars}: run tools/setup build")
    return str(found[-1])


def main() -> int:
    oracle, jars, work = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
    seed = int(os.environ.get("GRETE_SEED", random.randrange(1 << 31)))
    blobs = os.environ.get("GRETE_ORACLE_BLOBS", "280")
    print(f"seed {seed} (GRETE_SEED={seed} repeats this)", flush=True)
    libraries = [one(jars, f"{name}-*.jar") for name in LIBRARIES]
    for line, (records, utils) in LINES.items():
        folder = work / line
        folder.mkdir(parents=True, exist_ok=True)
        source = (HERE / "RecordsOracle.java").read_text(encoding="utf-8")
        source = source.replace("KAFKA_RECORDS", records).replace("KAFKA_UTILS", utils)
        (folder / "RecordsOracle.java").write_text(source, encoding="utf-8")
        path = ":".join([str(folder), one(jars, f"kafka-clients-{line}.*.jar"), *libraries])
        java = ["java", "-Xshare:auto", "-XX:TieredStopAtLevel=1", "-cp", path, "RecordsOracle"]
        subprocess.run(["javac", "-cp", path, "-d", folder, folder / "RecordsOracle.java"], check=True)
        theirs, ours = folder / "kafka.txt", folder / "ours.txt"
        with theirs.open("wb") as out:
            subprocess.run([*java, "write", str(seed), blobs], check=True, stdout=out,
                           stderr=subprocess.DEVNULL)
        done = subprocess.run([oracle, theirs, ours, str(seed)], check=True,
                              stdout=subprocess.PIPE, text=True)
        compared, built = done.stdout.split()
        verified = subprocess.run([*java, "verify", ours], check=True, stdout=subprocess.PIPE,
                                  text=True).stdout.strip()
        if verified != built:
            sys.exit(f"Kafka {line} verified {verified} of {built} blobs")
        print(f"Kafka {line}: read {compared} blobs alike; Kafka accepts {built} that we built")
        theirs.unlink()
        ours.unlink()
    return 0


if __name__ == "__main__":
    sys.exit(main())
