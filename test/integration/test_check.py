"""`grete check`: each mistake is told with its place, what was expected, and the nearest word."""

import json
import re

import pytest

from harness import gateway, guests

pytestmark = [pytest.mark.gateway_only, pytest.mark.needs("check")]

GOOD = """\
clusters:
  local:
    bootstrap: [127.0.0.1:9092]
listeners:
  - name: apps
    bind: 127.0.0.1:19092
    broker_ports: 19093-19192
    advertise: 127.0.0.1
    cluster: local
    chain: [judge]
plugins:
  judge:
    wasm: JUDGE
    deadline: 100ms
    memory: 64MiB
    on_failure: reject
admin:
  bind: 127.0.0.1:9644
"""


def check(tmp_path, text):
    path = tmp_path / "grete.yaml"
    path.write_text(text.replace("JUDGE", json.dumps(str(guests.c("judge")))))
    result = gateway.check(path)
    return result.returncode, result.stdout + result.stderr


def test_a_good_file(tmp_path):
    status, text = check(tmp_path, GOOD)
    assert status == 0, text


# What is replaced, by what, and the line and words that must be told.
MISTAKES = {
    "unknown key": ("bootstrap:", "boostrap:", 3, ["boostrap", "bootstrap"]),
    "unknown section": ("listeners:", "listners:", 4, ["listners", "listeners"]),
    "unknown cluster": ("cluster: local", "cluster: locla", 9, ["locla", "local"]),
    "unknown plug-in": ("chain: [judge]", "chain: [jugde]", 10, ["jugde", "judge"]),
    "port": ("127.0.0.1:19092", "127.0.0.1:99999", 6, ["99999"]),
    "no port": ("bind: 127.0.0.1:19092", "bind: localhost", 6, ["localhost", "host:port"]),
    "range": ("19093-19192", "19192-19093", 7, ["19192-19093"]),
    "overlap": ("19093-19192", "19092-19192", 7, ["19092"]),
    "duration": ("100ms", "100", 14, ["100", "ms"]),
    "size": ("64MiB", "64 megs", 15, ["64 megs", "MiB"]),
    "policy": ("reject\n", "rejct\n", 16, ["rejct", "reject"]),
    "scalar for list": ("[127.0.0.1:9092]", "127.0.0.1:9092", 3, ["list"]),
    "no YAML": ("  local:\n", "  local: [\n", None, []),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_told_with_its_place(tmp_path, name):
    old, new, line, words = MISTAKES[name]
    assert old in GOOD
    status, text = check(tmp_path, GOOD.replace(old, new, 1))
    assert status not in (0, -6, -11), text
    places = re.findall(r"grete\.yaml:(\d+):(\d+)", text)
    assert places, text
    if line:
        assert str(line) in {place[0] for place in places}, text
    for word in words:
        assert word in text, text


def test_several_mistakes_are_told_at_once(tmp_path):
    _, text = check(tmp_path, GOOD.replace("bootstrap:", "boostrap:").replace("64MiB", "64 megs"))
    assert {line for line, _ in re.findall(r"grete\.yaml:(\d+):(\d+)", text)} >= {"3", "15"}, text


def test_a_file_that_is_not_there(tmp_path):
    result = gateway.check(tmp_path / "nothing.yaml")
    assert result.returncode not in (0, -6, -11) and "nothing.yaml" in result.stdout + result.stderr


@pytest.mark.needs("plugins")
def test_a_module_that_is_not_there(tmp_path):
    status, text = check(tmp_path, GOOD.replace("JUDGE", "/nowhere/judge.wasm"))
    assert status not in (0, -6, -11) and "/nowhere/judge.wasm" in text


@pytest.mark.needs("plugins")
def test_a_file_that_is_no_module(tmp_path):
    path = tmp_path / "text.wasm"
    path.write_text("this is no module")
    status, text = check(tmp_path, GOOD.replace("JUDGE", str(path)))
    assert status not in (0, -6, -11) and "plugins.judge" in text and "no WebAssembly module" in text


@pytest.mark.needs("plugins")
def test_a_plugins_own_configuration_is_checked(tmp_path):
    path = tmp_path / "grete.yaml"
    path.write_text(GOOD.replace("JUDGE", str(guests.rust("rust-guard"))))
    result = gateway.check(path)
    assert result.returncode not in (0, -6, -11)
    assert "no forbidden word is configured" in result.stdout + result.stderr


@pytest.mark.needs("plugins")
def test_a_plugin_that_never_ends_its_configuration(tmp_path):
    path = tmp_path / "grete.yaml"
    path.write_text(GOOD.replace("JUDGE", json.dumps(str(guests.c("hostile")))).replace(
        "    on_failure: reject\n", "    on_failure: reject\n    config: {do: loop in configure}\n"))
    result = gateway.check(path)
    assert result.returncode not in (0, -6, -11) and "judge" in result.stdout + result.stderr
