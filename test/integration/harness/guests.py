"""WebAssembly modules that the tests build from source: hostile ones in C, and with the SDKs of others."""

import functools
import hashlib
import os
import shutil
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

    def make(scratch):
        target_dir = BUILT / f"{name}-target"
        command = ["cargo", "build", "--release", "--locked", "--target", "wasm32-wasip1",
                   "--manifest-path", folder / "Cargo.toml", "--target-dir", target_dir]
        environment = {**os.environ}
        libraries = subprocess.run(["rustc", "--print", "target-libdir", "--target", "wasm32-wasip1"],
                                   capture_output=True, text=True).stdout.strip()
        if not Path(libraries or "/nowhere").is_dir():
            # Debian's compiler comes with the sources of the standard library, and not built for wasm.
            command += ["-Zbuild-std=std,panic_abort"]
            environment["RUSTC_BOOTSTRAP"] = "1"
        _build(command, env=environment)
        shutil.copy(target_dir / f"wasm32-wasip1/release/{name.replace('-', '_')}.wasm", scratch)

    return _once(name, sources, make)


@functools.cache
def go(name: str) -> Path:
    """guests/NAME, a program with the Go Proxy-Wasm SDK."""
    folder = SOURCES / name
    sources = [folder / "go.mod", folder / "go.sum", *sorted(folder.glob("*.go"))]
    return _once(name, sources, lambda scratch: _build(
        [ROOT / "tools/guests/go", "build", "-buildmode=c-shared", "-ldflags=-s -w", "-o", scratch, "."], cwd=folder,
        env={**os.environ, "GOOS": "wasip1", "GOARCH": "wasm", "GOFLAGS": "-mod=readonly -buildvcs=false"}))
