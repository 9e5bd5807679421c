"""Attacks and faults against the release binary: connections that are held open, a stopped worker, a hostile worker
inside its fence, a wrong clock, a full disk, a damaged store, access that ends and changes that are repeated.

Members must be served while the connections are held: 99 of a hundred calls take less than a second.
"""

import http.client
import json
import os
import resource
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import urllib.request
from pathlib import Path

from caller import Caller
from stage import Stage, wait_for
from withdrawn import repeated, withdrawn

HERE = Path(__file__).resolve().parent
NOBODY = 65534
# How many connections the attackers hold, and how many closed ones they open again in a second.
HOSTILE = 600
REOPENED_PER_SECOND = 300
P99_S = 1.0
LOST = (OSError, http.client.HTTPException)
TEN_YEARS_S = 3650 * 24 * 3600


class Unprivileged(Stage):
    """A gateway that runs as an ordinary user, although root may have started the play."""

    def start_gateway(self):
        if os.geteuid() == 0 and not self.wrapper:
            own = self.directory / "bin"
            own.mkdir()
            self.binary = Path(shutil.copy(self.binary, own))
            self.wrapper = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
            # Only root may read the directory of the run. The gateway only has to pass through it.
            os.chmod(self.directory.parent, 0o711)
            for path in (self.directory, *self.directory.rglob("*")):
                os.chown(path, NOBODY, NOBODY)
        super().start_gateway()


class FewFiles(Stage):
    """A gateway that may open only 64 files."""

    wrapper = ["prlimit", "--nofile=64:64"]


class SmallDisk(Stage):
    """A gateway with its data on a disk of 16 MB, which exists only in its own mount namespace."""

    wrapper = ["unshare", "--mount", *([] if os.geteuid() == 0 else ["--map-root-user"]), "sh", "-c",
               'mkdir -p "$DATA_DIR" && mount -t tmpfs -o size=16m,mode=700 none "$DATA_DIR" && exec "$@"', "sh"]

    def disk(self) -> Path:
        return Path(f"/proc/{self.gateway.pid}/root{self.directory / 'data'}")


class Attackers(threading.Thread):
    """Holds connections of three kinds: idle ones, requests whose bodies hardly arrive, and responses nobody reads."""

    def __init__(self, port: int, count: int):
        super().__init__(daemon=True)
        self.port, self.ending = port, threading.Event()
        self.held: list[tuple[socket.socket | None, int]] = [(None, kind % 4) for kind in range(count)]
        self.opened = 0

    def run(self):
        while not self.ending.wait(0.1):
            budget = REOPENED_PER_SECOND // 10
            for at, (held, kind) in enumerate(self.held):
                if held is not None and self.go_on(held, kind):
                    continue
                if held is not None:
                    held.close()
                self.held[at] = (None, kind)
                if budget:
                    self.held[at] = (self.open(kind), kind)
                    budget -= 1
        for held, _ in self.held:
            if held is not None:
                held.close()

    def open(self, kind: int) -> socket.socket | None:
        try:
            held = socket.create_connection(("127.0.0.1", self.port), timeout=1)
            held.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
            held.setblocking(False)
            body = "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 4000\r\n\r\n"
            held.send({
                0: b"",
                1: f"POST /token HTTP/1.1\r\nHost: localhost\r\n{body}".encode(),
                2: f"POST /mcp HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer at_wrong\r\n{body}".encode(),
                3: b"GET /.well-known/oauth-authorization-server HTTP/1.1\r\nHost: localhost\r\n\r\n" * 100,
            }[kind])
        except OSError:
            return None
        self.opened += 1
        return held

    def go_on(self, held: socket.socket, kind: int) -> bool:
        """Whether the connection is still open."""
        try:
            if kind in (1, 2):
                held.send(b"x")
            return kind == 3 or held.recv(1, socket.MSG_PEEK) != b""
        except BlockingIOError:
            return True
        except OSError:
            return False

    def end(self):
        self.ending.set()
        self.join()


class Member(threading.Thread):
    """Makes calls for a while, most of them on a kept connection and some on a new one."""

    def __init__(self, caller: Caller, seconds: float):
        super().__init__(daemon=True)
        self.caller, self.until = caller, time.monotonic() + seconds
        self.times: list[float] = []
        self.lost = 0
        self.error: Exception | None = None

    def run(self):
        try:
            while time.monotonic() < self.until:
                began = time.monotonic()
                self.ask()
                self.times.append(time.monotonic() - began)
                if len(self.times) % 5 == 0:
                    self.caller.disconnect()
                time.sleep(0.05)
        except Exception as error:
            self.error = error

    def ask(self):
        """Makes a call. Tries again, as clients do, if the gateway drops the connection before it sees the token."""
        for attempt in range(3):
            try:
                return self.caller.call("get_full_name")
            except LOST:
                self.lost += 1
                if attempt == 2:
                    raise


