#!/usr/bin/env python3
"""install.sh under the conditions that people meet: cut off anywhere, in the shells of small systems, and with releases
that must be refused.

The program in these releases only records how it was called. What the real program does when it installs itself is
tested in src/install. Each check prints a line, and the first that fails ends the run.

Usage:  run.py                   with dash and busybox on the PATH
        run.py --bin PROGRAM     also upgrades this program from a signed release
"""

import argparse
import hashlib
import http.server
import io
import json
import os
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
import threading
from pathlib import Path

SCRIPT = Path(__file__).resolve().parents[2] / "install.sh"
sys.path.insert(1, str(SCRIPT.parent / "tests/clients"))

import scratch

SHELLS = {"dash": ["dash"], "busybox": ["busybox", "sh"]}
TARGET = {"x86_64": "x86_64-linux", "aarch64": "aarch64-linux"}[platform.machine()]
ARCHIVE = f"garmin-gateway-{TARGET}.tar.gz"
PROGRAM = '#!/bin/sh\necho "$0 $*" >> "$CALLS"\n'
checks = 0


def check(what: str, good: bool, told: str = ""):
    global checks
    checks += 1
    if not good:
        print(f"FAILED: {what}\n{told}")
        sys.exit(1)


def archive(program: str) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        entry = tarfile.TarInfo("garmin-gateway")
        entry.size, entry.mode = len(program), 0o755
        tar.addfile(entry, io.BytesIO(program.encode()))
    return packed.getvalue()


def sums(data: bytes, name: str = ARCHIVE) -> bytes:
    return f"{'0' * 64}  other.tar.gz\n{hashlib.sha256(data).hexdigest()}  {name}\n".encode()


