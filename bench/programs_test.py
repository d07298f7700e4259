#!/usr/bin/env python3
"""The generator and the sink against each other, and the sink against librdkafka (kcat).

usage: programs_test.py BIN_FOLDER
"""

import contextlib
import json
import pathlib
import socket
import subprocess
import sys
import time
import unittest

BIN = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else pathlib.Path("build/dev/bin")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


PORT = free_port()
WORKS = ["produce-1k", "produce-16k", "produce-16k-lz4", "produce-1m", "fetch-1m", "rate-16k"]


@contextlib.contextmanager
def sink(*arguments):
    process = subprocess.Popen([BIN / "bench-sink", "--bind", f"127.0.0.1:{PORT}", *arguments])
    try:
        for _ in range(500):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", PORT)) == 0:
                    break
            time.sleep(0.02)
        yield
    finally:
        process.terminate()
        process.wait()


def load(work, *arguments, seconds="0.2"):
    return subprocess.run([BIN / "bench-load", "--connect", f"127.0.0.1:{PORT}", "--work", work,
                           "--seconds", seconds, "--warm-up", "0.05", *arguments],
                          capture_output=True, text=True, timeout=60, check=False, input="")


def kcat(*arguments, **options):
    return subprocess.run(["kcat", "-b", f"127.0.0.1:{PORT}", "-t", "bench", *arguments],
                          capture_output=True, text=True, timeout=60, check=False, **options)


class Programs(unittest.TestCase):
    def test_every_work_is_answered(self):
        with sink():
            for work in WORKS:
                with self.subTest(work):
                    done = load(work)
                    self.assertEqual(done.returncode, 0, done.stderr)
                    said = json.loads(done.stdout)
                    self.assertGreater(said["requests"], 0)
                    self.assertGreater(said["mb_per_s"], 0)
                    self.assertLessEqual(said["p50_us"], said["p99_us"])

    def test_the_rate_is_kept(self):
        with sink():
            said = json.loads(load("rate-16k", "--rate", "400", seconds="0.5").stdout)
            self.assertEqual(said["requests"], 220)  # 400 a second for 0.5 + 0.05 s

    def test_a_thousand_connections_are_held(self):
        with sink():
            done = load("idle-1000")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual([json.loads(line) for line in done.stdout.splitlines()],
                             [{"ready": True}, {"requests": 1000}])

    def test_the_generator_goes_where_metadata_says(self):
        elsewhere = f"127.0.0.1:{free_port()}"
        with sink("--advertise", elsewhere):
            done = load("produce-1k")
            self.assertEqual(done.returncode, 1)
            self.assertIn(elsewhere, done.stderr)

    def test_librdkafka_produces(self):
        with sink():
            lines = "".join(f"line {i}\n" for i in range(20_000))
            for codec in ("none", "lz4"):
                done = kcat("-P", "-X", "acks=1", "-z", codec, input=lines)
                self.assertEqual(done.returncode, 0, done.stderr)

    def test_librdkafka_consumes_what_fetch_returns(self):
        with sink():
            done = kcat("-C", "-p", "0", "-o", "0", "-c", "1000", "-X", "check.crcs=true", "-f",
                        "%o %s\n")
            self.assertEqual(done.returncode, 0, done.stderr)
            records = [line.split(" ", 1) for line in done.stdout.splitlines()]
            self.assertEqual([int(offset) for offset, _ in records], list(range(1000)))
            for _, value in records:
                self.assertEqual(json.loads(value)["type"], "order.placed")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
