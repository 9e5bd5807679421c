# shellcheck shell=bash
# Installs what the steps need beyond the toolchain: pinned, in $CI_CACHE, each part once. Sourced by .ci/run.

CI_CACHE=${CI_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/garmin-gateway-ci}
CARGO_DENY=0.20.2
CARGO_FUZZ=0.13.2
CARGO_CYCLONEDX=0.5.9
PYTHON_LEGACY='mcp==1.30.0'
PYTHON_MODERN='mcp==2.3.0'
PYTHON_PROMETHEUS='prometheus-client==0.23.1'
UV='uv==0.13.9'
export CI_CACHE
export PATH=$CI_CACHE/cargo-deny-$CARGO_DENY/bin:$CI_CACHE/cargo-fuzz-$CARGO_FUZZ/bin:$CI_CACHE/cargo-cyclonedx-$CARGO_CYCLONEDX/bin:$PATH

# once DIRECTORY COMMAND…: runs the command to fill the directory, unless an earlier run completed it.
once() {
  local dir=$1
  shift
  if [ -e "$dir/.complete" ]; then return; fi
  rm -rf "$dir"
  mkdir -p "$dir"
  "$@" "$dir"
  touch "$dir/.complete"
}

# Debian packages whose commands or files are missing.
install_debian() {
  local missing=() pair
  for pair in shellcheck=shellcheck npm=npm script=bsdutils ssh-keygen=openssh-client chromium=chromium g++=g++ tmux=tmux \
    busybox=busybox nginx=nginx-light caddy=caddy fail2ban-regex=fail2ban jq=jq qemu-system-x86_64=qemu-system-x86 mmdebstrap=mmdebstrap \
    buildah=buildah pebble=pebble dovecot=dovecot-imapd mosquitto=mosquitto mosquitto_sub=mosquitto-clients; do
    command -v "${pair%=*}" >/dev/null || missing+=("${pair#*=}")
  done
  [ -e /usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1 ] || missing+=(libfaketime)
  [ -e /lib/systemd/systemd-journal-remote ] || missing+=(systemd-journal-remote)
  /usr/bin/python3 -c 'import systemd.journal' 2>/dev/null || missing+=(python3-systemd)
  python3 -c 'import ensurepip' 2>/dev/null || missing+=(python3-venv)
  [ "${#missing[@]}" -gt 0 ] || return 0
  echo "installing ${missing[*]}"
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"
}

install_python() { # PACKAGE DIRECTORY
  python3 -m venv "$2"
  "$2/bin/pip" install --quiet --disable-pip-version-check "$1"
}

# Install scripts are off, because every binary in use is part of a package.
install_npm() { # DIRECTORY
  cp tests/clients/package.json tests/clients/package-lock.json "$1/"
  (cd "$1" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error)
}

# A debug build takes only a minute, and is fast enough for these tools.
install_cargo() { # NAME VERSION DIRECTORY
  cargo install "$1" --version "$2" --locked --debug --root "$3" --target-dir "$3/target"
  rm -rf "$3/target"
}

install_all() {
  local npm_key
  npm_key=$(sha256sum tests/clients/package-lock.json | cut -c 1-12)
  mkdir -p "$CI_CACHE"
  install_debian
  once "$CI_CACHE/python-$PYTHON_LEGACY" install_python "$PYTHON_LEGACY"
  once "$CI_CACHE/python-$PYTHON_MODERN" install_python "$PYTHON_MODERN"
  once "$CI_CACHE/python-$PYTHON_PROMETHEUS" install_python "$PYTHON_PROMETHEUS"
  once "$CI_CACHE/python-$UV" install_python "$UV"
  once "$CI_CACHE/npm-$npm_key" install_npm
  once "$CI_CACHE/cargo-deny-$CARGO_DENY" install_cargo cargo-deny "$CARGO_DENY"
  once "$CI_CACHE/cargo-fuzz-$CARGO_FUZZ" install_cargo cargo-fuzz "$CARGO_FUZZ"
  once "$CI_CACHE/cargo-cyclonedx-$CARGO_CYCLONEDX" install_cargo cargo-cyclonedx "$CARGO_CYCLONEDX"
  ln -sfn "python-$PYTHON_LEGACY" "$CI_CACHE/python-legacy"
  ln -sfn "python-$PYTHON_MODERN" "$CI_CACHE/python-modern"
  ln -sfn "python-$PYTHON_PROMETHEUS" "$CI_CACHE/python-prometheus"
  ln -sfn "python-$UV" "$CI_CACHE/uv"
  ln -sfn "npm-$npm_key" "$CI_CACHE/npm"
}
