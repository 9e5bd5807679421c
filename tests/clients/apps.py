"""The views of tools in headless Chromium. A host page of the tests (`drivers/apps.mjs`) shows them in a sandboxed
frame and speaks MCP Apps with them. This file gives it the documents and real answers, all fetched through /mcp.
"""

import json
import os
import re
import urllib.request
from pathlib import Path

from caller import LEGACY, MODERN, Caller
from clients import drivers_beside_packages
from programs import NODE, Failed, run
from race_page import plan
from stage import Stage, wait_for

PICTURES = Path(__file__).resolve().parents[2] / "target" / "ci" / "apps"
EXTENSION = "io.modelcontextprotocol/ui"
TYPE = "text/html;profile=mcp-app"
SHOWS = {"extensions": {EXTENSION: {"mimeTypes": [TYPE]}}}
# By how many characters views may lengthen the list of the core: their links, and tools that only a view makes core.
MOST_MORE = 4_500


def listed(caller: Caller, capabilities: dict, kind: str = "tools") -> list[dict]:
    """A list as a modern client with these capabilities gets it."""
    caller.capabilities = capabilities
    return caller.rpc(f"{kind}/list")[kind]


def linked(tools: list[dict]) -> dict[str, str]:
    """The views by the names of their tools. Two keys of a tool name its view, and they must agree."""
    found = {}
    for tool in tools:
        meta = tool.get("_meta", {})
        if "ui" in meta:
            assert meta["ui"]["resourceUri"] == meta["ui/resourceUri"], meta
            found[tool["name"]] = meta["ui/resourceUri"]
    return found


def negotiated(caller: Caller) -> tuple[int, dict[str, str]]:
    """Checks which clients get the views, in both eras. Returns the number of checks, and the documents by address."""
    plain, shown = listed(caller, {}), listed(caller, SHOWS)
    assert not linked(plain), "a client that does not name the extension gets no links"
    views = linked(shown)
    assert len(set(views.values())) == 4, views
    assert {tool["name"] for tool in plain} <= {tool["name"] for tool in shown}
    more = len(json.dumps(shown)) - len(json.dumps(plain))
    print(f"a core of {len(plain)} tools; with views {len(shown)}, {more} characters more")
    assert 0 < more <= MOST_MORE, more
    resources = {one["uri"]: one for one in listed(caller, SHOWS, "resources")}
    assert not [one for one in listed(caller, {}, "resources") if one["uri"].startswith("ui://")]
    documents = {}
    for uri in set(views.values()):
        assert resources[uri]["mimeType"] == TYPE, resources[uri]
        [content] = caller.rpc("resources/read", {"uri": uri})["contents"]
        assert content["mimeType"] == TYPE and content["uri"] == uri, content
        assert len(content["text"].encode()) < 60_000
        documents[uri] = content["text"]
    # In the old era, the capabilities that the client named in `initialize` apply until the gateway is restarted.
    hello = {"protocolVersion": LEGACY, "clientInfo": {"name": "host", "version": "1"}}
    assert not linked(caller.rpc("tools/list", {}, LEGACY)["tools"])
    told = caller.rpc("initialize", {**hello, "capabilities": SHOWS}, LEGACY)
    assert told["capabilities"]["extensions"] == {EXTENSION: {}}, told
    assert linked(caller.rpc("tools/list", {}, LEGACY)["tools"]) == views
    assert "extensions" not in caller.rpc("initialize", {**hello, "capabilities": {}}, LEGACY)["capabilities"]
    return 10 + 3 * len(documents), documents


def race(stage: Stage, caller: Caller) -> str:
    play = json.dumps({"elapsed_s": 3600}).encode()
    with urllib.request.urlopen(f"{stage.garmin_url}/simulator/livetrack", play, timeout=10) as reply:
        played = json.load(reply)
    arguments = {"url": played["links"][0]["url"], "race_config": played["race_config"]}
    started = json.loads(caller.call("start_tracking", arguments))["race"]
    wait_for("the race is seen", lambda: "started_at" in json.loads(caller.call("get_tracking_status")))
    caller.call("update_race", {"race": started, "changes": plan(stage, started)})
    return started


def scenes(stage: Stage, caller: Caller, documents: dict[str, str]) -> list[dict]:
    """What the host shows: a document with the call and the answer of one of its tools."""
    activity = json.loads(caller.call("analyze_activity", {"activity_type": "running"}))["activity_id"]
    metrics = ["heart_rate_bpm", "speed_kmh", "altitude_m", "lat", "lon"]
    race_id = race(stage, caller)
    calls = [
        ("night", "get_sleep_data", {"date": "today"}), ("night", "get_sleep_summary", {"date": "today"}),
        ("load", "get_training_load_trend", {"start_date": "-27d", "end_date": "today"}), ("load", "get_training_overview", {}),
        ("load", "get_training_status", {"date": "today"}),
        ("activity", "get_activity_timeseries", {"activity_id": activity}), ("activity", "analyze_activity", {"activity_id": activity}),
        ("race", "get_tracking_status", {"race": race_id}), ("race", "get_outlook", {"race": race_id}),
        ("race", "get_timeseries", {"race": race_id, "window_min": 60, "metrics": metrics}),
    ]
    found = []
    for view, tool, arguments in calls:
        result = caller.rpc("tools/call", {"name": tool, "arguments": arguments})
        assert not result.get("isError"), (tool, result)
        assert json.loads(result["content"][0]["text"]) == result["structuredContent"], tool
        found.append({"view": view, "document": documents[f"ui://garmin/{view}"], "tool": tool, "arguments": arguments, "result": result})
    return found


def apps(stage: Stage) -> int:
    """Returns how many checks passed. It leaves pictures in target/ci/apps."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    caller = Caller(stage.url, "host").connect(stage.people[0])
    checks, documents = negotiated(caller)
    task = stage.directory / "apps.json"
    person = stage.people[0]
    task.write_text(json.dumps({
        "scenes": scenes(stage, caller, documents), "pictures": str(PICTURES), "gateway": stage.url,
        "person": {"email": person.email, "password": person.password},
    }))
    environment = {"PATH": os.environ["PATH"], "HOME": str(stage.directory), "APPS": str(task)}
    done = run([NODE, drivers_beside_packages() / "apps.mjs"], environment, stage.directory, 400)
    found = re.fullmatch(r"(\d+) checks\n", done.stdout)
    if done.returncode != 0 or found is None:
        raise Failed(f"exit code {done.returncode}\n{done.stdout}{done.stderr}")
    # The driver has switched the views off on the person's page. The gateway has closed the idle connection meanwhile.
    caller.disconnect()
    assert not linked(listed(caller, SHOWS)), "off is off"
    assert not [one for one in listed(caller, SHOWS, "resources") if one["uri"].startswith("ui://")]
    assert "extensions" not in caller.rpc("server/discover")["capabilities"]
    return checks + int(found.group(1)) + 3
