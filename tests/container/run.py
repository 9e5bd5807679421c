#!/usr/bin/env python3
"""The Dockerfile, built and run by buildah without an engine or a registry.

Every step of the file is done. Its base images can't be asked for here, so others stand under their names: a Debian made by
mmdebstrap, and the same with a `cargo` that hands over the program which is built already.

Usage:  run.py PROGRAM
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[1]
sys.path.insert(1, str(REPOSITORY / "tests/clients"))

import scratch
from caller import Caller
from programs import CACHE
from sign_in import Person
from stage import answers, free_port, processes_with, wait_for

TOOLS = ("buildah", "mmdebstrap")
BASE = CACHE / "container" / "bookworm.tar"
CARGO = """#!/bin/sh
set -eu
[ "$*" = "build --profile dist --locked" ] && [ -e src/main.rs ] && [ -e Cargo.lock ] && [ ! -e .git ] && [ ! -e target/debug ]
mkdir -p target/dist
cp /built/garmin-gateway target/dist/
"""
# overlay is fast where the kernel supports it; vfs copies everything.
DRIVER = os.environ.get("CONTAINER_STORAGE", "overlay")
USER = "10001:10001"


def prepare():
    """Builds the base image once. That needs the network."""
    if BASE.exists():
        return
    BASE.parent.mkdir(parents=True, exist_ok=True)
    new = BASE.with_suffix(".new.tar")
    subprocess.run(["mmdebstrap", "--quiet", "--variant=minbase", "bookworm", new], check=True)
    new.rename(BASE)


class Images:
    """An image store that only this run uses."""

    def __init__(self):
        self.place = Path(tempfile.mkdtemp(prefix="images-"))

    def buildah(self, *words: str | Path) -> str:
        command = ["buildah", "--storage-driver", DRIVER, "--root", self.place / "root", "--runroot", self.place / "run", *words]
        done = subprocess.run([str(word) for word in command], capture_output=True, text=True, cwd=REPOSITORY)
        if done.returncode:
            raise RuntimeError(f"buildah {' '.join(map(str, words))}\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
        return done.stdout.strip()

    def close(self):
        """Unmounts everything, so that the directory can be removed."""
        self.buildah("rm", "--all")
        shutil.rmtree(self.place)

    def stand_in(self, name: str, of: str, files: dict[str, Path]):
        container = self.buildah("from", of)
        for where, file in files.items():
            self.buildah("add" if where == "/" else "copy", container, file, where)
        self.buildah("commit", "--quiet", "--rm", container, name)

    def build(self, program: Path):
        self.stand_in("docker.io/library/debian:bookworm-slim", "scratch", {"/": BASE})
        cargo, stripped = self.place / "cargo", self.place / "garmin-gateway"
        cargo.write_text(CARGO)
        cargo.chmod(0o755)
        subprocess.run(["strip", "-o", stripped, program], check=True)
        self.stand_in("docker.io/library/rust:1-slim-bookworm", "docker.io/library/debian:bookworm-slim", {
            "/usr/local/bin/cargo": cargo, "/built/garmin-gateway": stripped,
        })
        self.buildah("bud", "--format", "docker", "--isolation", "chroot", "--pull-never", "--file", "packaging/Dockerfile",
                     "--target", "gateway", "--tag", "garmin-gateway", ".")
        return json.loads(self.buildah("inspect", "--type", "image", "garmin-gateway"))["Docker"]["config"]


class Container:
    """One container of the image. As in compose.yaml, data and secret are on the host. It uses the host's network."""

    def __init__(self, images: Images, config: dict, settings: dict[str, str]):
        self.images, self.config = images, config
        self.name = images.buildah("from", "garmin-gateway")
        self.log = images.place / f"{self.name}.log"
        mounts = [f"{images.place}/{name}:{where}" for name, where in (("data", "/data"), ("secret", "/run/secrets/gateway_secret"))]
        self.words = [word for mount in mounts for word in ("--volume", mount)]
        self.words += [word for pair in settings.items() for word in ("--env", "=".join(pair))]
        self.mark = self.name
        self.words += ["--env", f"CONTAINER={self.mark}"]

    def command(self, *words: str) -> list[str]:
        images = self.images.place
        return ["buildah", "--storage-driver", DRIVER, "--root", f"{images}/root", "--runroot", f"{images}/run",
                "run", "--isolation", "chroot", *self.words, self.name, "--", *words]

    def start(self):
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(self.command(*self.config["Entrypoint"], *self.config["Cmd"]), stdout=log, stderr=log)

    def run(self, *words: str) -> subprocess.CompletedProcess:
        return subprocess.run(self.command(*words), capture_output=True, text=True, timeout=60)

    def is_healthy(self) -> bool:
        kind, *words = self.config["Healthcheck"]["Test"]
        assert kind == "CMD", kind
        return self.run(*words).returncode == 0

    def gateways(self) -> list[int]:
        """The gateway's own process, without its workers."""
        def words(pid: int) -> bytes:
            try:
                return Path(f"/proc/{pid}/cmdline").read_bytes()
            except OSError:
                return b""

        return [pid for pid in processes_with(f"CONTAINER={self.mark}") if words(pid).endswith(b"/garmin-gateway\0serve\0")]

    def stop(self) -> int:
        for pid in self.gateways():
            os.kill(pid, signal.SIGTERM)
        return self.process.wait(60)


