"""The server processes of a play: the Garmin simulator and the gateway, both from the release binary.

The gateway is `serve`, the real daemon. Garmin is a separate process, so that the gateway can be killed and started
again while Garmin goes on, as in reality. The processes of a gateway and its workers are found by the stage's runtime
directory in their environment.
"""

import json
import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

from sign_in import Person

# The ports already handed out in this run.
_given: set[int] = set()

FAKETIME = Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1")


class StageError(RuntimeError):
    """A process did not behave as the play needs."""


def free_port() -> int:
    """A free port of 127.0.0.1. It is below the ephemeral range, whose ports the kernel may give to other programs."""
    first_given_to_anybody = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    # From 10,000, because the gateway's default worker ports are below that.
    ours = [port for port in range(10_000, first_given_to_anybody) if port not in _given]
    for port in random.sample(ours, 100):
        with socket.socket() as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                s.bind(("127.0.0.1", port))
            except OSError:
                continue
        _given.add(port)
        return port
    raise StageError("no port is free")


def wait_for(what: str, condition, seconds: float = 20.0):
    """Polls until the condition has a true value, and returns that."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        answer = condition()
        if answer:
            return answer
        time.sleep(0.02)
    raise StageError(f"not within {seconds} s: {what}")


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as reply:
            return reply.status == 200
    except (urllib.error.URLError, OSError):
        return False


def faked_time(clock: Path) -> dict[str, str]:
    """The environment that makes a program read its wall clock through libfaketime, from a file that can change."""
    if not FAKETIME.exists():
        raise StageError(f"{FAKETIME} is missing: install libfaketime")
    return {
        "LD_PRELOAD": str(FAKETIME),
        "FAKETIME_TIMESTAMP_FILE": str(clock),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }


def clean_environment(home: Path) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": str(home)}


def processes_with(mark: str) -> list[int]:
    """All running processes with this text in their environment."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if mark.encode() in (entry / "environ").read_bytes():
                    found.append(int(entry.name))
            except OSError:
                # The process has ended, or belongs to another user.
                continue
    return found