class Releases(http.server.ThreadingHTTPServer):
    """Serves `files` by path, and records every request."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.files: dict[str, bytes] = {}
        self.asked: list[str] = []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def publish(self, under: str, data: bytes, listed: bytes | None = None):
        self.files = {f"/{under}/{ARCHIVE}": data, f"/{under}/SHA256SUMS": sums(data) if listed is None else listed}


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.asked.append(self.path)
        body = self.server.files.get(self.path)
        self.send_response(200 if body is not None else 404)
        self.end_headers()
        self.wfile.write(body or b"")

    def log_message(self, *_):
        pass


class Ground:
    """A place to run the script in, with a separate HOME, TMPDIR and record of calls."""

    def __init__(self, shell: str, releases: Releases):
        self.shell, self.releases = shell, releases
        self.home = Path(tempfile.mkdtemp(prefix="garmin-gateway-install-"))
        self.calls = self.home / "calls"
        (self.home / "tmp").mkdir()
        (self.home / "bin").mkdir()

    def run(self, *options: str, script: bytes | None = None, **more: str) -> subprocess.CompletedProcess:
        self.calls.unlink(missing_ok=True)
        environment = {
            "PATH": f"{self.home / 'bin'}:{os.environ['PATH']}", "HOME": str(self.home), "CALLS": str(self.calls),
            "TMPDIR": str(self.home / "tmp"), "GARMIN_GATEWAY_BASE_URL": self.releases.url, **more,
        }
        # The shell reads the script from a pipe, as with `curl … | sh`.
        script = SCRIPT.read_bytes() if script is None else script
        command = [*SHELLS[self.shell], "-s", "--", *options]
        done = subprocess.run(command, input=script, env=environment, capture_output=True, timeout=60)
        left = os.listdir(self.home / "tmp")
        check(f"{self.shell}: nothing stays in the temporary directory", not left, str(left))
        return done

    def called(self) -> str:
        return self.calls.read_text() if self.calls.exists() else ""

    def note_calls_of(self, *names: str):
        for name in names:
            tool = self.home / "bin" / name
            tool.write_text('#!/bin/sh\necho "$0 $*" >> "$CALLS"\nexit 1\n')
            tool.chmod(0o755)


def installs(ground: Ground):
    good = archive(PROGRAM)
    ground.releases.publish("latest/download", good)
    done = ground.run("--user", "--yes")
    check("the latest release is installed", done.returncode == 0, done.stderr.decode())
    check("options reach the program", ground.called().rstrip().endswith("garmin-gateway install --user --yes"), ground.called())
    ground.releases.publish("download/v1.2.3", good)
    for options in (["--version", "1.2.3"], ["--version", "v1.2.3"], ["--version=1.2.3"]):
        done = ground.run(*options, "--user")
        check(f"{options} is installed", done.returncode == 0 and "install --user" in ground.called(), done.stderr.decode())


def refuses(ground: Ground):
    """Tries releases that are wrong. Each has its exit code and words to be said, and its program must never run."""
    good, other = archive(PROGRAM), archive(PROGRAM + "# changed\n")
    for what, data, listed, code, words in [
        ("a tampered archive", other, sums(good), 65, "checksum"),
        ("a list without the archive", good, sums(good, "another.tar.gz"), 65, "not in the list"),
        ("an empty list", good, b"", 65, "not in the list"),
        ("a list that names it with half a sum", good, f"abc  {ARCHIVE}\n".encode(), 65, "not in the list"),
        ("what is no archive", b"<html>", sums(b"<html>"), 65, "unpacked"),
    ]:
        ground.releases.publish("latest/download", data, listed)
        done = ground.run("--user")
        told = done.stderr.decode()
        check(f"{what}: exit code {code}", done.returncode == code, f"{done.returncode}: {told}")
        check(f"{what}: it is said", words in told, told)
        check(f"{what}: nothing is run", not ground.called(), ground.called())
    ground.releases.files = {}
    done = ground.run("--user")
    check("a release that is not there", done.returncode == 69 and not ground.called(), done.stderr.decode())
    for url in ("", "http://example.org/releases", "ftp://127.0.0.1", "http://127.0.0.1.example.org", "http://localhost.example.org/x"):
        ground.releases.asked.clear()
        done = ground.run("--user", GARMIN_GATEWAY_BASE_URL=url)
        check(f"the address {url!r} is refused", done.returncode == 64 and not ground.releases.asked, done.stderr.decode())
    for version in ("1.2/../../x", "", "1 2", "$(id)"):
        done = ground.run("--version", version)
        check(f"the version {version!r} is refused", done.returncode == 64, done.stderr.decode())
    for mistyped in ("--bogus", "invite", "--tls", "--invite=a@b.example --frob", "--user --version 1.2.3"):
        ground.releases.asked.clear()
        done = ground.run(*mistyped.split())
        check(f"{mistyped}: refused before a download", done.returncode == 64 and not ground.releases.asked, done.stderr.decode())
        check(f"{mistyped}: the mistake is named", mistyped.split()[-1].split("=")[0] in done.stderr.decode() or "--version" in mistyped, done.stderr.decode())


def sealed(archive_bytes: bytes, key: Path, version: str | None = None) -> tuple[bytes, dict[str, bytes]]:
    """A release of any version as packaging/release.sh makes and signs it: its install.sh, and its files by path."""
    with tempfile.TemporaryDirectory(prefix="garmin-gateway-dist-") as place:
        source, dist = Path(place, "source"), Path(place, "dist")
        shutil.copytree(SCRIPT.parent / "packaging", source / "packaging")
        dist.mkdir()
        shutil.copy(SCRIPT, source)
        for name in ("Cargo.toml", "packaging/notes.json"):
            text = (SCRIPT.parent / name).read_text()
            (source / name).write_text(text.replace(f'"{own_version()}"', f'"{version or own_version()}"', 1))
        (dist / ARCHIVE).write_bytes(archive_bytes)
        subprocess.run(["sh", str(source / "packaging/release.sh"), "seal", str(dist), "https://releases.example.org"],
                       env={**os.environ, "RELEASE_KEY": str(key), "SOURCE_DATE_EPOCH": "0"}, check=True, capture_output=True)
        files = {f"/latest/download/{path.name}": path.read_bytes() for path in dist.iterdir()}
    return files["/latest/download/install.sh"], files


def own_version() -> str:
    return json.loads((SCRIPT.parent / "packaging/notes.json").read_text())["version"]


def checks_signatures(ground: Ground):
    """A signed release is installed by its own install.sh, and one that somebody else signed is not."""
    keys = [ground.home / "key", ground.home / "other"]
    for key in keys:
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    script, files = sealed(archive(PROGRAM), keys[0])
    check("install.sh knows its release", b"\nreleased_at=https://releases.example.org\n" in script, script.decode()[:2000])
    ground.releases.files = dict(files)
    done = ground.run("--user", script=script)
    check("a signed release is installed", done.returncode == 0 and "install --user" in ground.called(), done.stderr.decode())

    done = ground.run("--yes", "--news", "--user", script=script)
    public = keys[0].with_suffix(".pub").read_text().split()
    wanted = f"install --yes --news-url {ground.releases.url}/latest/download/notes.json --news-key {public[0]} {public[1]} --user"
    check("the news of a signed release", done.returncode == 0 and wanted in ground.called(), done.stderr.decode() + ground.called())
    check("the news is signed", "/latest/download/notes.json" in files and "/latest/download/notes.json.sig" in files)
    done = ground.run("--yes", "--news", "--user")
    check("no news of an unsigned release", done.returncode == 64 and "--news is for signed" in done.stderr.decode(), done.stderr.decode())

    _, others = sealed(archive(PROGRAM + "# another\n"), keys[1])
    ground.releases.files = dict(others)
    done = ground.run("--user", script=script)
    check("a release of another key", done.returncode == 65 and "not signed" in done.stderr.decode(), done.stderr.decode())
    check("a release of another key is not run", not ground.called(), ground.called())

    mixed = {**others, "/latest/download/SHA256SUMS.sig": files["/latest/download/SHA256SUMS.sig"]}
    ground.releases.files = mixed
    done = ground.run("--user", script=script)
    check("another list under our signature", done.returncode == 65 and not ground.called(), done.stderr.decode())

    ground.releases.files = {path: data for path, data in files.items() if not path.endswith(".sig")}
    done = ground.run("--user", script=script)
    check("a signature that is missing", done.returncode == 69 and not ground.called(), done.stderr.decode())


def upgrades(program: Path):
    """The installed program upgrades to the release that release.sh signed, and to no other."""
    ground = Ground("dash", Releases())
    keys = [ground.home / "key", ground.home / "other"]
    for key in keys:
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    installed, settings = ground.home / ".local/bin/garmin-gateway", ground.home / ".config/garmin-gateway/gateway.env"
    for path in (installed, settings):
        path.parent.mkdir(parents=True)
    shutil.copy(program, installed)
    public = " ".join(keys[0].with_suffix(".pub").read_text().split()[:2])
    settings.write_text(f"NEWS_URL={ground.releases.url}/latest/download/notes.json\nNEWS_KEY={public}\n")

    def run(*options: str) -> subprocess.CompletedProcess:
        ground.calls.unlink(missing_ok=True)
        environment = {"PATH": os.environ["PATH"], "HOME": str(ground.home), "CALLS": str(ground.calls), "TMPDIR": str(ground.home / "tmp")}
        done = subprocess.run([installed, "upgrade", *options], env=environment, capture_output=True, timeout=60, stdin=subprocess.DEVNULL)
        left = os.listdir(ground.home / "tmp")
        check("upgrade: nothing stays in the temporary directory", not left, str(left))
        return done

    newer = PROGRAM.replace("\n", '\n[ "$1" != --version ] || { echo garmin-gateway 99.0.0; exit; }\n', 1)
    ground.releases.files = sealed(archive(newer), keys[0], "99.0.0")[1]
    done = run("--yes")
    check("a newer release installs itself", done.returncode == 0 and ground.called().endswith("install --user --yes\n"), done.stderr.decode() + ground.called())
    ground.releases.files = sealed(archive(newer), keys[1], "99.0.0")[1]
    done = run("--yes")
    check("a release of another key does not", done.returncode == 65 and not ground.called(), done.stderr.decode())
    ground.releases.files = sealed(archive(newer), keys[0])[1]
    done = run("--yes")
    check("the same release does not", done.returncode == 0 and b"Nothing to do" in done.stdout and not ground.called(), done.stderr.decode())


def shows_without_building(ground: Ground):
    """In a checkout, --help and --dry-run build and write nothing, wherever they stand among the options."""
    checkout = ground.home / "checkout"
    (checkout / "src").mkdir(parents=True)
    shutil.copy(SCRIPT, checkout / "install.sh")
    (checkout / "Cargo.toml").touch()
    (checkout / "src/main.rs").touch()
    ground.note_calls_of("cargo", "sudo", "curl", "wget", "mktemp")

    def run(*options: str) -> subprocess.CompletedProcess:
        ground.calls.unlink(missing_ok=True)
        environment = {"PATH": f"{ground.home / 'bin'}:{os.environ['PATH']}", "HOME": str(ground.home), "CALLS": str(ground.calls)}
        command = [*SHELLS[ground.shell], str(checkout / "install.sh"), *options]
        before = sorted(checkout.rglob("*"))
        done = subprocess.run(command, env=environment, capture_output=True, timeout=60, stdin=subprocess.DEVNULL)
        code = 64 if "--bogus" in options else 0
        check(f"{options}: exit code {code}", done.returncode == code, done.stderr.decode())
        check(f"{options}: nothing is written", sorted(checkout.rglob("*")) == before)
        return done

    for options in (["--help"], ["-h"], ["--user", "--help"], ["--help", "--dry-run"], ["--version", "1.2.3", "--help"]):
        told = run(*options).stdout.decode()
        check(f"{options}: the options are listed", "--dry-run" in told and "Exit codes" in told, told)
        check(f"{options}: nothing is called", not ground.called(), ground.called())
    for options in (["--bogus"], ["--user", "--bogus", "--yes"]):
        run(*options)
        check(f"{options}: nothing is called", not ground.called(), ground.called())
    for options in (["--dry-run"], ["--user", "--dry-run"]):
        told = run(*options).stderr.decode()
        check(f"{options}: the build is announced", "Would build" in told and "cargo build --release" in told, told)
        check(f"{options}: nothing is called", not ground.called(), ground.called())
    built = checkout / "target/release/garmin-gateway"
    built.parent.mkdir(parents=True)
    built.write_text(PROGRAM)
    built.chmod(0o755)
    run("--dry-run", "--user")
    check("a program that is built already shows its plan", ground.called() == f"{built} install --dry-run --user\n", ground.called())


def fails_closed(ground: Ground):
    """Nothing is installed without a tool that can verify checksums."""
    ground.releases.publish("latest/download", archive(PROGRAM))
    tools = ground.home / "few"
    tools.mkdir()
    for name in ("uname", "id", "mktemp", "rm", "awk", "cut", "tar", "gzip", "curl", "cat", "dirname"):
        found = shutil.which(name)
        if found:
            (tools / name).symlink_to(found)
    for name in ("dash", "busybox"):
        (tools / name).symlink_to(shutil.which(name))
    # busybox's shell finds its own sha256sum even if the PATH has none, so it can verify checksums.
    done = ground.run("--user", PATH=str(tools))
    if ground.shell == "busybox":
        return
    check("no tool for checksums: nothing is installed", done.returncode != 0 and not ground.called(), done.stderr.decode())


def does_nothing_when_cut(ground: Ground):
    """Runs every prefix of the script, because a connection may break off at any byte."""
    whole = SCRIPT.read_bytes().rstrip(b"\n")
    ground.note_calls_of("curl", "wget", "sudo", "cargo", "tar", "mktemp", "uname", "id")
    for end in range(len(whole)):
        ground.run(script=whole[:end])
        check(f"cut at {end} of {len(whole)} bytes: nothing is called", not ground.called(), ground.called())


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--bin", type=Path)
    program = options.parse_args().bin
    scratch.begin()
    for shell in SHELLS:
        releases = Releases()
        before = checks
        for play in (installs, refuses, checks_signatures, fails_closed, shows_without_building):
            play(Ground(shell, releases))
        if shell == "dash":
            does_nothing_when_cut(Ground(shell, releases))
        print(f"ok {checks - before} checks with {shell}")
    if program:
        before = checks
        upgrades(program)
        print(f"ok {checks - before} checks with the program")
    print(f"ok {checks} checks")


if __name__ == "__main__":
    main()
