"""Mosquitto as the operator's broker: messages and devices of Home Assistant, over TLS and with a password. Also what
is left of them after the broker or the gateway was killed, and after people withdrew."""

import json
import shutil
import subprocess
import tempfile
import time
from functools import partial
from pathlib import Path

from caller import Caller
from own_https import Authority
from stage import Stage, StageError, free_port, wait_for
from withdrawn import garmin, operate

USER, PASSWORD = "gateway", "a secret word"
ENTITIES = {
    "state": ("sensor", None), "distance": ("sensor", "distance"), "arrival": ("sensor", "timestamp"),
    "activity": ("binary_sensor", "running"),
}

VALUES = {
    "state", "in_activity", "distance_km", "distance_left_km", "eta", "eta_early", "eta_late", "race", "started_at", "seen_at",
}


class Mosquitto:
    """A broker that demands a password. It has a plain and a TLS listener, and stores retained messages on disk."""

    def __init__(self, authority: Authority):
        self.directory = Path(tempfile.mkdtemp(prefix="broker-"))
        self.plain, self.tls = free_port(), free_port()
        at = self.directory
        authority.issue(at / "tls.pem", at / "tls.key")
        subprocess.run(["mosquitto_passwd", "-c", "-b", at / "passwords", USER, PASSWORD], check=True, capture_output=True)
        (at / "kept").mkdir()
        (at / "mosquitto.conf").write_text(f"""
            allow_anonymous false
            password_file {at}/passwords
            persistence true
            persistence_location {at}/kept/
            autosave_on_changes true
            autosave_interval 1
            user root
            listener {self.plain} 127.0.0.1
            listener {self.tls} 127.0.0.1
            certfile {at}/tls.pem
            keyfile {at}/tls.key
        """.replace("            ", ""))
        self.log = open(at / "mosquitto.log", "ab")
        self.process = None
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            ["mosquitto", "-c", self.directory / "mosquitto.conf"], stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log,
        )
        wait_for("mosquitto answers", lambda: self.ask("mosquitto_pub", "-r", "-t", "the/end", "-m", ".").returncode == 0)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def forget_everything(self):
        shutil.rmtree(self.directory / "kept")
        (self.directory / "kept").mkdir()

    def ask(self, program: str, *words: str) -> subprocess.CompletedProcess:
        return subprocess.run([program, *self.way(), *words], capture_output=True, text=True)

    def way(self) -> list[str]:
        return ["-h", "127.0.0.1", "-p", str(self.plain), "-u", USER, "-P", PASSWORD]

    def kept(self) -> dict[str, str]:
        """The retained messages by topic. The second filter marks the end, because its match comes after all others."""
        whole = ["mosquitto_sub", *self.way(), "-t", "#", "-t", "the/end", "--retained-only", "-W", "10", "-F", "%t %p"]
        told, ends = {}, 0
        with subprocess.Popen(whole, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
            for line in process.stdout:
                topic, payload = line.rstrip("\n").split(" ", 1)
                ends += topic == "the/end"
                told[topic] = payload
                if ends == 2:
                    process.kill()
                    return told
        return {}

    def listen(self) -> "Listener":
        return Listener(self)

    def close(self):
        if self.process.poll() is None:
            self.kill()
        self.log.close()
        shutil.rmtree(self.directory, ignore_errors=True)


class Listener:
    """Collects everything that is published from now on, also the messages that clear a topic."""

    def __init__(self, broker: Mosquitto):
        self.file = open(broker.directory / "heard", "w+")
        self.process = subprocess.Popen(
            ["mosquitto_sub", *broker.way(), "-t", "#", "-R", "-F", "%t %p"],
            stdin=subprocess.DEVNULL, stdout=self.file, stderr=subprocess.DEVNULL,
        )
        broker_knows = lambda: (broker.ask("mosquitto_pub", "-t", "probe", "-m", "?"), self.payloads("probe"))[1]
        wait_for("the listener listens", broker_knows)

    def payloads(self, topic: str) -> list[str]:
        lines = Path(self.file.name).read_text().splitlines()
        pairs = [(line + " ").split(" ", 1) for line in lines]
        return [payload.strip() for named, payload in pairs if named == topic]

    def close(self):
        self.process.kill()
        self.process.wait()
        self.file.close()


def start_race(stage: Stage, caller: Caller):
    played = garmin(stage, "/simulator/livetrack", {"elapsed_s": 3600})
    caller.call("start_tracking", {"url": played["links"][0]["url"], "race_config": played["race_config"]})


def state(broker: Mosquitto, account: str) -> dict:
    return json.loads(broker.kept().get(f"garmin-gateway/{account}/state", "{}"))


def status(broker: Mosquitto) -> str | None:
    return broker.kept().get("garmin-gateway/status")


def under_way(broker: Mosquitto, account: str) -> dict | None:
    told = state(broker, account)
    return told if told.get("eta") else None


def ask(stage: Stage, *words: str) -> subprocess.CompletedProcess:
    return subprocess.run([stage.binary, *words], env=stage.gateway_environment(), capture_output=True, text=True)


def accounts(stage: Stage) -> dict[str, str]:
    """The ids of the accounts by e-mail."""
    return {one["email"]: one["id"] for one in json.loads(ask(stage, "accounts", "--json").stdout)["accounts"]}


def check_discovery(broker: Mosquitto, account: str):
    """Compares the announcement with home-assistant.io/integrations/mqtt/#device-discovery-payload."""
    topic = f"homeassistant/device/garmin_gateway_{account}/config"
    told = json.loads(broker.kept()[topic])
    assert told["device"]["identifiers"] == [f"garmin_gateway_{account}"] and told["device"]["name"], told
    assert told["origin"]["name"] and told["origin"]["sw_version"], told
    assert told["state_topic"] == f"garmin-gateway/{account}/state", told
    assert told["availability_topic"] == "garmin-gateway/status", told
    assert set(told["components"]) == set(ENTITIES), told
    ids = set()
    for name, (platform, kind) in ENTITIES.items():
        entity = told["components"][name]
        assert (entity["platform"], entity.get("device_class")) == (platform, kind), entity
        assert entity["name"] and entity["value_template"].startswith("{{ value_json."), entity
        # Attributes are no shared option, so each entity must name their topic itself.
        assert ("json_attributes_topic" in entity) == ("json_attributes_template" in entity), entity
        ids.add(entity["unique_id"])
    assert len(ids) == len(ENTITIES), ids
    assert told["components"]["distance"]["unit_of_measurement"] == "km", told


def home(binary: Path, settings: dict[str, str]) -> int:
    authority = Authority()
    broker = Mosquitto(authority)
    more = {
        **settings, "SSL_CERT_FILE": str(authority.root), "MQTT_URL": f"mqtts://localhost:{broker.tls}", "MQTT_USER": USER,
        "MQTT_PASSWORD": "wrong", "MQTT_PEOPLE": "all", "OPERATOR_PHONE": "mqtt",
    }
    stage = Stage(binary, more)
    try:
        with stage:
            return play(stage, broker)
    finally:
        broker.close()
        authority.close()


def play(stage: Stage, broker: Mosquitto) -> int:
    checks = 0
    # Both the test message and the gateway's state, which the console and the doctor show too, say what to fix.
    for words in (["notify", "test"], ["status"]):
        told = ask(stage, *words)
        assert "check MQTT_USER and MQTT_PASSWORD" in told.stdout + told.stderr, told
    ann, bo, eve = stage.people[:3]
    stage.settings |= {"MQTT_PASSWORD": PASSWORD, "MQTT_PEOPLE": f"{ann.email},{bo.email}"}
    stage.restart_gateway()
    callers = {person.email: Caller(stage.url).connect(person) for person in (ann, bo, eve)}
    ids = accounts(stage)
    heard = broker.listen()
    sent = ask(stage, "notify", "test")
    assert sent.returncode == 0 and "MQTT (1)" in sent.stdout, sent
    wait_for("the operator's test", lambda: heard.payloads("garmin-gateway/operator/messages"))
    checks += 4

    for caller in callers.values():
        start_race(stage, caller)
    for person in (ann, bo):
        now = wait_for("a race under way", partial(under_way, broker, ids[person.email]))
        assert now["in_activity"] == "ON" and now["distance_km"] > 1 and now["eta_early"] <= now["eta"] <= now["eta_late"], now
        check_discovery(broker, ids[person.email])
        checks += 7
    message = wait_for("a message", lambda: heard.payloads(f"garmin-gateway/{ids[ann.email]}/messages"))
    message = json.loads(message[0])
    assert message["kind"] == "race" and message["race"].startswith("race_") and message["text"], message
    kept = broker.kept()
    assert kept["garmin-gateway/status"] == "online", kept
    assert not any(ids[eve.email] in topic for topic in kept), f"somebody who is not named: {kept}"
    whole = json.dumps(kept).lower()
    for word in ("@", "position", "heart", "password"):
        assert word not in whole, f"{word} in {kept}"
    assert set(now) == VALUES, now
    assert not heard.payloads(f"garmin-gateway/{ids[eve.email]}/messages")
    checks += 5

    # When Home Assistant starts, everything is announced again.
    announced = f"homeassistant/device/garmin_gateway_{ids[ann.email]}/config"
    before = len(heard.payloads(announced))
    broker.ask("mosquitto_pub", "-t", "homeassistant/status", "-m", "online")
    wait_for("another announcement", lambda: len(heard.payloads(announced)) > before)
    heard.close()
    checks += 1

    # A broker that lost everything gets all of it again.
    broker.kill()
    broker.forget_everything()
    broker.start()
    wait_for("the race again", partial(under_way, broker, ids[ann.email]))
    check_discovery(broker, ids[ann.email])
    assert status(broker) == "online"
    checks += 3

    # The last will reports a killed gateway as unavailable; one that stops reports it itself. This time without TLS.
    stage.kill_gateway()
    wait_for("the last will", lambda: status(broker) == "offline")
    stage.settings |= {"MQTT_URL": f"mqtt://127.0.0.1:{broker.plain}"}
    stage.start_gateway()
    wait_for("the gateway is back", lambda: status(broker) == "online")
    assert under_way(broker, ids[bo.email]), "the state was cleared by the restart"
    heard = broker.listen()
    stage.restart_gateway()
    wait_for("good bye and hello", lambda: heard.payloads("garmin-gateway/status") == ["offline", "online"])
    heard.close()
    checks += 4

    # The end of a race.
    callers[ann.email].disconnect()
    callers[ann.email].call("stop_tracking", {})
    over = wait_for("the end", lambda: (now := state(broker, ids[ann.email])).get("in_activity") == "OFF" and now)
    assert over["eta"] is None and over["state"] == "No longer watched" and over["distance_km"] > 1, over
    checks += 2

    # Access is withdrawn while the broker runs, and while it is down.
    operate(stage, "revoke", "--account", ann.email, "--yes")
    gone = lambda email: (kept := broker.kept()) and not any(ids[email] in topic for topic in kept)
    wait_for("nothing is left of Ann", partial(gone, ann.email))
    time.sleep(1.5)
    broker.kill()
    operate(stage, "forget", bo.email, "--yes")
    broker.start()
    wait_for("nothing is left of Bo", partial(gone, bo.email), 30)
    wait_for("the gateway is connected", lambda: status(broker) == "online")
    if PASSWORD in stage.log() or ann.email in stage.log().replace("INVITED", ""):
        raise StageError("a secret is in the log")
    return checks + 4