class Stage:
    """One gateway with its data, and one Garmin simulator. Use it in a `with` block."""

    # The words before the gateway's own command, if another program is to start it.
    wrapper: list[str] = []

    def __init__(self, binary: Path, settings, with_clock: bool = False, port: int | None = None):
        """`settings` is a dict, or a function that returns one for Garmin's URL. The value None removes a setting."""
        self.directory = Path(tempfile.mkdtemp(prefix="stage-"))
        self.binary = binary.resolve()
        self.port = port or free_port()
        self.url = f"http://localhost:{self.port}"
        self.mcp = f"{self.url}/mcp"
        self.settings = settings
        self.runtime = self.directory / "runtime"
        self.runtime.mkdir(mode=0o700)
        self.clock = self.directory / "clock"
        self.faked_time = faked_time(self.clock) if with_clock else {}
        self.set_clock(0)
        self.garmin: subprocess.Popen | None = None
        self.gateway: subprocess.Popen | None = None
        self.people: list[Person] = []
        self.started: list[int] = []

    def __enter__(self) -> "Stage":
        try:
            self.start_garmin()
            self.start_gateway()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, kind, error, trace):
        if kind is not None:
            print(self.log_tail(), flush=True)
        left = self.close()
        if kind is None and left:
            raise StageError(f"processes left behind: {left}")

    # The processes.

    def start_garmin(self):
        with open(self.directory / "garmin.log", "ab") as log:
            self.garmin = subprocess.Popen(
                [self.binary, "simulator", "--bind", "127.0.0.1:0", "--people", "23"],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, env=self.environment({}), text=True,
            )
        self.started.append(self.garmin.pid)
        line = self.garmin.stdout.readline()
        if not line:
            raise StageError("the pretend Garmin did not start")
        told = json.loads(line)
        self.garmin_url = told["url"]
        self.people = [Person(p["email"], p["password"], p["full_name"], p.get("mfa_code")) for p in told["people"]]

    def start_gateway(self):
        with open(self.directory / "gateway.log", "ab") as log:
            self.gateway = subprocess.Popen(
                [*self.wrapper, self.binary, "serve"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.directory, env=self.gateway_environment(),
            )

        self.started.append(self.gateway.pid)

        def ready():
            if self.gateway.poll() is not None:
                raise StageError(f"the gateway ended with {self.gateway.returncode}\n{self.log_tail()}")
            return answers(f"{self.url}/readyz")

        wait_for("the gateway is ready", ready)

    def gateway_environment(self) -> dict[str, str]:
        garmin = {f"GARMIN_{name}_URL": self.garmin_url for name in ("SSO", "DIAUTH", "CONNECTAPI", "LIVETRACK")}
        settings = {
            "PORT": str(self.port),
            "PUBLIC_URL": self.url,
            "DATA_DIR": str(self.directory / "data"),
            "RUNTIME_DIR": str(self.runtime),
            "GATEWAY_SECRET_FILE": str(self.directory / "secret"),
            "INVITED": ",".join(p.email for p in self.people),
            "GATEWAY_LOG_LEVEL": "debug",
            **garmin,
            **(self.settings(self.garmin_url) if callable(self.settings) else self.settings),
        }
        return self.environment({name: value for name, value in settings.items() if value is not None})

    def environment(self, more: dict[str, str]) -> dict[str, str]:
        """A clean environment, with this stage's clock if there is one (see `set_clock`)."""
        return {**clean_environment(self.directory), **self.faked_time, **more}

    # Faults and restarts.

    def set_clock(self, ahead_s: int):
        """Sets this stage's wall clock ahead of the machine's, or behind it; monotonic timers are unaffected."""
        new = self.clock.with_suffix(".new")
        new.write_text(f"{ahead_s:+d}\n")
        new.replace(self.clock)

    def restart_gateway(self):
        """As in an upgrade, the gateway is asked to stop and must exit with 0. A new one then takes over its data."""
        self.gateway.terminate()
        try:
            status = self.gateway.wait(20)
        except subprocess.TimeoutExpired:
            raise StageError("the gateway did not stop within 20 s of SIGTERM") from None
        if status != 0:
            raise StageError(f"the gateway stopped with {status}\n{self.log_tail()}")
        self.start_gateway()

    def kill_gateway(self):
        self.gateway.kill()
        self.gateway.wait()

    def kill_workers(self) -> int:
        """Kills every worker with SIGKILL; returns their number."""
        workers = self.workers()
        for pid in workers:
            os.kill(pid, signal.SIGKILL)
        wait_for("the workers are gone", lambda: not set(self.workers()) & set(workers))
        return len(workers)

    def revoke(self, refresh_token: str):
        """Revokes a sign-in as RFC 7009 describes it."""
        form = urllib.parse.urlencode({"token": refresh_token}).encode()
        with urllib.request.urlopen(f"{self.url}/revoke", form, timeout=10) as reply:
            reply.read()

    # Observations.

    def workers(self) -> list[int]:
        """All worker processes, of either kind."""
        found = processes_with(str(self.runtime))
        return [pid for pid in found if self.gateway is None or pid != self.gateway.pid]

    def log_tail(self, lines: int = 60) -> str:
        parts = []
        for log in sorted(self.directory.rglob("*.log")):
            told = log.read_text(errors="replace").splitlines()
            kept = [line for line in told if '"path":"/readyz"' not in line][-lines:]
            parts.append(f"---- {log.relative_to(self.directory)}\n" + "\n".join(kept))
        return "\n".join(parts)

    def log(self) -> str:
        return (self.directory / "gateway.log").read_text(errors="replace")

    def close(self) -> list[int]:
        """Stops everything. Workers that outlived their gateway are killed and returned."""
        if self.gateway is not None and self.gateway.poll() is None:
            self.gateway.terminate()
            try:
                self.gateway.wait(20)
            except subprocess.TimeoutExpired:
                self.kill_gateway()
        try:
            wait_for("the workers ended with their gateway", lambda: not self.workers(), 5)
            left = []
        except StageError:
            left = self.workers()
            for pid in left:
                os.kill(pid, signal.SIGKILL)
        if self.garmin is not None:
            self.garmin.kill()
            self.garmin.wait()
        shutil.rmtree(self.directory, ignore_errors=True)
        # libfaketime leaves shared memory behind for processes that were killed.
        for pid in self.started:
            for name in (f"faketime_shm_{pid}", f"sem.faketime_sem_{pid}"):
                (Path("/dev/shm") / name).unlink(missing_ok=True)
        return left
