"""A race is looked at by the real Claude Code, started by the gateway: it reads the race and tells the phone.

The model is the small Messages API of `claude_code.py`, the phone a small Bot API; everything between is real.
"""

import json
import queue
import re
import threading
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import clients
from claude_code import Model
from programs import CLAUDE
from stage import Stage, wait_for
from story import TheBrowser

BOT = "123456:AAbbCCddEEffGGhhIIjj"
CHAT = "4711"
SERVER = "race"


class Phone:
    """A Bot API that takes messages."""

    def __init__(self):
        self.messages: queue.Queue = queue.Queue()
        phone = self

        class Api(BaseHTTPRequestHandler):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                phone.messages.put((self.path, body))
                self.send_response(200)
                self.send_header("Content-Length", "11")
                self.end_headers()
                self.wfile.write(b'{"ok":true}')

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Api)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()

    def wait_for(self, text: str) -> dict:
        while True:
            path, body = self.messages.get(timeout=60)
            assert path == f"/bot{BOT}/sendMessage", path
            assert body["chat_id"] == CHAT, body
            if text in body["text"]:
                return body


def coach(binary: Path, settings: dict[str, str]) -> int:
    """Returns how many things were checked."""
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

    # What Claude is offered: the race's tools and nothing else.
    series = call(model, 1, "get_timeseries", {"window_min": 10})
    rows = json.loads(series)
    assert rows, series
    offered = set(model.tools)
    wanted = {f"mcp__{SERVER}__{tool}" for tool in ("get_timeseries", "update_thresholds", "send_coaching_message")}
    assert offered == wanted, offered

    # A number that nobody measured does not reach the phone; plain figures do.
    corrected = json.loads(call(model, 2, "send_coaching_message", {"text": "Your heart rate is 231 bpm!"}))
    assert corrected["sent"] is False and corrected["not_in_the_data"][0]["about"] == "heart rate", corrected
    told = phone.wait_for(". Last ")
    assert re.match(r"\d+\.\d km after ", told["text"]) and "231" not in told["text"], told

    model.words.put({"type": "text", "text": "All is well."})

    def looked():
        return "All is well." in client.call("get_tracking_status", {})

    wait_for("what Claude said is kept", looked)
    wait_for("nothing is left of the look", lambda: not list((stage.runtime / "coach").iterdir()), 10)
    log = stage.log()
    for secret in (BOT, CHAT, "231 bpm", " km after ", "race_data"):
        assert secret not in log, f"{secret} is in the log"
    return 5


def call(model: Model, number: int, tool: str, arguments: dict) -> str:
    name = f"mcp__{SERVER}__{tool}"
    model.words.put({"type": "tool_use", "id": f"toolu_{number}", "name": name, "input": arguments})
    block = model.results.get(timeout=120)
    content = block["content"]
    text = content if isinstance(content, str) else "".join(part.get("text", "") for part in content)
    assert not block.get("is_error"), text
    return text
