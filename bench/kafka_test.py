#!/usr/bin/env python3
"""A real Kafka takes what the generator sends, and stores the batches that were meant.

usage: kafka_test.py BIN_FOLDER
"""

import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "test" / "integration"))
from harness.kafka import Kafka  # noqa: E402

BIN = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else pathlib.Path("build/dev/bin")
# Work: codec and records of each batch.
PRODUCED = {"produce-1k": ("none", 1), "produce-16k": ("none", 16), "produce-16k-lz4": ("lz4", 16),
            "produce-1m": ("none", 1000), "rate-16k": ("none", 16)}


class RealKafka(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="grete-bench-kafka-")
        cls.kafka = Kafka(pathlib.Path(cls.folder.name))
        cls.addClassCleanup(cls.folder.cleanup)
        cls.kafka.start()
        cls.addClassCleanup(cls.kafka.stop)

    def load(self, work):
        done = subprocess.run(
            [BIN / "bench-load", "--connect", self.kafka.bootstrap, "--work", work, "--seconds", "0.1",
             "--warm-up", "0", "--rate", "200" if work == "rate-16k" else "0"],
            capture_output=True, text=True, timeout=120, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def test_every_batch_is_accepted_and_fetched(self):
        sent = {}
        for work, batch in PRODUCED.items():
            sent[batch] = sent.get(batch, 0) + self.load(work)["requests"]
        stored = {}
        for batch in self.kafka.batches("bench"):
            kind = (batch["codec"], batch["count"])
            stored[kind] = stored.get(kind, 0) + 1
        self.assertEqual(stored, sent)
        self.assertGreater(self.load("fetch-1m")["requests"], 0)
        # A consumer reads them, and finds the checksums right.
        done = subprocess.run(
            ["kcat", "-C", "-b", self.kafka.bootstrap, "-t", "bench", "-o", "beginning", "-e", "-q",
             "-X", "check.crcs=true", "-f", "%s\n"],
            capture_output=True, text=True, timeout=120, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        values = done.stdout.splitlines()
        self.assertEqual(len(values), sum(count * number for (_, count), number in sent.items()))
        for value in values:
            self.assertEqual(json.loads(value)["type"], "order.placed")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], warnings="ignore")
