"""Third-party clients, each as an adapter for the story: the SDKs through their drivers, mcp-remote, the Inspector.

Claude Code has a separate file, `claude_code.py`.
"""

import json
import re
from pathlib import Path

from programs import HERE, NODE, NODE_MODULES, PYTHON, Failed, Home, Lines, run
from stage import Stage, free_port

LEGACY = "2025-11-25"
MODERN = "2026-07-28"


class Driven:
    """An SDK that runs in its own language, behind the line protocol of `drivers/`."""

    def __init__(self, browser_url: str, command: list, clock: dict[str, str] | None = None):
        self.home = Home(browser_url)
        self.lines = Lines(command, self.home.environment(clock), self.home.path)

    def _act(self, **command) -> dict:
        self.lines.say(json.dumps(command))
        answer = json.loads(self.lines.hear())
        if "failed" in answer:
            raise Failed(f"{command['do']}: {answer['failed']}\n{self.lines.log()}")
        return answer

    def connect(self) -> str:
        return self._act(do="connect").get("era", "")

    def tools(self) -> dict[str, dict]:
        return {tool["name"]: tool for tool in self._act(do="list")["tools"]}

    def call(self, tool: str, arguments: dict) -> str:
        answer = self._act(do="call", tool=tool, arguments=arguments)
        if answer["is_error"]:
            raise Failed(f"{tool}: {answer['text']}")
        return answer["text"]

    def refresh_token(self) -> str:
        return self._act(do="tokens")["refresh_token"]

    def close(self):
        self.lines.end()
        self.home.remove()


def python(version: str):
    def make(stage: Stage, browser_url: str) -> Driven:
        # The SDK decides by its own clock when to refresh, so that clock must agree with the gateway's.
        driver = HERE / "drivers" / f"python_{version}.py"
        return Driven(browser_url, [PYTHON[version], driver, stage.mcp], stage.faked_time)

    return make


def typescript(version: str, *mode: str):
    def make(stage: Stage, browser_url: str) -> Driven:
        driver = drivers_beside_packages() / f"typescript_{version}.mjs"
        return Driven(browser_url, [NODE, driver, stage.mcp, *mode])

    return make


def drivers_beside_packages() -> Path:
    """The drivers, copied to where Node finds their packages, because it looks for those from a file's location."""
    place = NODE_MODULES.parent / "drivers"
    place.mkdir(exist_ok=True)
    for file in (HERE / "drivers").glob("*.mjs"):
        (place / file.name).write_text(file.read_text())
    return place


class McpRemote:
    """`mcp-remote`, a stdio server through which Claude Desktop and others reach a remote server."""

    def __init__(self, stage: Stage, browser_url: str):
        self.home = Home(browser_url)
        self.stage = stage
        self.lines: Lines | None = None
        self.last_id = 0

    def connect(self) -> str:
        environment = self.home.environment({"MCP_REMOTE_CONFIG_DIR": str(self.home.path / "auth")})
        command = [NODE, NODE_MODULES / "mcp-remote" / "dist" / "proxy.js", self.stage.mcp, "--allow-http", "--debug"]
        self.lines = Lines(command, environment, self.home.path)
        client = {"name": "line", "version": "1"}
        hello = self._ask("initialize", {"protocolVersion": LEGACY, "capabilities": {}, "clientInfo": client})
        self.lines.say(json.dumps({"jsonrpc": "2.0", "method": "notifications/initialized"}))
        return hello["protocolVersion"]

    def _ask(self, method: str, params: dict) -> dict:
        self.last_id += 1
        self.lines.say(json.dumps({"jsonrpc": "2.0", "id": self.last_id, "method": method, "params": params}))
        while True:
            message = json.loads(self.lines.hear())
            if message.get("id") == self.last_id:
                if "error" in message:
                    raise Failed(f"{method}: {message['error']}\n{self.lines.log()}")
                return message["result"]

    def tools(self) -> dict[str, dict]:
        return {tool["name"]: tool for tool in self._ask("tools/list", {})["tools"]}

    def call(self, tool: str, arguments: dict) -> str:
        result = self._ask("tools/call", {"name": tool, "arguments": arguments})
        text = result["content"][0]["text"]
        if result.get("isError"):
            raise Failed(f"{tool}: {text}")
        return text

    def refresh_token(self) -> str:
        return refresh_token_in(self.home.path / "auth")

    def close(self):
        if self.lines is not None:
            self.lines.end()
        self.home.remove()


class Inspector:
    """The Inspector's command line. Each call is a new process; a file keeps the tokens between calls."""

    ENVIRONMENT = {"MCP_AUTO_OPEN_ENABLED": "true", "MCP_INSPECTOR_SECRET_STORE": "file"}

    def __init__(self, stage: Stage, browser_url: str, era: str):
        self.home = Home(browser_url)
        self.stage, self.era = stage, era
        self.callback = f"http://127.0.0.1:{free_port()}/oauth/callback"

    def _run(self, *arguments: str) -> dict:
        launcher = NODE_MODULES / "@modelcontextprotocol" / "inspector" / "clients" / "launcher" / "build" / "index.js"
        command = [
            NODE, launcher, "--cli", self.stage.mcp, "--transport", "http", "--protocol-era", self.era,
            "--callback-url", self.callback, "--format", "json", *arguments,
        ]
        done = run(command, self.home.environment(self.ENVIRONMENT), self.home.path)
        if done.returncode != 0:
            raise Failed(f"{arguments}: exit code {done.returncode}\n{done.stdout[-2000:]}\n{done.stderr[-3000:]}")
        answer = json.loads(done.stdout)
        return answer.get("result", answer)

    def connect(self) -> str:
        self.tools()
        return ""

    def tools(self) -> dict[str, dict]:
        # With --strict, the exit code is 6 if there is a schema that some client cannot use.
        return {tool["name"]: tool for tool in self._run("--method", "tools/list", "--strict")["tools"]}

    def call(self, tool: str, arguments: dict) -> str:
        given = ("--tool-args-json", json.dumps(arguments)) if arguments else ()
        result = self._run("--method", "tools/call", "--tool-name", tool, *given)
        text = result["content"][0]["text"]
        if result.get("isError"):
            raise Failed(f"{tool}: {text}")
        return text

    def refresh_token(self) -> str:
        return refresh_token_in(self.home.path / ".mcp-inspector")

    def close(self):
        self.home.remove()


def refresh_token_in(directory: Path) -> str:
    """The only refresh token in the files that a client stores."""
    for file in sorted(directory.rglob("*.json")):
        # Some clients store JSON inside JSON, so the quotes may be escaped.
        found = re.search(r'refresh_?[tT]oken\\*"\s*:\s*\\*"([^"\\]+)', file.read_text())
        if found:
            return found.group(1)
    raise Failed(f"no refresh token in {[str(f) for f in directory.rglob('*')]}")
