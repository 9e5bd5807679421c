#!/usr/bin/env python3
"""The appliance on a fresh Debian with systemd, in a virtual machine without a network.

Usage:  run.py install PROGRAM [PACKAGE]   a release is installed, used, upgraded, backed up, restored and removed
        run.py https PROGRAM               a release is installed that gets its certificate by ACME and serves https itself
        run.py power-cut PROGRAM CUTS      the power goes while sign-ins are refreshed: nothing acknowledged is lost

It takes qemu-system-x86_64, mmdebstrap, e2fsprogs, pebble and Claude Code (`.ci/run tools` brings it), and says so loudly where they are not.
"""

import atexit
import base64
import json
import random
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import machine

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[1]
sys.path.insert(1, str(REPOSITORY / "tests/clients"))

import garmin_mcp
import own_https
import scratch
import visitor
from stage import free_port

PATIENCE = 900
VERSION = re.search(r'(?m)^version = "(\S+)"', (REPOSITORY / "Cargo.toml").read_text())[1].encode()
ACME = ("pebble", "pebble-challtestsrv")


def files_for(program: Path, package: Path | None = None) -> Path:
    """Makes a directory with the contents of the machine's second disk."""
    files = Path(tempfile.mkdtemp(prefix="vm-files-"))
    for name in ("run.sh", "person.py", "names.py", "power_cut.sh", "power_cut.py"):
        shutil.copy(HERE / name, files)
    for name in ("caller.py", "sign_in.py", "real_names.py"):
        shutil.copy(REPOSITORY / "tests/clients" / name, files)
    shutil.copy(REPOSITORY / "packaging/nginx.conf", files)
    shutil.copy(program, files / "garmin-gateway")
    subprocess.run(["strip", files / "garmin-gateway"], check=True)
    # The same program with an older version number, which upgrades itself to the release.
    older = (files / "garmin-gateway").read_bytes().replace(VERSION, re.sub(rb"\d", b"0", VERSION))
    (files / "garmin-gateway-older").write_bytes(older)
    (files / "garmin-gateway-older").chmod(0o755)
    if package:
        shutil.copy(package, files / "garmin-gateway.deb")
    # A release as packaging/release.sh makes it, signed with a key of this run.
    latest = files / "releases/latest/download"
    latest.mkdir(parents=True)
    subprocess.run(["tar", "-czf", latest / "garmin-gateway-x86_64-linux.tar.gz", "-C", files, "garmin-gateway"], check=True)
    key = files / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    subprocess.run(["sh", REPOSITORY / "packaging/release.sh", "seal", latest, "https://releases.example.org"],
                   env={"RELEASE_KEY": str(key), "SOURCE_DATE_EPOCH": "0", "PATH": "/usr/bin:/bin"}, check=True)
    return files


def walk(vm: machine.Machine, files: Path, boot: str, port: int) -> int:
    """Boots once, and returns the number of passed checks."""
    running = vm.boot(files, boot, str(port))
    patience = threading.Timer(PATIENCE, running.kill)
    patience.start()
    checks, said, root = 0, [], None
    try:
        for line in running.stdout:
            said.append(line)
            lines = [line]
            if told := re.match(r"its root: (\S+)", line):
                root = files / "root.pem"
                root.write_bytes(base64.b64decode(told[1]))
            if told := re.match(r"a client may come: (.*)", line):
                scheme = "https" if root else "http"
                lines = visitor.visit(f"{scheme}://localhost:{port}", json.loads(told[1])["people"], root)
                running.stdin.write("\n")
                running.stdin.flush()
            for held in lines:
                if held.startswith("ok "):
                    checks += 1
                    print(held.rstrip(), flush=True)
    finally:
        patience.cancel()
        running.kill()
        running.wait()
    if not any(line.startswith(f"done with the {boot} boot") for line in said):
        print("".join(said[-80:]))
        sys.exit(f"the {boot} boot did not come to its end")
    return checks


def https(program: Path) -> int:
    port = free_port()
    files, vm, authority = files_for(program), machine.Machine(port, 443), own_https.Authority()
    for tool in ACME:
        shutil.copy(shutil.which(tool), files)
    authority.issue(files / "pebble.pem", files / "pebble.key")
    shutil.copy(authority.root, files / "authority.pem")
    try:
        return walk(vm, files, "certificate", port)
    finally:
        vm.close()
        authority.close()
        shutil.rmtree(files)


def install(program: Path, package: Path | None) -> int:
    port = free_port()
    files, vm = files_for(program, package), machine.Machine(port)
    has_python = garmin_mcp.PROGRAM.exists()
    if has_python:
        shutil.copytree(garmin_mcp.PROGRAM.parents[3], files / "garmin_mcp", symlinks=True)
    else:
        print("left out: the unmodified garmin_mcp, which `.ci/run garmin-mcp` brings where its source can be fetched")
    try:
        boots = ["first", *["python"] * has_python, "second", *["package"] * (package is not None)]
        return sum(walk(vm, files, boot, port) for boot in boots)
    finally:
        vm.close()
        shutil.rmtree(files)


def power_cut(program: Path, cuts: int) -> int:
    files, vm = files_for(program), machine.Machine()
    shutil.copy(HERE / "power_cut.sh", files / "run.sh")
    tokens: dict[str, list[str]] = {}
    acknowledged = held = 0
    said = re.compile(r"ACK (\d+) (\S+) (grt_\S+)\s*$")
    try:
        for cut in range(cuts + 1):
            (files / "tokens.json").write_text(json.dumps(tokens))
            running = vm.boot(files)
            atexit.register(running.kill)
            goes_at, until = None, time.monotonic() + PATIENCE
            for line in running.stdout:
                if found := said.search(line):
                    tokens[found[1]] = [found[2], found[3]]
                    acknowledged += 1
                if "HELD" in line:
                    held += 1
                if "LOST" in line:
                    sys.exit(f"after cut {cut}: {line}")
                if "READY" in line:
                    goes_at = time.monotonic() + random.uniform(0.5, 5)
                if goes_at and time.monotonic() > goes_at:
                    break
                if time.monotonic() > until:
                    sys.exit(f"boot {cut} did not come to its load")
            # This is the power cut. The lines already received count as acknowledged too.
            running.kill()
            for line in running.stdout.read().splitlines(keepends=True):
                if line.endswith("\n") and (found := said.search(line)):
                    tokens[found[1]] = [found[2], found[3]]
                    acknowledged += 1
            running.wait()
            print(f"cut {cut}: {acknowledged} refreshes acknowledged, {held} sign-ins held so far", flush=True)
        return held
    finally:
        vm.close()
        shutil.rmtree(files)


def main():
    if missing := machine.missing() + visitor.missing() + [tool for tool in ACME if not shutil.which(tool)]:
        print(f"SKIPPED: no {', '.join(missing)} here, so nothing was tried in a virtual machine")
        print("ok 0 checks")
        return
    machine.prepare()
    scratch.begin()
    match sys.argv[1:]:
        case ["install", program, *package]:
            checks = install(Path(program), Path(package[0]) if package else None)
        case ["https", program]:
            checks = https(Path(program))
        case ["power-cut", program, cuts]:
            checks = power_cut(Path(program), int(cuts))
        case _:
            sys.exit(__doc__)
    print(f"ok {checks} checks")


if __name__ == "__main__":
    main()
