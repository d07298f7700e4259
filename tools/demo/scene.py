"""The article's scene on a real Apache Kafka: what kcat sends through grete, and what it then reads.

Exit status 0 if the consumer saw the article's lines, to the letter."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "test/integration"))

from harness import clients, kafka, processes  # noqa: E402

TOPIC = "example-topic"
SENT = ["AWS_SECRET_ACCESS_KEY=myawssecretkeyvalue", "My email is example@email.com"]
ARTICLE = ["AWS_SECRET_ACCESS_KEY=*******************", "My email is **"]
# Where the documentation has them; others if these are taken.
GATEWAY_PORT, BROKER_PORTS, ADMIN_PORT = 19092, 10, 9644


def stage(title, function):
    print(f"== {title}", flush=True)
    began = time.monotonic()
    try:
        return function()
    finally:
        took = round(time.monotonic() - began)
        subprocess.run([ROOT / "tools/stage", "note", title, str(took)], check=True)


def ports_or_others(first, count):
    wanted = range(first, first + count)
    return first if all(processes.is_free(port) for port in wanted) else processes.PORTS.block(count)


def start_gateway(folder, bootstrap):
    first, admin = ports_or_others(GATEWAY_PORT, 1 + BROKER_PORTS), ports_or_others(ADMIN_PORT, 1)
    config = f"""\
clusters:
  local:
    bootstrap: [{bootstrap}]
listeners:
  - name: apps
    bind: 127.0.0.1:{first}
    broker_ports: {first + 1}-{first + BROKER_PORTS}
    advertise: 127.0.0.1
    cluster: local
    chain: [mask-pii]
plugins:
  mask-pii:
    wasm: {json.dumps(str(ROOT / "build/release/filters/pii.wasm"))}
    config: {{detect: [email, aws], topics: {{include: ["*"]}}}}
admin:
  bind: 127.0.0.1:{admin}
"""
    path = folder / "grete.yaml"
    path.write_text(config)
    print(f"$ cat {path}\n{config}$ build/release/bin/grete run -c {path} &", flush=True)
    program = processes.Program([ROOT / "build/release/bin/grete", "run", "-c", path], folder / "grete.log")

    def ready():
        if not program.alive():
            sys.exit(f"grete ended:\n{program.text()}")
        import urllib.request
        with urllib.request.urlopen(f"http://127.0.0.1:{admin}/readyz", timeout=2) as answer:
            return answer.status == 200

    processes.eventually(ready, seconds=60, what="grete is ready")
    return program, f"127.0.0.1:{first}", f"127.0.0.1:{admin}"


def play(gateway):
    print(f"\n$ kcat -b {gateway} -t {TOPIC} -P")
    print("\n".join(SENT), flush=True)
    clients.kcat_produce(gateway, TOPIC, SENT)
    print(f"\n$ kcat -b {gateway} -t {TOPIC} -C -e -q", flush=True)
    seen = clients.kcat_consume(gateway, TOPIC)
    print("\n".join(seen) + "\n", flush=True)
    return seen


def main():
    folder = Path(tempfile.mkdtemp(prefix="grete-demo-"))
    programs = []
    try:
        broker = stage("start Apache Kafka", lambda: kafka.Kafka(folder / "kafka").start())
        programs.append(broker)
        program, gateway, admin = stage("start grete", lambda: start_gateway(folder, broker.bootstrap))
        programs.append(program)
        seen = stage("play the scene", lambda: play(gateway))
        if seen != ARTICLE:
            print("The article has:\n" + "\n".join(ARTICLE), file=sys.stderr)
            print(f"\nThese differ. grete's log:\n{program.text()[-4000:]}", file=sys.stderr)
            return 1
        print("That is what the article shows, to the letter.")
        subprocess.run([ROOT / "tools/stage", "end"], check=True)
        if sys.stdin.isatty() and sys.stdout.isatty():
            print(f"""
Everything stays up until Ctrl-C. Try it from another terminal:
  kcat -b {gateway} -t {TOPIC} -P        produce through grete
  kcat -b {gateway} -t {TOPIC} -C        consume
  kcat -b {broker.bootstrap} -t {TOPIC} -C        what Kafka itself has stored
  curl http://{admin}/metrics             what grete counts
  tail -f {program.log}""", flush=True)
            try:
                signal.pause()
            except KeyboardInterrupt:
                print("\nstopping")
        return 0
    finally:
        for running in reversed(programs):
            running.stop()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
