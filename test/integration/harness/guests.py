"""WebAssembly modules that the tests build from source: hostile ones in C, and with the SDKs of others."""

import functools
import hashlib
import os
import subprocess
from pathlib import Path

from .processes import ROOT

SOURCES = ROOT / "test/integration/guests"
BUILT = ROOT / "build/integration-guests"


def _once(name: str, sources: list[Path], make) -> Path:
    """`make(scratch)` writes a module; it is kept by the content of its sources."""
    key = hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()[:16]
    target = BUILT / f"{name}-{key}.wasm"
    if not target.exists():
        BUILT.mkdir(parents=True, exist_ok=True)
        scratch = target.with_name(f"{target.name}.{os.getpid()}")
        make(scratch)
        scratch.rename(target)
    return target


def _build(arguments, **options):
    result = subprocess.run([str(a) for a in arguments], capture_output=True, text=True, timeout=600, **options)
    if result.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, arguments))}\n{result.stdout}{result.stderr}")


@functools.cache
def c(name: str) -> Path:
    """guests/NAME.c, compiled without any library."""
    source = SOURCES / f"{name}.c"
    return _once(name, [source, SOURCES / "proxy_wasm.h"], lambda scratch: _build(
        ["clang-19", "--target=wasm32", "-O1", "-Wall", "-Werror", "-Wno-infinite-recursion", "-fno-builtin",
         "-nostdlib", "-Wl,--no-entry", "-Wl,--strip-all", "-Wl,-z,stack-size=65536", "-o", scratch, source]))


@functools.cache
def rust(name: str) -> Path:
    """guests/NAME, a crate with the Rust Proxy-Wasm SDK."""
    folder = SOURCES / name
    sources = [folder / "Cargo.toml", folder / "Cargo.lock", *sorted((folder / "src").glob("*.rs"))]

    return _once(name, sources, lambda scratch: _build(
        [ROOT / "tools/guests/rust", folder, BUILT / f"{name}.cargo", scratch]))


@functools.cache
def go(name: str) -> Path:
    """guests/NAME, a program with the Go Proxy-Wasm SDK."""
    folder = SOURCES / name
    sources = [folder / "go.mod", folder / "go.sum", *sorted(folder.glob("*.go"))]
    return _once(name, sources, lambda scratch: _build(
        [ROOT / "tools/guests/go", "build", "-buildmode=c-shared", "-ldflags=-s -w", "-o", scratch, "."], cwd=folder,
        env={**os.environ, "GOOS": "wasip1", "GOARCH": "wasm", "GOFLAGS": "-mod=readonly -buildvcs=false"}))