def connected(stage: Stage, count: int) -> list[Caller]:
    people = [person for person in stage.people if person.code is None][:count]
    return [Caller(stage.url, "member").connect(person) for person in people]


def besieged(stage: Stage, members: int, hostile: int, seconds: float) -> int:
    """Members call while connections are held. Returns the number of calls."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, 4096)), hard))
    callers = connected(stage, members)
    for caller in callers:
        caller.call("get_full_name")
        caller.disconnect()
    attackers = Attackers(stage.port, hostile)
    attackers.start()
    time.sleep(4)
    players = [Member(caller, seconds) for caller in callers]
    for player in players:
        player.start()
    for player in players:
        player.join()
    newcomer = Caller(stage.url, "newcomer").connect(stage.people[0])
    attackers.end()
    for player in players:
        if player.error is not None:
            raise AssertionError(f"a member was shut out: {player.error!r}") from player.error
    times = sorted(one for player in players for one in player.times)
    lost = sum(player.lost for player in players)
    p99 = times[int(len(times) * 0.99)]
    print(f"{len(times)} calls of {members} members beside {hostile} connections ({attackers.opened} opened): "
          f"p50 {times[len(times) // 2] * 1000:.1f} ms, p99 {p99 * 1000:.1f} ms, {lost} connections displaced")
    assert p99 < P99_S, f"p99 {p99:.3f} s"
    assert lost <= len(times) / 50, f"{lost} of {len(times)} connections lost"
    assert newcomer.access_token
    return len(times)


def siege(stage: Stage) -> int:
    return besieged(stage, 20, HOSTILE, 15)


def few_files(stage: Stage) -> int:
    return besieged(stage, 2, 100, 8)


def stopped(stage: Stage) -> int:
    """A worker that is stopped (SIGSTOP) is replaced while its call waits. Meanwhile its port serves nobody else."""
    (caller,) = connected(stage, 1)
    caller.call("get_full_name")
    (worker,) = builtin_workers(stage)
    os.kill(worker, signal.SIGSTOP)
    began = time.monotonic()
    caller._connection.sock.settimeout(150)
    caller.call("get_full_name")
    took = time.monotonic() - began
    print(f"answered {took:.1f} s after SIGSTOP")
    assert took < 100 and worker not in builtin_workers(stage)
    return 1 + strangers(stage)


def builtin_workers(stage: Stage) -> list[int]:
    return [pid for pid in stage.workers() if b"GARMIN_MCP_PORT=" in Path(f"/proc/{pid}/environ").read_bytes()]


def strangers(stage: Stage) -> int:
    """Any local process can connect to a worker's port, but learns nothing there."""
    (worker,) = builtin_workers(stage)
    variables = dict(v.split("=", 1) for v in Path(f"/proc/{worker}/environ").read_text().split("\0") if "=" in v)
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "get_full_name", "arguments": {}}})
    for headers in ({}, {"Authorization": "Bearer "}, {"Authorization": "Bearer wk_guessed"}):
        connection = http.client.HTTPConnection("127.0.0.1", int(variables["GARMIN_MCP_PORT"]), timeout=10)
        connection.request("POST", "/mcp", body, {"Content-Type": "application/json", **headers})
        reply = connection.getresponse()
        assert reply.status == 401 and b"full_name" not in reply.read(), f"{headers}: {reply.status}"
        connection.close()
    return 3


def hostile_settings(directory: Path) -> dict[str, str]:
    """The settings of the hostile worker, which is copied to `directory` because everybody may read that."""
    worker = Path(shutil.copy(HERE / "attack_worker.py", directory))
    worker.chmod(0o644)
    return {"GARMIN_MCP_CMD": f"/usr/bin/python3 {worker}"}


def hostile(stage: Stage) -> int:
    """A worker inside the fence can't change anything about the gateway, and its flood of output costs little."""
    caller, other = connected(stage, 2)
    wait_for("the worker's tools are listed", lambda: "attack" in [tool["name"] for tool in caller.rpc("tools/list")["tools"]])
    told = json.loads(caller.call("attack"))
    signals = "files, ports, signals" in stage.log()
    for name, outcome in told.items():
        print(f"{name}: {outcome}")
        if name.startswith("signal") and not signals:
            continue
        assert outcome in ("EPERM", "EACCES", "ESRCH"), f"{name}: {outcome}"
    assert stage.gateway.poll() is None, "the gateway has ended"
    caller.call("flood")
    time.sleep(3)
    before = processor_s(stage.gateway.pid)
    time.sleep(4)
    used = processor_s(stage.gateway.pid) - before
    print(f"{used:.2f} s of 4 s for a flood")
    assert used < 1.0, f"{used} s of 4 s"
    other.call("greet")
    caller.call("greet")
    return len(told) + 2


