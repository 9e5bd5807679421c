"""The unmodified `garmin_mcp` at the revision that the product pins. The product itself installs it. It is then tried
with the same contract as every other worker, under Garmin's real host names.

Its source is no part of this project. If it can't be fetched, the play says so clearly. `GARMIN_MCP_SOURCE` names
another git repository that has the revision.
"""

import json
import os
import shutil
import subprocess
from pathlib import Path

import real_names
from contract import Contract, Kind
from programs import CACHE
from stage import Stage, StageError, clean_environment

HOME = CACHE / "garmin-mcp-home"
PROGRAM = HOME / ".local/lib/garmin-gateway/garmin_mcp/current/venv/bin/garmin-mcp"
UV = CACHE / "uv" / "bin"
#: The number of tools of the pinned revision, and of those that the gateway adds for races and for finding tools.
TOOLS, OWN_TOOLS = 138, 17


def set_up(binary: Path) -> str | None:
    """Has the product install it, then continues in a network where Garmin's names are local. If that is impossible,
    prints the reason."""
    if real_names.is_inside():
        return None
    why = real_names.missing() or installed(binary)
    if why is None:
        real_names.enter()
    return why


def installed(binary: Path) -> str | None:
    """Installs it once with the product's own command. If that is impossible, prints the reason."""
    if not (UV / "uv").exists() or shutil.which("git") is None:
        return "no uv or no git here"
    HOME.mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, **clean_environment(HOME), "PATH": f"{UV}:{os.environ['PATH']}"}
    source = os.environ.get("GARMIN_MCP_SOURCE")
    command = [binary.resolve(), "worker", "install", "--user", *(["--source", source] if source else [])]
    done = subprocess.run(command, env=environment, cwd=HOME, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode == 0:
        return None
    if "could not fetch revision" in done.stderr:
        return "its source can't be fetched (GARMIN_MCP_SOURCE may name a git repository that has it)"
    raise StageError(f"`worker install` ended with {done.returncode}:\n{done.stdout}\n{done.stderr}")


class Unmodified(Contract):
    """The contract, and checks that need the real program."""

    def has_all_its_tools(self):
        assert len(self.tools) == TOOLS + OWN_TOOLS, f"{len(self.tools)} tools instead of {TOOLS} and {OWN_TOOLS}"

    def is_fenced_in(self):
        told = [json.loads(line) for line in self.log().splitlines()]
        fences = {event["fence"] for event in told if event["event"] == "worker.ready"}
        assert len(fences) == 1 and not fences & {"unknown", "incomplete"}, f"fences: {fences}"
        # If the kernel does not support the full fence, the gateway has reported that.
        is_partial = fences == {"limits, system calls"}
        assert is_partial == any(event["event"] == "worker.fence_incomplete" for event in told)

    def leaves_nothing_of_a_person_in_a_log(self):
        self.ask()
        secrets = [*self.live(), self.person.email, self.person.password]
        logs = [*(self.stage.directory / "data/users").glob("*/worker.log*"), self.stage.directory / "gateway.log"]
        assert len(logs) >= 2, f"logs: {logs}"
        for log in logs:
            assert not [secret for secret in secrets if secret in log.read_text()], f"in {log.name}"

    def log(self) -> str:
        return (self.stage.directory / "gateway.log").read_text()

    CHAPTERS = (*Contract.CHAPTERS, has_all_its_tools, is_fenced_in, leaves_nothing_of_a_person_in_a_log)


def tried(binary: Path, settings: dict[str, str], behind_proxy: bool) -> int:
    with real_names.RealNames(behind_proxy) as names:
        def of_worker(garmin_url: str) -> dict[str, str | None]:
            return {**settings, **names.settings(garmin_url), "GARMIN_MCP_CMD": str(PROGRAM)}

        with Stage(binary, of_worker) as stage:
            held = Unmodified(stage, Kind("garmin_mcp", known_by="get_earned_badges")).all()
        silent = [name for name in ("sso", "diauth", "connectapi") if not names.connections[f"{name}.garmin.com"]]
        assert not silent, f"nothing was asked of {silent}: {names.connections}"
    return held + 1
