"""The gateway starts the real Claude Code, which reads a race and sends a message to the phone.

The model is the small Messages API of `claude_code.py`, and the phone is a small Bot API. All between them is real.
"""

import json
import queue
import urllib.request
from pathlib import Path

import clients
from claude_code import Model
from programs import CLAUDE
from serving import Handler, Server
from stage import Stage, wait_for
from story import TheBrowser

BOT = "123456:AAbbCCddEEffGGhhIIjj"
CHAT = "4711"
SERVER = "race"


class Phone:
    """A Telegram Bot API that accepts messages."""

    def __init__(self):
        self.messages: queue.Queue = queue.Queue()
        phone = self

        class Api(Handler):
            def do_POST(self):
                phone.messages.put((self.path, self.json()))
                self.reply(b'{"ok":true}')

        self._server = Server(Api)
        self.url = self._server.url

    def close(self):
        self._server.close()

    def wait_for(self, text: str) -> dict:
        while True:
            path, body = self.messages.get(timeout=60)
            assert path == f"/bot{BOT}/sendMessage", path
            assert body["chat_id"] == CHAT, body
            if text in body["text"]:
                return body


def coach(binary: Path, settings: dict[str, str]) -> int:
    """Returns the number of checks."""
    model, phone = Model(), Phone()
    settings = {
        **settings,
        "CLAUDE_CMD": str(CLAUDE),
        "ANTHROPIC_BASE_URL": model.url,
        "ANTHROPIC_API_KEY": "sk-ant-none",
        "TELEGRAM_API_URL": phone.url,
        "TELEGRAM_BOT_TOKEN": BOT,
        "TELEGRAM_CHAT_ID": CHAT,
    }
    try:
        with Stage(binary, settings) as stage:
            browser = TheBrowser(stage.people[0])
            client = clients.python("1")(stage, browser.url)
            try:
                client.connect()
                return look(stage, client, model, phone)
            finally:
                client.close()
                browser.close()
    finally:
        model.close()
        phone.close()


def look(stage: Stage, client, model: Model, phone: Phone) -> int:
    play = json.dumps({"elapsed_s": 2400}).encode()
    with urllib.request.urlopen(f"{stage.garmin_url}/simulator/livetrack", play, timeout=10) as reply:
        race = json.load(reply)
    settings = {**race["race_config"], "analyze_interval_secs": 7200}
    client.call("start_tracking", {"url": race["links"][0]["url"], "race_config": settings})

    def seen():
        status = json.loads(client.call("get_tracking_status", {}))
        return "started_at" in status and status

    wait_for("the race is seen", seen)
    client.call("trigger_analysis", {})

    # Claude is offered the race's tools and nothing else.
    series = call(model, "get_timeseries", {"window_min": 10})
    rows = json.loads(series)
    assert rows, series
    offered = set(model.tools)
    wanted = {f"mcp__{SERVER}__{tool}" for tool in ("get_timeseries", "update_thresholds", "send_coaching_message")}
    assert offered == wanted, offered

    # A message with a number that was never measured is not sent, and the answer says why.
    answer = json.loads(call(model, "send_coaching_message", {"text": "Your heart rate is 231 bpm!"}))
    assert answer["sent"] is False and "231" in answer["held"][0]["said"] and answer["held"][0]["why"], answer

    model.say("All is well.")

    def looked():
        return "All is well." in client.call("get_tracking_status", {})

    wait_for("what Claude said is kept", looked)
    wait_for("nothing is left of the look", lambda: not list((stage.runtime / "coach").iterdir()), 10)
    log = stage.log()
    for secret in (BOT, CHAT, "231 bpm", " km after ", "race_data"):
        assert secret not in log, f"{secret} is in the log"
    return 5


def call(model: Model, tool: str, arguments: dict) -> str:
    text, is_error = model.use(f"mcp__{SERVER}__{tool}", arguments, 120)
    assert not is_error, text
    return text
