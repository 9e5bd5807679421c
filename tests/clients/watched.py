"""Monitoring from outside: Prometheus' own parser on the metrics, and a dead man's switch for the heartbeat."""

import json
import subprocess
import urllib.request
from pathlib import Path

from caller import Caller
from programs import CACHE, HERE
from serving import Handler, Server
from stage import Stage, StageError, free_port, wait_for

PYTHON = CACHE / "python-prometheus" / "bin" / "python"


class Switch(Server):
    """A dead man's switch, which receives heartbeats."""

    def __init__(self):
        self.heard: list[str] = []
        super().__init__(Hears)


class Hears(Handler):
    def do_POST(self):
        self.body()
        self.server.heard.append(self.path)
        self.reply()


def watched(binary: Path, settings: dict[str, str]) -> int:
    switch, port = Switch(), free_port()
    more = {
        "METRICS_ADDRESS": f"127.0.0.1:{port}",
        "HEARTBEAT_URL": f"{switch.url}/ping/a-secret-word", "HEARTBEAT_SECS": "10",
    }
    with Stage(binary, {**settings, **more}) as stage:
        person = stage.people[0]
        caller = Caller(stage.url)
        caller.connect(person)
        for _ in range(3):
            caller.call("get_full_name")
        url = f"http://127.0.0.1:{port}/metrics"
        read = subprocess.run([PYTHON, HERE / "drivers/metrics.py", url], capture_output=True, text=True, timeout=60)
        if read.returncode:
            raise StageError(f"Prometheus' parser refuses the metrics:\n{read.stderr}")
        values = json.loads(read.stdout)
        for name, wanted in {
            "garmin_gateway_calls_total": 3, "garmin_gateway_call_errors_total": 0, "garmin_gateway_accounts": 1,
            "garmin_gateway_people": 1, "garmin_gateway_store_writable": 1,
            'garmin_gateway_workers{"state": "ready"}': 1, 'garmin_gateway_workers{"state": "failed"}': 0,
        }.items():
            if values.get(name) != wanted:
                raise StageError(f"{name} is {values.get(name)} instead of {wanted}: {values}")
        if not values["garmin_gateway_memory_bytes"] > 1e6:
            raise StageError(f"no memory: {values}")
        text = urllib.request.urlopen(url, timeout=10).read().decode()
        if person.email in text or person.full_name in text:
            raise StageError("the metrics name a person")
        wait_for("a sign of life", lambda: switch.heard)
        if set(switch.heard) != {"/ping/a-secret-word"}:
            raise StageError(f"something else was heard: {switch.heard}")
        if "a-secret-word" in (stage.directory / "gateway.log").read_text():
            raise StageError("the address of the switch is in the log")
    return len(values) + 3
