#!/bin/sh
# Installs garmin-gateway: fetches one release, checks it, and lets the program install itself.
#
#   curl -fsSL https://…/install.sh | sh
#   sh install.sh [--version 1.2.3] [options of `garmin-gateway install`]
#
# Run from a checkout of the source it builds the program with cargo instead.
# Options (all but --version are handed to the program): --dry-run shows what would be done and does nothing; --user installs
# without root; --yes asks nothing; --uninstall removes the program, --purge with it settings and data.
#
# Environment: GARMIN_GATEWAY_BASE_URL   where the releases are (https, or http to this machine): under it are
#                                        latest/download/ and download/v1.2.3/, each with SHA256SUMS
# Exit codes: 0 done, 1 you said no, 64 wrong usage, 65 the download is not what was published, 69 nothing could be
# fetched, 70 a step failed and was taken back, 77 needs root.
#
# Everything stands in one pair of braces, which a shell reads to its end before it runs any of it: half a download does
# nothing, wherever it was cut.
{
set -eu

# A release writes its own address here, and the key that it is signed with.
released_at=
signed_by=
base_url=${GARMIN_GATEWAY_BASE_URL:-$released_at}
name=garmin-gateway

say() { printf '%s\n' "$*" >&2; }

die() { # CODE WORDS…
  code=$1
  shift
  say "install.sh: $*"
  exit "$code"
}

has() { command -v "$1" >/dev/null 2>&1; }

target() {
  [ "$(uname -s)" = Linux ] || die 69 "there is no release for $(uname -s); build it with: cargo install --path ."
  case $(uname -m) in
    x86_64 | amd64) echo x86_64-linux ;;
    aarch64 | arm64) echo aarch64-linux ;;
    *) die 69 "there is no release for $(uname -m); build it with: cargo install --path ." ;;
  esac
}

# Plain http would let anybody on the way choose what is installed; to this machine there is no way.
check_base_url() {
  case $base_url in
    '') die 64 "this copy knows no release: set GARMIN_GATEWAY_BASE_URL, or run it from a checkout of the source" ;;
    https://*) protocols='=https' ;;
    http://127.0.0.1 | http://127.0.0.1[:/]* | http://localhost | http://localhost[:/]*) protocols='=http' ;;
    *) die 64 "GARMIN_GATEWAY_BASE_URL must begin with https://" ;;
  esac
}

fetch() { # URL FILE
  if has curl; then
    curl --proto "$protocols" --proto-redir "$protocols" --tlsv1.2 --fail --silent --show-error --location \
      --retry 3 --connect-timeout 20 --output "$2" "$1"
  elif has wget; then
    # busybox's wget knows only these options.
    wget -q -O "$2" "$1"
  else
    die 69 "curl or wget is needed"
  fi || die 69 "could not fetch $1"
}

sha256_of() { # FILE
  if has sha256sum; then
    sha256sum "$1"
  elif has shasum; then
    shasum -a 256 "$1"
  elif has openssl; then
    openssl dgst -sha256 -r "$1"
  else
    die 69 "sha256sum, shasum or openssl is needed to check the download; nothing was installed"
  fi | cut -d ' ' -f 1
}

verify() { # FILE SUMS NAME
  # The name is the last field, with or without the mark of binary mode.
  wanted=$(awk -v name="$3" '$2 == name || $2 == "*" name { print $1 }' "$2")
  [ "${#wanted}" -eq 64 ] || die 65 "$3 is not in the list of checksums; nothing was installed"
  [ "$(sha256_of "$1")" = "$wanted" ] || die 65 "the checksum of $3 is wrong; nothing was installed"
}

# The checksums say that nothing was damaged, the signature whose they are.
verify_signature() { # SUMS SIGNATURE
  if has ssh-keygen; then
    printf 'releases %s\n' "$signed_by" >"$work/signers"
    ssh-keygen -Y verify -f "$work/signers" -I releases -n "$name" -s "$2" <"$1" >/dev/null 2>&1 ||
      die 65 "the checksums are not signed with the release key; nothing was installed"
  else
    say "The signature is not checked: there is no ssh-keygen here."
  fi
}

# Sets $program.
fetch_release() { # VERSION
  check_base_url
  has tar || die 69 "tar is needed"
  if [ "$1" = latest ]; then from=$base_url/latest/download; else from=$base_url/download/v$1; fi
  archive=$name-$(target).tar.gz
  say "Fetching $archive from $from"
  fetch "$from/SHA256SUMS" "$work/SHA256SUMS"
  if [ -n "$signed_by" ]; then
    fetch "$from/SHA256SUMS.sig" "$work/SHA256SUMS.sig"
    verify_signature "$work/SHA256SUMS" "$work/SHA256SUMS.sig"
  fi
  fetch "$from/$archive" "$work/$archive"
  verify "$work/$archive" "$work/SHA256SUMS" "$archive"
  tar -xzf "$work/$archive" -C "$work" || die 65 "$archive can't be unpacked; nothing was installed"
  program=$work/$name
  [ -x "$program" ] || die 65 "$archive holds no program; nothing was installed"
}

# Sets $program.
build() { # CHECKOUT
  has cargo || die 69 "cargo is needed to build from a checkout: https://rustup.rs"
  say "Building the program in $1"
  (cd "$1" && cargo build --release --locked) || die 70 "it does not build"
  program=${CARGO_TARGET_DIR:-$1/target}/release/$name
}

# The checkout that this file lies in, if it does.
checkout() {
  case $0 in */install.sh | install.sh) ;; *) return 1 ;; esac
  here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd) || return 1
  [ -f "$here/Cargo.toml" ] && [ -f "$here/src/main.rs" ] && echo "$here"
}

# Whether the program must be run as root: a system-wide installation that is more than shown.
needs_root() {
  [ "$(id -u)" -ne 0 ] || return 1
  for option in "$@"; do
    case $option in --user | --dry-run | --help | -h) return 1 ;; esac
  done
}

main() {
  umask 022
  version=latest
  case ${1-} in
    --version)
      [ $# -ge 2 ] || die 64 "--version needs a version, such as 1.2.3"
      version=${2#v}
      shift 2
      ;;
    --version=*)
      version=${1#--version=}
      version=${version#v}
      shift
      ;;
  esac
  case $version in
    latest) ;;
    *[!0-9A-Za-z.+-]* | '') die 64 "'$version' is no version" ;;
  esac
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
  if [ "$version" = latest ] && source=$(checkout); then build "$source"; else fetch_release "$version"; fi
  # A script that is piped in has the pipe as its input; questions are for the terminal.
  if [ -t 0 ] || ! [ -r /dev/tty ] || ! [ -t 2 ]; then input=/dev/stdin; else input=/dev/tty; fi
  if needs_root "$@"; then
    has sudo || die 77 "run this as root, or with --user for an installation of your own"
    say "Installing needs root: sudo $name install $*"
    # shellcheck disable=SC2024 # The terminal is read as whoever sits at it.
    sudo "$program" install "$@" <"$input"
  else
    "$program" install "$@" <"$input"
  fi
}

main "$@"
}
