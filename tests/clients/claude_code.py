"""The real Claude Code without an Anthropic login: a small local server plays the model and requests the tools that a
test names.

One `claude -p` is one conversation. It stays open between the calls of the story, because the model takes its time.
"""

import json
import queue
import shlex
import subprocess

from clients import refresh_token_in
from programs import CLAUDE, Failed, Home, run
from serving import Handler, Server
from stage import Stage

SERVER = "garmin"
EVENTS = "text/event-stream"


class Model:
    """A Messages API. `use` makes it request a tool, and `results` holds what Claude Code returned."""

    def __init__(self):
        self.words: queue.Queue = queue.Queue()
        self.results: queue.Queue = queue.Queue()
        self.tools: dict[str, dict] = {}
        self._seen = self._asked = 0
        model = self

        class Api(Handler):
            def do_POST(self):
                body = self.json()
                if self.path.startswith("/v1/messages") and "count_tokens" not in self.path:
                    model.answer(self, body)
                else:
                    self.reply(b'{"input_tokens": 1}')

            def do_GET(self):
                self.reply(b"{}")

            do_HEAD = do_GET

        self._server = Server(Api)
        self.url = self._server.url

    def answer(self, request: Handler, body: dict):
        """Reads the conversation, waits for the next scripted turn, and sends it."""
        offered = {tool["name"]: tool for tool in body.get("tools", []) if "name" in tool}
        if not offered:
            # Claude Code also requests titles and the like, outside the conversation.
            return request.reply(spoken(body, {"type": "text", "text": "ok"}), EVENTS)
        self.tools = offered
        results = [
            block
            for message in body["messages"]
            if message["role"] == "user" and isinstance(message["content"], list)
            for block in message["content"]
            if block.get("type") == "tool_result"
        ]
        for block in results[self._seen:]:
            self.results.put(block)
        self._seen = len(results)
        request.reply(spoken(body, self.words.get()), EVENTS)

    def use(self, tool: str, arguments: dict, patience_s: int) -> tuple[str, bool]:
        """Requests a tool; returns its text and whether it is an error. queue.Empty: no result arrived."""
        self._asked += 1
        self.words.put({"type": "tool_use", "id": f"toolu_{self._asked}", "name": tool, "input": arguments})
        block = self.results.get(timeout=patience_s)
        content = block["content"]
        text = content if isinstance(content, str) else "".join(part.get("text", "") for part in content)
        return text, bool(block.get("is_error"))

    def say(self, text: str):
        """Ends its turn with these words."""
        self.words.put({"type": "text", "text": text})

    def begin(self):
        self._seen = 0

    def close(self):
        self._server.close()


def spoken(body: dict, block: dict) -> bytes:
    """One content block in the form of the events that the Messages API streams."""
    head = {
        "id": "msg_1", "type": "message", "role": "assistant", "model": body.get("model"), "content": [],
        "stop_reason": None, "stop_sequence": None, "usage": {"input_tokens": 1, "output_tokens": 1},
    }
    if block["type"] == "tool_use":
        start = {**block, "input": {}}
        delta = {"type": "input_json_delta", "partial_json": json.dumps(block["input"])}
        stop = "tool_use"
    else:
        start = {"type": "text", "text": ""}
        delta = {"type": "text_delta", "text": block["text"]}
        stop = "end_turn"
    events = [
        {"type": "message_start", "message": head},
        {"type": "content_block_start", "index": 0, "content_block": start},
        {"type": "content_block_delta", "index": 0, "delta": delta},
        {"type": "content_block_stop", "index": 0},
        {
            "type": "message_delta", "delta": {"stop_reason": stop, "stop_sequence": None},
            "usage": {"output_tokens": 1},
        },
        {"type": "message_stop"},
    ]
    return "".join(f"event: {e['type']}\ndata: {json.dumps(e)}\n\n" for e in events).encode()


