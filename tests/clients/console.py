"""The console in tmux, as an operator uses it: the demo's views, a revocation that stops a client, a restarted daemon.

`--record` writes down everything that the console and its daemon exchange. The console's own tests replay it without a
daemon.
"""

import json
import shlex
import socket
import subprocess
import threading
import time
from pathlib import Path

from caller import Caller, Refused
from demo import Demo
from programs import Failed
from stage import Stage, clean_environment

SIZE = ("80", "24")


class Recorder:
    """Stands between a console and its daemon, and writes down what they say."""

    def __init__(self, behind: Path, directory: Path):
        self.path = directory / "recorded.sock"
        self.entries: list[dict] = []
        self._behind = behind
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(self.path))
        self._listener.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def note(self, kind: str, what):
        self.entries.append({"at": time.time(), kind: what})

    def _accept(self):
        while True:
            console, _ = self._listener.accept()
            daemon = socket.socket(socket.AF_UNIX)
            daemon.connect(str(self._behind))
            for kind, source, sink in (("said", console, daemon), ("heard", daemon, console)):
                threading.Thread(target=self._pump, args=(kind, source, sink), daemon=True).start()

    def _pump(self, kind: str, source: socket.socket, sink: socket.socket):
        for line in source.makefile("rb"):
            self.note(kind, json.loads(line))
            sink.sendall(line)


class Terminal:
    """A console in a separate tmux server."""

    def __init__(self, binary: Path, attach: Path, directory: Path, recorder: Recorder | None = None):
        self._tmux = ["tmux", "-S", str(directory / "tmux.sock"), "-f", "/dev/null"]
        self._recorder = recorder
        command = shlex.join([str(binary.resolve()), "console", "--socket", str(attach)])
        environment = {**clean_environment(directory), "TERM": "xterm-256color", "LC_ALL": "C.UTF-8"}
        subprocess.run(
            [*self._tmux, "new-session", "-d", "-s", "console", "-x", SIZE[0], "-y", SIZE[1], f"{command}; echo left $?; cat"],
            env=environment, cwd=directory, check=True, timeout=20,
        )

    def screen(self) -> str:
        done = subprocess.run([*self._tmux, "capture-pane", "-p", "-t", "console"], stdout=subprocess.PIPE, text=True, timeout=20)
        return done.stdout

    def press(self, key: str):
        if self._recorder:
            self._recorder.note("key", key)
        subprocess.run([*self._tmux, "send-keys", "-t", "console", key], check=True, timeout=20)

    def until(self, *texts: str, seconds: float = 20.0):
        deadline = time.monotonic() + seconds
        while not all(text in (screen := self.screen()) for text in texts):
            if time.monotonic() > deadline:
                raise Failed(f"not on the screen: {texts}\n{screen}")
            time.sleep(0.02)

    def pid(self) -> int:
        done = subprocess.run(
            [*self._tmux, "display-message", "-p", "-t", "console", "#{pane_pid}"], stdout=subprocess.PIPE, text=True, timeout=20
        )
        children = Path(f"/proc/{done.stdout.strip()}/task/{done.stdout.strip()}/children").read_text().split()
        return int(children[0])

    def close(self):
        subprocess.run([*self._tmux, "kill-server"], check=False, timeout=20, stderr=subprocess.DEVNULL)


def walk(binary: Path, record: Path | None) -> int:
    """All views of the demo, a revocation, and the client that fails afterwards. Returns the number of checks."""
    house = Demo(binary)
    admin = Path(shlex.split(house.find(r"(garmin-gateway console .*\S)"))[-1]) / "admin.sock"
    recorder = Recorder(admin, house.directory) if record else None
    terminal = None
    try:
        caller = Caller(house.mcp.removesuffix("/mcp"), "Claude").connect(next(p for p in house.people if not p.code))
        caller.call("get_full_name")
        terminal = Terminal(binary, recorder.path if recorder else admin, house.directory, recorder)
        person = house.people[0].email
        checks = 0
        for key, texts in (
            ("1", ("live", "calls")),
            ("2", (person, "ready", "s stop")),
            ("3", (person, "working", "x revoke")),
            ("4", ("n new",)),
            ("6", ("worker.ready",)),
            ("?", ("show or hide this",)),
            ("?", ("6 Log",)),
            ("5", ("Sign-ins of clients (1)", "Claude")),
            ("x", ("End this sign-in", "No")),
        ):
            terminal.press(key)
            terminal.until(*texts)
            checks += 1
        caller.call("get_full_name")
        terminal.press("y")
        terminal.until("Ended: 1 sign-in", "what was revoked (1)", "operator")
        try:
            caller.call("get_full_name")
        except Refused as refused:
            if refused.status != 401:
                raise
        else:
            raise Failed("the client goes on after the revocation")
        terminal.press("q")
        terminal.until("left 0")
        if recorder:
            record.write_text("".join(json.dumps(entry, ensure_ascii=False) + "\n" for entry in recorder.entries))
        house.stop()
        return checks + 3
    finally:
        if terminal:
            terminal.close()
        house.remove()


def restart(stage: Stage) -> int:
    """A console stays open while its daemon is restarted and killed. Also measures its cost; returns the checks."""
    terminal = Terminal(stage.binary, stage.runtime, stage.directory)
    try:
        began = time.monotonic()
        terminal.until("live", "Nothing needs attention")
        attached_ms = (time.monotonic() - began) * 1000
        stage.restart_gateway()
        terminal.until("live", "Nothing needs attention")
        stage.kill_gateway()
        terminal.until("no gateway", "next try in")
        stage.start_gateway()
        terminal.until("live")

        # The console shows what is new although nobody presses a key.
        terminal.press("3")
        terminal.until("No account yet")
        caller = Caller(stage.url, "Claude").connect(stage.people[0])
        terminal.until(stage.people[0].email)
        caller.call("get_full_name")
        terminal.press("2")
        terminal.until("ready")
        began = time.monotonic()
        stage.kill_workers()
        caller.call("get_full_name")
        terminal.until("2 starts")
        updated_ms = (time.monotonic() - began) * 1000

        terminal.press("1")
        pid = terminal.pid()
        before = cpu_s(pid)
        time.sleep(10)
        idle = (cpu_s(pid) - before) / 10
        memory_mb = resident_mb(pid)
        print(
            f"the console: first picture seen after {attached_ms:.0f} ms, an update after {updated_ms:.0f} ms (both with what tmux "
            f"takes), idle {idle:.2%} of a core, {memory_mb:.1f} MB"
        )
        if memory_mb > 20:
            raise Failed(f"the console takes {memory_mb:.1f} MB")
        return 7
    finally:
        terminal.close()


def cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def resident_mb(pid: int) -> float:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096 / 1e6
