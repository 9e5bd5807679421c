"""A newcomer's first minutes: `garmin-gateway demo`, and clients connected with what it prints, word for word."""

import re
import shlex
import shutil
import signal
import subprocess
import tempfile
from functools import partial
from pathlib import Path

import claude_code
import clients
from sign_in import Person
from stage import StageError, clean_environment, free_port, processes_with, wait_for
from story import Telling, TheBrowser, tell

# The e-mail, the password, and any other details of a person, such as an MFA code.
PERSON = re.compile(r"(\S+@\S+)\s+password (\S+)((?:\s+code (\d+))?.*)")

FIRST_CHAPTERS = (Telling.signs_in, Telling.lists_the_tools, Telling.calls_a_tool)


class Demo:
    """The demo as it runs in a terminal. A play without faults can use it instead of a stage."""

    faked_time: dict[str, str] = {}

    def __init__(self, binary: Path):
        self.directory = Path(tempfile.mkdtemp(prefix="stage-"))
        self.temporary = self.directory / "tmp"
        self.temporary.mkdir()
        with open(self.directory / "demo.log", "wb") as log:
            self.process = subprocess.Popen(
                [binary.resolve(), "demo", "--port", str(free_port())],
                env={**clean_environment(self.directory), "TMPDIR": str(self.temporary)}, cwd=self.directory,
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, text=True,
            )
        self.said = ""
        for line in self.process.stdout:
            self.said += line
            if "Ctrl-C" in line:
                break
        else:
            raise StageError(f"the demo ended: {self.said}{(self.directory / 'demo.log').read_text()}")
        if "simulated" not in self.said:
            raise StageError(f"the demo does not say that it is simulated:\n{self.said}")
        self.mcp = self.find(r"Connector URL\s+(\S+)")
        self.add_line = self.find(r"(claude mcp add .*\S)")
        self.people = [
            Person(email, password, f"{email.split('@')[0].capitalize()} Example", code or None)
            for email, password, rest, code in re.findall(PERSON, self.said)
            if "locked" not in rest
        ]

    def find(self, pattern: str) -> str:
        found = re.search(pattern, self.said)
        if found is None:
            raise StageError(f"the demo does not print {pattern}:\n{self.said}")
        return found.group(1)

    def stop(self):
        """Presses Ctrl-C. The demo must exit with 0 and leave nothing behind."""
        self.process.send_signal(signal.SIGINT)
        status = self.process.wait(20)
        assert status == 0, f"the demo ended with {status}"
        wait_for("the workers ended with the demo", lambda: not processes_with(str(self.temporary)), 5)
        left = [str(path) for path in self.temporary.iterdir()]
        assert not left, f"the demo left {left} behind"

    def remove(self):
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self.directory, ignore_errors=True)


def demo(binary: Path) -> int:
    """Every official client against the demo, one of them with an MFA code; returns the number of chapters."""
    house = Demo(binary)
    with_code = next(person for person in house.people if person.code)
    without = next(person for person in house.people if not person.code)
    told = 0
    try:
        for name, make, person in (
            ("Python 1", clients.python("1"), without),
            ("Python 2", clients.python("2"), with_code),
            ("TypeScript 1", clients.typescript("1"), without),
            ("TypeScript 2", clients.typescript("2", "auto"), with_code),
            ("Claude Code", partial(claude_code.ClaudeCode, era="modern", add=shlex.split(house.add_line)), with_code),
        ):
            browser = TheBrowser(person)
            client = make(house, browser.url)
            try:
                told += tell(house, client, browser, None, FIRST_CHAPTERS)
            except AssertionError as error:
                log = (house.directory / "demo.log").read_text()
                raise AssertionError(f"{name}: {error}\n{log[-3000:]}") from error
            finally:
                client.close()
                browser.close()
        house.stop()
    finally:
        house.remove()
    return told + 1
