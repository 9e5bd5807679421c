"""Google's Gemini CLI without a Google login: a small local server plays the model and requests one tool.

It checks that Gemini CLI accepts every schema that the gateway lists. Its own sign-in needs a terminal (`/mcp auth`),
so the play signs in by itself and gives Gemini CLI the access token as a header.
"""

import json

from caller import Caller
from programs import NODE, NODE_MODULES, Failed, Home, run
from serving import Handler, Server
from stage import Stage

GEMINI = NODE_MODULES / "@google" / "gemini-cli" / "bundle" / "gemini.js"


class GeminiModel:
    """A Gemini API. It requests one tool, then answers with text. `tools` and `results` hold what Gemini CLI sent."""

    def __init__(self, tool: str):
        self.tools: dict[str, dict] = {}
        self.results: list[dict] = []
        model = self

        class Api(Handler):
            def do_POST(self):
                body = self.json()
                for group in body.get("tools", []):
                    model.tools.update({one["name"]: one for one in group.get("functionDeclarations", [])})
                parts = [part for content in body.get("contents", []) for part in content.get("parts", [])]
                model.results = [part["functionResponse"] for part in parts if "functionResponse" in part]
                name = next((name for name in model.tools if name.endswith(tool)), None)
                if name and not model.results:
                    part = {"functionCall": {"name": name, "args": {}}}
                else:
                    part = {"text": "DONE"}
                content = {"content": {"role": "model", "parts": [part]}, "finishReason": "STOP", "index": 0}
                answer = json.dumps({"candidates": [content], "usageMetadata": {"totalTokenCount": 1}})
                if "streamGenerateContent" in self.path:
                    self.reply(f"data: {answer}\n\n".encode(), "text/event-stream")
                else:
                    self.reply(answer.encode())

        self._server = Server(Api)
        self.url = self._server.url

    def close(self):
        self._server.close()


def gemini(stage: Stage) -> int:
    """Returns the number of checks."""
    caller = Caller(stage.url)
    caller.connect(stage.people[0])
    model, home = GeminiModel("get_full_name"), Home("http://127.0.0.1:9")
    try:
        environment = home.environment({
            "GEMINI_API_KEY": "none-is-needed", "GOOGLE_GEMINI_BASE_URL": model.url, "GEMINI_CLI_TRUST_WORKSPACE": "true",
        })

        def cli(*words: str) -> str:
            done = run([NODE, GEMINI, *words], environment, home.path)
            if done.returncode != 0:
                raise Failed(f"gemini {words}: {done.returncode}\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
            return done.stdout + done.stderr

        settings = home.path / ".gemini" / "settings.json"
        settings.parent.mkdir()
        settings.write_text(json.dumps({"security": {"auth": {"selectedType": "gemini-api-key"}}}))
        bearer = f"Authorization: Bearer {caller.access_token}"
        cli("mcp", "add", "-s", "user", "-t", "http", "-H", bearer, "--trust", "garmin", stage.mcp)
        listed = cli("mcp", "list")
        assert "Connected" in listed, listed
        said = cli("-m", "gemini-2.5-flash", "-p", "Whose account is it?")
        assert "DONE" in said, said
        listed = {tool["name"] for tool in caller.rpc("tools/list")["tools"]}
        taken = {name for name in listed if any(known.endswith(name) for known in model.tools)}
        assert listed == taken, f"Gemini CLI dropped {sorted(listed - taken)}"
        told = json.dumps(model.results)
        assert stage.people[0].full_name in told, told
        return 4
    finally:
        model.close()
        home.remove()