def wrong_clock(stage: Stage) -> int:
    """The clock jumps by ten years, while the gateway runs and while it is down. Nobody must have to sign in again."""
    (caller,) = connected(stage, 1)
    calls = 0
    for is_restarted in (False, True):
        for ahead in (TEN_YEARS_S, 0, -TEN_YEARS_S, 0):
            stage.set_clock(ahead)
            if is_restarted:
                stage.restart_gateway()
            caller.disconnect()
            caller.refresh()
            assert caller.call("get_full_name")
            calls += 1
    print(f"{calls} calls with the clock ten years ahead, behind, and right again")
    return calls


def logins(stage: Stage) -> int:
    with urllib.request.urlopen(f"{stage.garmin_url.rstrip('/')}/simulator/requests", timeout=10) as reply:
        return reply.read().decode().count("/api/login")


def full_disk(stage: SmallDisk) -> int:
    """While the disk is full, no sign-in reaches Garmin, and calls still work. Once there is room, everything works."""
    (caller,) = connected(stage, 1)
    filler = stage.disk() / "filler"
    with open(filler, "wb", buffering=0) as file:
        try:
            while file.write(bytes(4096)):
                pass
        except OSError as error:
            print(f"the disk is full: {error}")
    before = logins(stage)
    for attempt in range(3):
        try:
            Caller(stage.url, "newcomer").connect(stage.people[1])
        except Exception as refused:
            print(f"sign-in {attempt + 1}: {str(refused)[:80]}")
        else:
            raise AssertionError("a sign-in succeeded on a full disk")
    assert logins(stage) == before, "Garmin was asked"
    assert caller.call("get_full_name")
    filler.unlink()

    def recovered():
        try:
            return Caller(stage.url, "newcomer").connect(stage.people[1])
        except Exception:
            time.sleep(0.5)

    newcomer = wait_for("a sign-in with room again", recovered, 30)
    assert newcomer.call("get_full_name")
    return 6


def damaged(stage: Stage) -> int:
    """A store that lost its end or some bytes is reported as damaged, with the advice to restore it, which works."""
    (caller,) = connected(stage, 1)
    backup = stage.directory / "copy.backup"
    command = lambda *words: subprocess.run([stage.binary, *words], env=stage.gateway_environment(), cwd=stage.directory,
                                            capture_output=True, text=True)
    made = command("backup", str(backup))
    assert made.returncode == 0, made.stderr
    store = stage.directory / "data" / "gateway.db" / "db"

    def cut():
        os.truncate(store, store.stat().st_size // 2)

    def overwritten():
        with open(store, "r+b") as file:
            size = store.stat().st_size
            file.seek(512)
            file.write(os.urandom(size // 2))

    for harm in (cut, overwritten):
        stage.kill_gateway()
        wait_for("the workers are gone", lambda: not stage.workers())
        harm()
        seen = len(stage.log())
        try:
            stage.start_gateway()
        except Exception:
            pass
        told = stage.log()[seen:]
        assert "restore" in told and ("store.damaged" in told or "is damaged" in told), told[-2000:]
        if stage.gateway.poll() is None:
            stage.kill_gateway()
        wait_for("the workers are gone", lambda: not stage.workers())
        restored = command("restore", str(backup), "--replace")
        assert restored.returncode == 0, restored.stderr
        stage.start_gateway()
        caller.disconnect()
        assert caller.call("get_full_name")
        print(f"{harm.__name__}: told, and restored")
    return 6


def processor_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def attacks(binary: Path, settings: dict[str, str], report):
    """Runs all attacks. Each is one line of the report."""
    def staged(kind, more, act, **options):
        with kind(binary, {**settings, **more}, **options) as stage:
            return act(stage)

    report.run(f"{HOSTILE} connections", lambda: staged(Stage, {}, siege))
    report.run("64 files", lambda: staged(FewFiles, {}, few_files))
    report.run("a stopped worker", lambda: staged(Stage, {}, stopped))
    report.run("a wrong clock", lambda: staged(Stage, {}, wrong_clock, with_clock=True))
    report.run("a full disk", lambda: staged(SmallDisk, {}, full_disk))
    report.run("a damaged store", lambda: staged(Stage, {}, damaged))
    report.run("access that ends", lambda: staged(Stage, {}, withdrawn))
    report.run("a change that is repeated", lambda: staged(Stage, {}, repeated))
    with tempfile.TemporaryDirectory() as directory:
        os.chmod(directory, 0o755)
        more = hostile_settings(Path(directory))
        report.run("a hostile worker", lambda: staged(Stage, more, hostile))
        report.run("a hostile worker of an ordinary user", lambda: staged(Unprivileged, more, hostile))
