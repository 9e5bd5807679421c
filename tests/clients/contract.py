"""What the gateway requires of a worker, tried in the same way with every kind of worker.

Each kind runs behind a separate gateway, and Garmin is the simulator. The chapters are in the order of a worker's life,
and each goes on where the previous one ended.
"""

import json
import os
import shutil
import signal
import socket
import threading
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from caller import LEGACY, Caller, Refused
from programs import HERE, PYTHON
from stage import Stage, wait_for


@dataclass
class Kind:
    """A kind of worker: how it is started, and what it can do."""

    name: str
    #: Takes the address of the stage's Garmin, and returns the settings with which the gateway uses this kind.
    settings: Callable[[str], dict[str, str]] = lambda garmin: {}
    #: A tool with a `steps` argument that reports progress.
    counts: str | None = None
    #: A tool that no other kind has, if the gateway learns its lists from this worker; None if it has built-in lists.
    known_by: str | None = None


def fixture(garmin_url: str, *more: str) -> dict[str, str]:
    """The settings of the FastMCP worker, which lies beside its Python as an installed program does."""
    worker = PYTHON["1"].parent / "contract_worker.py"
    shutil.copyfile(HERE / "contract_worker.py", worker)
    return {"GARMIN_MCP_CMD": " ".join(map(str, (PYTHON["1"], worker, garmin_url, *more)))}


KINDS = [
    Kind("built-in"),
    Kind("FastMCP 1.x", fixture, "count", "count"),
    Kind("FastMCP 1.x without /healthz", lambda garmin: fixture(garmin, "--no-healthz"), "count", "count"),
]


