debian_packages build-essential ccache clang-19 cmake git libbenchmark-dev libboost1.81-dev \
  libclang-rt-19-dev libcli11-dev libfmt-dev libgmock-dev libgtest-dev liblz4-dev librdkafka-dev \
  libre2-dev libsnappy-dev libspdlog-dev libssl-dev libyaml-cpp-dev libzstd-dev lld-19 llvm-19 \
  maven ninja-build nlohmann-json3-dev openjdk-17-jdk-headless pkg-config prometheus-cpp-dev \
  python3 zlib1g-dev

# Wasmtime needs Rust 1.95. Debian keeps a recent one for its browsers.
rust_is_recent() {
  command -v cargo >/dev/null && command -v rustc >/dev/null &&
    [ "$(printf '1.95.0\n%s\n' "$(rustc --version | cut -d' ' -f2)" | sort -V | head -1)" = 1.95.0 ]
}
if [ ! -e "$(tools/wasmtime/prefix)/done" ]; then
  rust_is_recent || debian_packages rustc-web cargo-web
  echo "tools/setup: building Wasmtime (minutes, once)" >&2
  tools/wasmtime/build
fi

# Kafka's message descriptors, and its own classes to compare with, are in its client's jars.
tools/kafka-clients/fetch
