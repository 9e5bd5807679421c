#!/bin/sh
# Makes a release: an archive and a Debian package for each kind of machine, a bill of materials, checksums, a signature.
#
#   packaging/release.sh build DIR          on each kind of machine: its archive and package, into DIR
#   packaging/release.sh program FILE       the program alone
#   packaging/release.sh materials DIR      the bill of materials alone
#   packaging/release.sh seal DIR URL       once, over all of them: checksums, signature, and an install.sh that knows
#                                           the address of the releases and the key that they are signed with
#
# program needs cargo, rustup's llvm-tools and python3; build needs dpkg-deb, cargo-cyclonedx and jq as well. seal needs
# ssh-keygen and, in RELEASE_KEY, the file of the private key (ssh-keygen -t ed25519). All can be run again;
# SOURCE_DATE_EPOCH is the commit's time.
# PROFILE=dev makes a quick one, to try this script.
set -eu
cd "$(dirname "$0")/.."
name=garmin-gateway
version=$(sed -n 's/^version = "\(.*\)"$/\1/p' Cargo.toml | head -n 1)
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
export SOURCE_DATE_EPOCH

die() {
  echo "release.sh: $*" >&2
  exit 1
}

needs() {
  for program in "$@"; do command -v "$program" >/dev/null || die "$program is needed"; done
}

# The same files make the same archive, whoever packs them.
pack() { # ARCHIVE DIRECTORY FILES…
  archive=$1
  directory=$2
  shift 2
  tar --create --sort=name --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 --numeric-owner \
    --directory="$directory" "$@" | gzip -n -9 >"$archive"
}

# Statically linked with glibc: it runs on any Linux of the last ten years. Built twice, because a call passes through much
# more code than a processor's first cache holds: the first program counts what thousands of calls use, and with these
# counts the compiler lays out the second one, whose calls need a quarter less processor time.
compile() {
  needs python3
  profdata=$(rustc --print target-libdir)/../bin/llvm-profdata
  [ -x "$profdata" ] || die "llvm-profdata is needed: rustup component add llvm-tools"
  # A new name each time, because cargo does not notice that a file named in a flag has changed.
  counted=$(mktemp -d)
  compile_with "-C profile-generate=$counted"
  python3 tests/clients/run.py training --bin "$program"
  "$profdata" merge -o "$counted/calls.profdata" "$counted"/*.profraw
  # Code that the training did not use has no counts, which is not a mistake.
  compile_with "-C profile-use=$counted/calls.profdata -C llvm-args=-pgo-warn-missing-function=0"
  python3 tests/clients/run.py training --bin "$program"
  rm -r "$counted"
}

# --target keeps the flags out of macros and build scripts. Packed relocations are read in a few pages instead of 600 KB,
# which stay in the memory of every worker. They need glibc 2.36 or newer here, where the program is built; with an older
# one it does not start, and the training fails. Functions that the training did not call stay in sections of their own,
# so that they lie between no two that are called: a worker has fewer pages of the file in its memory.
compile_with() { # FLAGS
  profile=${PROFILE:-dist}
  RUSTFLAGS="-C target-feature=+crt-static -C link-arg=-Wl,-z,pack-relative-relocs -C link-arg=-Wl,-z,keep-text-section-prefix $1" cargo build --locked --profile "$profile" --target "$triple"
  [ "$profile" = dev ] && profile=debug
  program=target/$triple/$profile/$name
}

debian_package() { # PROGRAM DIR
  case $machine in x86_64) arch=amd64 ;; aarch64) arch=arm64 ;; *) die "no Debian name for $machine" ;; esac
  tree=$work/package
  install -D -m 0755 "$1" "$tree/usr/bin/$name"
  for unit in "$name.service" "$name-backup.service" "$name-backup.timer"; do
    install -D -m 0644 "packaging/$unit" "$tree/usr/lib/systemd/system/$unit"
    sed -i 's#/usr/local/bin/#/usr/bin/#; s#^. Placed by .*#\# Placed by the Debian package.#' \
      "$tree/usr/lib/systemd/system/$unit"
  done
  install -D -m 0640 packaging/gateway.env "$tree/etc/$name/gateway.env"
  install -D -m 0644 LICENSE "$tree/usr/share/doc/$name/copyright"
  mkdir -p "$tree/usr/share/man/man1"
  "$1" man --into "$tree/usr/share/man/man1"
  gzip -n -9 "$tree"/usr/share/man/man1/*
  mkdir -p "$tree/usr/share/bash-completion/completions" "$tree/usr/share/zsh/vendor-completions" \
    "$tree/usr/share/fish/vendor_completions.d"
  "$1" completions bash >"$tree/usr/share/bash-completion/completions/$name"
  "$1" completions zsh >"$tree/usr/share/zsh/vendor-completions/_$name"
  "$1" completions fish >"$tree/usr/share/fish/vendor_completions.d/$name.fish"
  mkdir "$tree/DEBIAN"
  sed "s/@VERSION@/$version/; s/@ARCH@/$arch/" packaging/deb/control >"$tree/DEBIAN/control"
  echo "/etc/$name/gateway.env" >"$tree/DEBIAN/conffiles"
  for script in postinst prerm postrm; do install -m 0755 "packaging/deb/$script" "$tree/DEBIAN/$script"; done
  dpkg-deb --root-owner-group --build "$tree" "$2/${name}_${version}_$arch.deb" >/dev/null
}

# Every crate that the program is built from, the same wherever it is built. cargo-cyclonedx names what Cargo.lock could lead
# to, with any features; cargo itself knows what it builds. What is linked in beside the crates is added.
materials() { # DIR
  needs cargo cargo-cyclonedx jq getconf
  bill=$name-$machine-linux.cdx
  cargo cyclonedx --quiet --format json --spec-version 1.5 --target "$triple" --override-filename "$bill"
  built=$(cargo tree --quiet --locked --edges normal,build --target "$triple" --prefix none --format '{p}' |
    sed -n 's/^\([^ ]*\) v\([^ ]*\).*/\1 \2/p' | sort -u)
  # It names our own crate by its directory, and says that it can be fetched from there.
  sed "s|path+file://$PWD#||; s|?download_url=file://\.||" "$bill.json" |
    jq --arg built "$built" --arg glibc "$(getconf GNU_LIBC_VERSION)" --arg rust "$(rustc --version | cut -d ' ' -f 2)" '
      ($built | split("\n") | INDEX(.)) as $is_built
      | def linked($name; $version): { type: "library", "bom-ref": $name, $name, $version, purl: "pkg:generic/\($name)@\($version)" };
        .components |= map(select($is_built["\(.name) \(.version)"]))
      | ([.metadata.component, .components[]] | INDEX(."bom-ref")) as $is_named
      | .dependencies |= map(select($is_named[.ref]) | if .dependsOn then .dependsOn |= map(select($is_named[.])) else . end)
      | .components += [linked("glibc"; $glibc | ltrimstr("glibc ")), linked("rust-std"; $rust)]
    ' >"$1/$bill.json"
  rm "$bill.json"
  if grep -e 'file://' -e "$PWD" "$1/$bill.json"; then die "the bill of materials names a place on this machine"; fi
}

