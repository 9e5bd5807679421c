"""Access that ends and changes that are repeated, with the release binary. Nothing survives or happens twice."""

import json
import subprocess
import threading
import urllib.request

from caller import Caller, Refused
from stage import Stage, wait_for

CHANGE = {"weight": 71.3, "unit_key": "kg"}
# How long Garmin takes to answer a change, so that access can end meanwhile.
SLOW = {"place": "api", "fault": {"kind": "slow", "ms": 3000}, "method": "changes", "path": "/weight-service"}


def garmin(stage: Stage, path: str, body: dict | None = None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{stage.garmin_url.rstrip('/')}{path}", data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=10) as reply:
        text = reply.read()
    return json.loads(text) if text else None


def changes(stage: Stage) -> int:
    return len(garmin(stage, "/simulator/changes"))


def refused(caller: Caller, tool: str, arguments: dict) -> str:
    try:
        told = caller.call(tool, arguments)
    except Refused as refusal:
        return refusal.body
    raise AssertionError(f"{tool} was not refused: {told[:300]}")


def repeated(stage: Stage) -> int:
    """A change is made once, whatever happens to the worker and the gateway between two equal calls."""
    caller = Caller(stage.url).connect(stage.people[0])
    assert json.loads(caller.call("add_weigh_in", CHANGE))["done"] is True
    breaks = {
        "the same worker": lambda: None,
        "a killed worker": stage.kill_workers,
        "a restarted gateway": stage.restart_gateway,
        "a killed gateway": lambda: (stage.kill_gateway(), stage.start_gateway()),
    }
    for name, happens in breaks.items():
        happens()
        caller.disconnect()
        told = refused(caller, "add_weigh_in", CHANGE)
        assert "the same change was made" in told, f"{name}: {told}"
    assert changes(stage) == 1
    assert json.loads(caller.call("add_weigh_in", {**CHANGE, "again": True}))["done"] is True
    assert changes(stage) == 2
    return len(breaks) + 1


def operate(stage: Stage, *words: str):
    socket = str(stage.runtime / "admin.sock")
    subprocess.run([stage.binary, *words, "--socket", socket], env=stage.environment({}), check=True,
                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)


def withdrawn(stage: Stage) -> int:
    """Access ends while a change is under way: by revoke, by forget, and because the client signs out. Afterwards, no
    worker and no race is left, and no further change reaches Garmin."""
    ends = {
        "revoke": lambda person, caller: operate(stage, "revoke", "--account", person.email, "--yes"),
        "forget": lambda person, caller: operate(stage, "forget", person.email, "--yes"),
        "sign out": lambda person, caller: stage.revoke(caller.refresh_token),
    }
    for (name, end), person in zip(ends.items(), stage.people):
        caller = Caller(stage.url).connect(person)
        link = garmin(stage, "/simulator/livetrack", {"elapsed_s": 1200})["links"][0]["url"]
        caller.call("start_tracking", {"url": link})
        caller.call("get_full_name")
        garmin(stage, "/simulator/faults", {**SLOW, "person": person.email, "times": 1})
        before, told = changes(stage), []
        second = Caller(stage.url)
        second.access_token = caller.access_token
        call = threading.Thread(target=lambda: told.append(refused(second, "add_weigh_in", CHANGE)))
        call.start()
        wait_for("the change is under way", lambda: changes(stage) > before)
        end(person, caller)
        assert stage.workers() == [], f"{name}: a worker is left"
        reached = changes(stage)
        call.join()
        assert "may or may not have been made" in told[0] or "access" in told[0], f"{name}: {told}"
        races = json.loads(subprocess.run(
            [stage.binary, "races", "--json", "--socket", str(stage.runtime / "admin.sock")],
            env=stage.environment({}), check=True, capture_output=True, text=True,
        ).stdout)
        going = [race for race in races if race["state"] != "tracking stopped"]
        print(f"{name}: {told[0][:80]} … races: {[race['state'] for race in races]}")
        assert not going, f"{name}: a race goes on: {going}"
        try:
            caller.disconnect()
            caller.call("get_full_name")
        except Refused as refusal:
            assert refusal.status == 401, f"{name}: {refusal}"
        else:
            raise AssertionError(f"{name}: the token still opens")
        assert changes(stage) == reached, f"{name}: a change came afterwards"
    return len(ends)