def check(what: str, good: bool, told: object = "") -> int:
    if not good:
        sys.exit(f"FAILED {what}: {told}")
    print(f"ok {what}", flush=True)
    return 1


def container(program: Path) -> int:
    images = Images()
    config = images.build(program)
    checks = check("the image runs as a user without rights", config["User"] == "garmin-gateway", config)
    checks += check("its data are a volume", list(config["Volumes"]) == ["/data"], config)
    garmin = subprocess.Popen([program, "simulator", "--bind", "127.0.0.1:0", "--people", "1"], stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, text=True)
    port = free_port()
    url = f"http://localhost:{port}"
    running = None
    try:
        told = json.loads(garmin.stdout.readline())
        data, secret = images.place / "data", images.place / "secret"
        data.mkdir(mode=0o700)
        secret.write_text("a secret of a container that is long enough\n")
        secret.chmod(0o400)
        settings = {
            "PORT": str(port), "PUBLIC_URL": url, "INVITED": "@example.org", "SIGN_IN_SPACING": "0",
            "GATEWAY_SECRET_FILE": "/run/secrets/gateway_secret",
            **{f"GARMIN_{name}_URL": told["url"] for name in ("SSO", "DIAUTH", "CONNECTAPI", "LIVETRACK")},
        }
        running = Container(images, config, settings)
        ids = running.run("sh", "-c", "echo $(id -u):$(id -g); test -w /usr/local/bin || echo closed").stdout.split()
        checks += check(f"its user is {USER} and may write nothing of the system", ids == [USER, "closed"], ids)
        shutil.chown(data, *map(int, USER.split(":")))
        refused = running.run(*config["Entrypoint"], *config["Cmd"])
        checks += check("a secret that it may not read is named", refused.returncode != 0 and
                        "/run/secrets/gateway_secret" in refused.stderr + refused.stdout, refused)
        shutil.chown(secret, *map(int, USER.split(":")))
        checks += check("without a gateway it is not healthy", not running.is_healthy())
        running.start()
        wait_for("the container is ready", lambda: answers(f"{url}/readyz"), 60)
        checks += check("it is healthy", running.is_healthy())
        known = told["people"][0]
        caller = Caller(url).connect(Person(known["email"], known["password"], known["full_name"], known.get("mfa_code")))
        checks += check("a person signs in and calls a tool", known["full_name"] in caller.call("get_full_name"))
        checks += check("it stops well", running.stop() == 0, running.log.read_text()[-2000:])
        caller.disconnect()
        running = Container(images, config, settings)
        running.start()
        wait_for("the next container is ready", lambda: answers(f"{url}/readyz"), 60)
        checks += check("the next container has its data", known["full_name"] in caller.call("get_full_name"))
        checks += check("and stops well", running.stop() == 0, running.log.read_text()[-2000:])
    except BaseException:
        if running and running.log.exists():
            print(running.log.read_text()[-4000:])
        raise
    finally:
        for pid in running.gateways() if running else []:
            os.kill(pid, signal.SIGKILL)
        garmin.kill()
        garmin.wait()
        images.close()
    return checks


def main():
    if missing := [tool for tool in TOOLS if not shutil.which(tool)]:
        print(f"SKIPPED: no {', '.join(missing)} here, so the Dockerfile was not tried")
        print("ok 0 checks")
        return
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    prepare()
    scratch.begin()
    print(f"ok {container(Path(sys.argv[1]).resolve())} checks")


if __name__ == "__main__":
    main()