class Contract:
    """All chapters, played with one kind of worker and one person."""

    def __init__(self, stage: Stage, kind: Kind):
        self.stage, self.kind, self.person = stage, kind, stage.people[0]
        self.day = 0
        self.caller = Caller(stage.url, "contract").connect(self.person)
        self.tools: list[str] = []

    # What the chapters need.

    def garmin(self, path: str, body: dict | None = None, method: str | None = None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.stage.garmin_url}/simulator/{path}", data, method=method)
        with urllib.request.urlopen(request, timeout=10) as reply:
            return json.loads(reply.read() or b"null")

    def live(self) -> set[str]:
        return set(self.garmin("logins")[self.person.email])

    def ask(self) -> dict:
        """A call that asks Garmin, each time about a different day, so that no stored answer can serve."""
        self.day += 1
        date = f"2026-10-{self.day:02}"
        said = json.loads(self.caller.call("get_stats", {"date": date}))
        assert said.get("total_steps", 0) > 0, f"get_stats said {said}"
        return said

    def worker(self) -> int:
        workers = self.stage.workers()
        leaders = [pid for pid in workers if os.getpgid(pid) == pid]
        assert len(leaders) == 1, f"the workers of one person: {workers}"
        return leaders[0]

    def gone(self, pid: int):
        wait_for("the worker has ended", lambda: pid not in self.stage.workers(), 10)

    # The chapters.

    def starts_when_it_is_needed(self):
        assert not self.stage.workers() or self.kind.known_by
        assert json.loads(self.caller.call("get_full_name")) == {"full_name": self.person.full_name}
        self.ask()
        self.worker()

    def has_its_own_lists(self):
        def learned():
            self.tools = sorted(tool["name"] for tool in self.caller.rpc("tools/list", era=LEGACY)["tools"])
            return self.kind.known_by is None or self.kind.known_by in self.tools

        wait_for("its tools are listed", learned, 10)
        assert "get_stats" in self.tools and "get_full_name" in self.tools, self.tools

    def tells_errors_and_goes_on(self):
        for tool, arguments in (("get_stats", {}), ("no_such_tool", {})):
            try:
                said = self.caller.call(tool, arguments)
            except Refused:
                continue
            raise AssertionError(f"{tool} {arguments} is no error: {said}")
        pid = self.worker()
        self.ask()
        assert self.worker() == pid, "an error cost a worker"

    def reports_progress(self):
        if self.kind.counts is None:
            return
        said = self.raw(self.kind.counts, {"steps": 4}).read().decode()
        steps = [json.loads(line[5:]) for line in said.splitlines() if line.startswith("data:") and line[5:].strip()]
        told = [message["params"]["progress"] for message in steps if message.get("method") == "notifications/progress"]
        assert told == sorted(told) and len(told) >= 3, f"progress: {told}"
        assert steps[-1]["result"]["content"][0]["text"] == "counted", steps[-1]

    def forgets_a_call_whose_client_went_away(self):
        self.slow(1500)
        reply = self.raw("get_stats", {"date": "2026-09-01"}, wait=False)
        time.sleep(0.2)
        reply.close()
        self.mend()
        self.ask()

    def gives_back_what_it_refreshed(self):
        for _ in range(3):
            before = self.live()
            self.garmin("expire", {"email": self.person.email})
            self.ask()
            assert self.live() != before, "nothing was refreshed"
            pid = self.worker()
            os.kill(pid, signal.SIGKILL)
            self.gone(pid)
            # The next worker must have the tokens that the last one refreshed.
            self.garmin("expire", {"email": self.person.email})
            self.ask()

    def ends_when_it_is_told(self):
        pid = self.worker()
        os.kill(pid, signal.SIGTERM)
        self.gone(pid)
        self.ask()
        assert self.worker() != pid

    def is_asked_again_when_it_dies_in_a_reading_call(self):
        pid, said = self.worker(), []
        self.slow(1000)
        asked = len(self.garmin("requests"))
        asking = threading.Thread(target=lambda: said.append(self.ask()))
        asking.start()
        wait_for("Garmin is asked", lambda: len(self.garmin("requests")) > asked, 10)
        self.mend()
        os.kill(pid, signal.SIGKILL)
        asking.join(60)
        assert said, "the call was lost"
        assert self.worker() != pid

    def is_not_needed_for_lists_after_a_restart(self):
        self.stage.restart_gateway()
        self.caller.disconnect()
        tools = sorted(tool["name"] for tool in self.caller.rpc("tools/list", era=LEGACY)["tools"])
        assert tools == self.tools, "other tools than before the restart"
        assert not self.stage.workers(), "a worker was started for a list"
        self.ask()

    def slow(self, ms: int):
        self.garmin("faults", {"place": "api", "fault": {"kind": "slow", "ms": ms}, "path": "/usersummary-service"})

    def mend(self):
        self.garmin("faults", method="DELETE")

    def raw(self, tool: str, arguments: dict, wait: bool = True):
        """Sends a call with a progress token, without the client. Returns the response, or at once the open socket."""
        params = {"name": tool, "arguments": arguments, "_meta": {"progressToken": "p"}}
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params})
        headers = {
            "Content-Type": "application/json", "Accept": "application/json, text/event-stream",
            "Authorization": f"Bearer {self.caller.access_token}", "MCP-Protocol-Version": LEGACY,
        }
        if wait:
            return urllib.request.urlopen(urllib.request.Request(self.stage.mcp, body.encode(), headers), timeout=60)
        at = urlsplit(self.stage.mcp)
        connection = socket.create_connection((at.hostname, at.port))
        lines = [f"POST {at.path} HTTP/1.1", f"Host: {at.netloc}", f"Content-Length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        connection.sendall(("\r\n".join(lines) + "\r\n\r\n" + body).encode())
        return connection

    CHAPTERS = (
        starts_when_it_is_needed, has_its_own_lists, tells_errors_and_goes_on, reports_progress,
        forgets_a_call_whose_client_went_away, gives_back_what_it_refreshed, ends_when_it_is_told,
        is_asked_again_when_it_dies_in_a_reading_call, is_not_needed_for_lists_after_a_restart,
    )

    def all(self) -> int:
        """Plays all chapters, and returns how many there were."""
        for chapter in self.CHAPTERS:
            try:
                chapter(self)
            except Exception as error:
                said = chapter.__name__.replace("_", " ")
                raise AssertionError(f"the {self.kind.name} worker {said}: {error}") from error
        return len(self.CHAPTERS)


def contract(stage: Stage, kind: Kind) -> int:
    return Contract(stage, kind).all()
