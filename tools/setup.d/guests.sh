debian_packages python3-venv clang-19 lld-19 llvm-19 libc++-19-dev-wasm32 libc++abi-19-dev-wasm32 \
  libclang-rt-19-dev-wasm32 wasi-libc

# Guests on byte hosts decompress batches themselves.
if [ ! -e "$(tools/codecs/prefix)/done" ]; then
  command -v cargo >/dev/null || debian_packages rustc-web cargo-web
  tools/codecs/fetch
fi

# Guests built with others' SDKs.
tools/guests/go --ensure
if ! command -v rustc >/dev/null; then
  debian_packages rustc-web cargo-web rust-web-src
elif ! tools/guests/rust --ready && ! { command -v rustup >/dev/null &&
  rustup --quiet target add wasm32-wasip1; }; then
  debian_packages rust-web-src
fi
