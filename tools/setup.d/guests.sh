debian_packages clang-19 lld-19 llvm-19 libc++-19-dev-wasm32 libc++abi-19-dev-wasm32 \
  libclang-rt-19-dev-wasm32 wasi-libc

# Guests on byte hosts decompress batches themselves.
if [ ! -e "$(tools/codecs/prefix)/done" ]; then
  command -v cargo >/dev/null || debian_packages rustc-web cargo-web
  tools/codecs/fetch
fi
