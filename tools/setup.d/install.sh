# Shared by the parts of tools/setup. Sourced, not run.

as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  elif command -v sudo >/dev/null; then
    echo "tools/setup: using sudo: $*" >&2
    sudo "$@"
  else
    echo "tools/setup: needs root to run: $*" >&2
    echo "             run it as root, or install sudo" >&2
    return 1
  fi
}

# Installs those of the named Debian packages that are missing.
debian_packages() {
  local package missing=()
  for package in "$@"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' ||
      missing+=("$package")
  done
  [ ${#missing[@]} -eq 0 ] && return 0
  echo "tools/setup: installing ${missing[*]}" >&2
  as_root apt-get update -qq
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
    "${missing[@]}" >/dev/null
}
