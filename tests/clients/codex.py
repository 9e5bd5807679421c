"""OpenAI's Codex without an OpenAI login: its app server signs in to an MCP server, lists its tools and calls them.

No model takes part. Codex itself uses `mcpServerStatus/list` and `mcpServer/tool/call` in a conversation.
"""

import json

from clients import refresh_token_in
from programs import NODE, NODE_MODULES, Failed, Home, Lines
from stage import Stage

CODEX = NODE_MODULES / "@openai" / "codex" / "bin" / "codex.js"
SERVER = "garmin"


class Codex:
    """`[mcp_servers.garmin] url = "…"` in `~/.codex/config.toml`, then the sign-in that `codex mcp login garmin` begins."""

    def __init__(self, stage: Stage, browser_url: str):
        self.home = Home(browser_url)
        self.directory = self.home.path / ".codex"
        self.directory.mkdir()
        # A keyring would need a desktop. Codex itself falls back to the file.
        settings = f'mcp_oauth_credentials_store = "file"\n[mcp_servers.{SERVER}]\nurl = "{stage.mcp}"\n'
        (self.directory / "config.toml").write_text(settings)
        self._asked = 0
        self._notified: list[dict] = []
        self._start()

    def _start(self):
        environment = self.home.environment({"CODEX_HOME": str(self.directory)})
        self.lines = Lines([NODE, CODEX, "app-server"], environment, self.home.path)
        self._ask("initialize", {"clientInfo": {"name": "garmin-gateway-tests", "version": "1"}})
        self.lines.say(json.dumps({"method": "initialized"}))
        self.thread = self._ask("thread/start", {"cwd": str(self.home.path), "ephemeral": True})["thread"]["id"]

    def _ask(self, method: str, params: dict) -> dict:
        self._asked += 1
        self.lines.say(json.dumps({"id": self._asked, "method": method, "params": params}))
        while True:
            message = json.loads(self.lines.hear())
            if message.get("id") != self._asked or "method" in message:
                self._notified.append(message)
            elif "error" in message:
                raise Failed(f"codex {method}: {message['error']}")
            else:
                return message["result"]

    def connect(self) -> str:
        self._log_in()
        return ""

    def _log_in(self):
        # By default, Codex identifies itself by a document on openai.com, which can't be fetched without a network.
        asked = {"name": SERVER, "clientRegistration": "dcr"}
        self._notified.clear()
        self.home.open(self._ask("mcpServer/oauth/login", asked)["authorizationUrl"])
        while True:
            message = self._notified.pop(0) if self._notified else json.loads(self.lines.hear())
            if message.get("method") == "mcpServer/oauthLogin/completed":
                if not message["params"]["success"]:
                    raise Failed(f"codex: {message['params']}")
                break
        # Only a new app server connects with the new tokens.
        self.lines.end()
        self._start()

    def tools(self) -> dict[str, dict]:
        status = self._ask("mcpServerStatus/list", {})["data"]
        [server] = [one for one in status if one["name"] == SERVER]
        return server["tools"]

    def call(self, tool: str, arguments: dict) -> str:
        text, is_error = self._call(tool, arguments)
        if is_error and text == "Authentication required":
            # A person does the same when Codex says so.
            self._log_in()
            text, is_error = self._call(tool, arguments)
        if is_error:
            raise Failed(f"{tool}: {text}")
        return text

    def _call(self, tool: str, arguments: dict) -> tuple[str, bool]:
        asked = {"threadId": self.thread, "server": SERVER, "tool": tool, "arguments": arguments}
        answer = self._ask("mcpServer/tool/call", asked)
        text = "".join(block.get("text", "") for block in answer["content"])
        return text, bool(answer.get("isError"))

    def refresh_token(self) -> str:
        return refresh_token_in(self.directory)

    def close(self):
        self.lines.end()
        self.home.remove()