class ClaudeCode:
    """`claude mcp add`, `claude mcp login` and `claude -p`, in the requested era.

    It needs only the connector's address from the stage. `patience_s` is how long one step may take.
    """

    def __init__(self, stage: Stage, browser_url: str, era: str, add: list[str] | None = None, patience_s: int = 60):
        self.add = add or ["claude", "mcp", "add", "--transport", "http", SERVER, stage.mcp]
        self.home = Home(browser_url)
        self.patience_s = patience_s
        self.model = Model()
        self.conversation: subprocess.Popen | None = None
        self.environment = self.home.environment({
            "ANTHROPIC_BASE_URL": self.model.url,
            "ANTHROPIC_API_KEY": "sk-ant-none",
            "ENABLE_TOOL_SEARCH": "false",
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
            "DISABLE_AUTOUPDATER": "1",
            "DISABLE_TELEMETRY": "1",
            "DISABLE_ERROR_REPORTING": "1",
            "MCP_TIMEOUT": str(patience_s * 1000),
            **({"MCP_PROTOCOL_NEGOTIATION": "legacy"} if era == "legacy" else {}),
        })

    def _claude(self, *arguments: str) -> str:
        done = run([CLAUDE, *arguments], self.environment, self.home.path, 1.5 * self.patience_s)
        if done.returncode != 0:
            raise Failed(f"claude {' '.join(arguments)}: {done.returncode}\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
        return done.stdout

    def connect(self) -> str:
        self._claude(*self.add[1:])
        health = self._claude("mcp", "list")
        if "eeds authentication" not in health:
            raise Failed(f"before signing in `claude mcp list` says: {health}")
        self.log_in()
        health = self._claude("mcp", "list")
        if "onnected" not in health:
            raise Failed(f"after signing in `claude mcp list` says: {health}")
        self.begin()
        return ""

    def log_in(self):
        # The command works only in a terminal.
        command = shlex.join([str(CLAUDE), "mcp", "login", SERVER])
        done = run(["script", "-qec", command, "/dev/null"], self.environment, self.home.path, 1.5 * self.patience_s)
        if done.returncode != 0:
            raise Failed(f"claude mcp login: {done.returncode}\n{done.stdout[-3000:]}")

    def begin(self):
        self.model.begin()
        self.conversation = subprocess.Popen(
            [str(CLAUDE), "-p", "go on", "--allowedTools", f"mcp__{SERVER}", "--output-format", "json"],
            env=self.environment, cwd=self.home.path, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )

    def tools(self) -> dict[str, dict]:
        self.call("get_full_name", {})
        prefix = f"mcp__{SERVER}__"
        return {name.removeprefix(prefix): tool for name, tool in self.model.tools.items() if name.startswith(prefix)}

    def call(self, tool: str, arguments: dict) -> str:
        text, is_error = self._call(tool, arguments)
        if is_error and self._needs_login():
            # A person does the same when Claude Code says "needs authentication".
            self.end()
            self.log_in()
            self.begin()
            text, is_error = self._call(tool, arguments)
        if is_error:
            raise Failed(f"{tool}: {text}")
        return self._answer(text)

    @staticmethod
    def _answer(text: str) -> str:
        """The answer as text. Claude Code passes only the structured content of a result to its model: the answer, or
        `{"result": …}` around a list or the text of a FastMCP worker. Plain words have no structured content."""
        try:
            structured = json.loads(text)
        except ValueError:
            return text
        if isinstance(structured, dict) and set(structured) == {"result"}:
            structured = structured["result"]
        return structured if isinstance(structured, str) else json.dumps(structured)

    def _needs_login(self) -> bool:
        return "eeds authentication" in self._claude("mcp", "list")

    def _call(self, tool: str, arguments: dict) -> tuple[str, bool]:
        try:
            return self.model.use(f"mcp__{SERVER}__{tool}", arguments, self.patience_s)
        except queue.Empty:
            ended = self.conversation.poll()
            said = self.conversation.stdout.read()[-3000:] if ended is not None else "still running"
            raise Failed(f"no result of {tool} in {self.patience_s} s; claude: {ended} {said}") from None

    def refresh_token(self) -> str:
        return refresh_token_in(self.home.path / ".claude")

    def end(self):
        """Lets the conversation come to its end by itself."""
        if self.conversation is None:
            return
        self.model.say("DONE")
        try:
            said, _ = self.conversation.communicate(timeout=30)
        except subprocess.TimeoutExpired:
            self.conversation.kill()
            raise Failed("claude did not end") from None
        finally:
            self.conversation = None
        if '"DONE"' not in said:
            raise Failed(f"claude ended with {said[-3000:]}")

    def close(self):
        try:
            self.end()
        finally:
            self.model.close()
            self.home.remove()