program() { # FILE
  needs cargo
  compile
  install -m 0755 "$program" "$1"
}

build() { # DIR
  needs cargo cargo-cyclonedx dpkg-deb gzip tar
  compile
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  mkdir "$work/archive"
  install -m 0755 "$program" "$work/archive/$name"
  strip "$work/archive/$name"
  cp LICENSE README.md "$work/archive/"
  pack "$1/$name-$machine-linux.tar.gz" "$work/archive" "$name" LICENSE README.md
  debian_package "$work/archive/$name" "$1"
  materials "$1"
}

seal() { # DIR URL
  needs sha256sum ssh-keygen
  [ -n "${RELEASE_KEY:-}" ] || die "RELEASE_KEY must name the file of the private key"
  case $2 in https://*) ;; *) die "the address of the releases must begin with https://" ;; esac
  key=$(ssh-keygen -y -f "$RELEASE_KEY" | cut -d ' ' -f 1,2)
  sed "s#^released_at=\$#released_at=$2#; s#^signed_by=\$#signed_by='$key'#" install.sh >"$1/install.sh"
  chmod 0755 "$1/install.sh"
  grep -q "^released_at=$2\$" "$1/install.sh" || die "install.sh has no place for the address"
  grep -q "^signed_by='ssh-" "$1/install.sh" || die "install.sh has no place for the key"
  grep -q "\"version\": \"$version\"" packaging/notes.json || die "packaging/notes.json is for another version"
  rm -f "$1/notes.json.sig"
  cp packaging/notes.json "$1/notes.json"
  ssh-keygen -q -Y sign -f "$RELEASE_KEY" -n "$name" "$1/notes.json"
  (
    cd "$1"
    rm -f SHA256SUMS SHA256SUMS.sig
    sha256sum -- * >SHA256SUMS.new
    mv SHA256SUMS.new SHA256SUMS
  )
  ssh-keygen -q -Y sign -f "$RELEASE_KEY" -n "$name" "$1/SHA256SUMS"
}

machine=$(uname -m)
triple=$machine-unknown-linux-gnu
case "${1-}:$#" in
  program:2) program "$2" ;;
  build:2 | materials:2)
    mkdir -p "$2"
    "$1" "$2"
    ;;
  seal:3) seal "$2" "$3" ;;
  *) die "release.sh build DIR, release.sh program FILE, release.sh materials DIR, or release.sh seal DIR URL" ;;
esac
