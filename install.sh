#!/bin/sh
# Installs garmin-gateway: fetches one release, checks it, and lets the program install itself.
#
#   curl -fsSL https://…/install.sh | sh
#   sh install.sh [--version 1.2.3] [options of `garmin-gateway install`]
#
# Run from a checkout of the source, it builds the program with cargo instead. `--help` lists the options and exit codes.
#
# The whole script is one pair of braces. A shell reads them to the end before it runs anything, so a download that
# breaks off does nothing, wherever it was cut.
{
set -eu

# A release fills in its own address and the key that it is signed with.
released_at=
signed_by=
base_url=${GARMIN_GATEWAY_BASE_URL:-$released_at}
name=garmin-gateway

usage() {
  cat <<'END'
Installs garmin-gateway: fetches one release, checks it, and runs `garmin-gateway install` from it.
From a checkout of the source, it builds the program with cargo instead.

Usage: install.sh [--version 1.2.3] [OPTIONS]

  --version 1.2.3   this release, not the latest (must be the first option)
  --dry-run         show the plan; build, install and change nothing
  --user            install for yourself, without root
  --yes             do not ask (needed without a terminal); the answers are these options:
  --public-url URL, --tls acme, --invite WHO, --operator-name NAME, --operator-email E-MAIL
  --news            for a signed release: check once a day for a new version (nothing is sent)
  --uninstall       remove the program; with --purge, settings and data as well
  --help            show this text

Environment:
  GARMIN_GATEWAY_BASE_URL   where the releases are (https, or http on this machine). Below it are latest/download/ and
                            download/v1.2.3/, each with a SHA256SUMS.

Exit codes: 0 done; 1 you answered no; 64 wrong usage; 65 the download is not the published one; 69 a download or a
needed tool is missing; 70 a step failed and was undone; 77 root is needed.
END
}

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

# With plain http, anybody on the network path could replace the program. A loopback address has no such path.
check_base_url() {
  case $base_url in
    '') die 64 "this copy of install.sh has no release address: set GARMIN_GATEWAY_BASE_URL, or run it from a checkout of the source" ;;
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
    # The wget of busybox has only these options.
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
  # The name is the last field; a * before it marks binary mode.
  wanted=$(awk -v name="$3" '$2 == name || $2 == "*" name { print $1 }' "$2")
  [ "${#wanted}" -eq 64 ] || die 65 "$3 is not in the list of checksums; nothing was installed"
  [ "$(sha256_of "$1")" = "$wanted" ] || die 65 "the checksum of $3 is wrong; nothing was installed"
}

# The checksums prove that the archive is undamaged; the signature proves who made the checksums.
verify_signature() { # SUMS SIGNATURE
  if has ssh-keygen; then
    printf 'releases %s\n' "$signed_by" >"$work/signers"
    ssh-keygen -Y verify -f "$work/signers" -I releases -n "$name" -s "$2" <"$1" >/dev/null 2>&1 ||
      die 65 "the checksums are not signed with the release key; nothing was installed"
  else
    say "The signature is not checked, because ssh-keygen is not installed."
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
  [ -x "$program" ] || die 65 "$archive contains no program; nothing was installed"
}

# A dry run needs a program to ask for the plan, and never builds one.
plan_without_building() { # CHECKOUT OPTIONS…
  program=${CARGO_TARGET_DIR:-$1/target}/release/$name
  if [ -x "$program" ]; then
    say "Showing the plan of the program that was built last: $program"
    return 0
  fi
  say "Would build the program in $1: cargo build --release --locked"
  say "Would then run: $name install"
  say "The plan itself comes from the program. Build it, then run this again."
  return 1
}

# Sets $program.
build() { # CHECKOUT
  has cargo || die 69 "cargo is needed to build from a checkout: https://rustup.rs"
  say "Building the program in $1"
  (cd "$1" && cargo build --release --locked) || die 70 "the build failed"
  program=${CARGO_TARGET_DIR:-$1/target}/release/$name
}

# The checkout that this file is in; fails outside of one.
checkout() {
  case $0 in */install.sh | install.sh) ;; *) return 1 ;; esac
  here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd) || return 1
  [ -f "$here/Cargo.toml" ] && [ -f "$here/src/main.rs" ] && echo "$here"
}

# Refuses a mistyped option before a build or a download. The program checks the values.
check_options() { # OPTIONS…
  while [ $# -gt 0 ]; do
    case $1 in
      --dry-run | --user | --yes | -y | --uninstall | --purge) ;;
      --news) [ -n "$signed_by" ] || die 64 "--news is for signed releases, and this copy of install.sh is not from one" ;;
      --public-url=* | --tls=* | --invite=* | --operator-name=* | --operator-email=*) ;;
      --public-url | --tls | --invite | --operator-name | --operator-email)
        [ $# -ge 2 ] || die 64 "$1 needs a value"
        shift
        ;;
      --version | --version=*) die 64 "--version must be the first option" ;;
      *) die 64 "'$1' is not an option; --help lists them" ;;
    esac
    shift
  done
}

is_given() { # OPTION OPTIONS…
  wanted=$1
  shift
  for option in "$@"; do [ "$option" != "$wanted" ] || return 0; done
  return 1
}

# A system-wide installation needs root; showing its plan does not.
needs_root() {
  [ "$(id -u)" -ne 0 ] && ! is_given --user "$@" && ! is_given --dry-run "$@"
}

main() {
  umask 022
  if is_given --help "$@" || is_given -h "$@"; then
    usage
    return 0
  fi
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
    *[!0-9A-Za-z.+-]* | '') die 64 "'$version' is not a version" ;;
  esac
  check_options "$@"
  source=
  if [ "$version" = latest ]; then source=$(checkout) || source=; fi
  if [ -n "$source" ] && is_given --dry-run "$@"; then
    plan_without_building "$source" "$@" || return 0
    exec "$program" install "$@"
  fi
  # Each option moves to the end of the list, and --news as what it stands for.
  count=$#
  while [ "$count" -gt 0 ]; do
    option=$1
    shift
    if [ "$option" = --news ]; then
      set -- "$@" --news-url "$base_url/latest/download/notes.json" --news-key "$signed_by"
    else
      set -- "$@" "$option"
    fi
    count=$((count - 1))
  done
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
  if [ -n "$source" ]; then build "$source"; else fetch_release "$version"; fi
  # A script that is piped into a shell has the pipe as its input, so the answers are read from the terminal.
  if [ -t 0 ] || ! [ -r /dev/tty ] || ! [ -t 2 ]; then input=/dev/stdin; else input=/dev/tty; fi
  if needs_root "$@"; then
    has sudo || die 77 "run this as root, or with --user to install for yourself"
    say "Installing needs root: sudo $name install $*"
    # shellcheck disable=SC2024 # The terminal belongs to the caller, not to root.
    sudo "$program" install "$@" <"$input"
  else
    "$program" install "$@" <"$input"
  fi
}

main "$@"
}
