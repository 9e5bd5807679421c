"""The page of a shared race in headless Chromium: `drivers/race_page.mjs` looks at it, this makes the race and its links."""

import json
import math
import os
import re
import urllib.request

import clients
from clients import drivers_beside_packages
from pages import PICTURES
from programs import NODE, Failed, run
from stage import Stage, wait_for
from story import TheBrowser


def race_page(stage: Stage) -> int:
    """Returns how many checks passed. Pictures lie in target/ci/pages afterwards."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    browser = TheBrowser(stage.people[0])
    client = clients.python("1")(stage, browser.url)
    try:
        client.connect()
        return look(stage, client)
    finally:
        client.close()
        browser.close()


def look(stage: Stage, client) -> int:
    play = json.dumps({"elapsed_s": 3600}).encode()
    with urllib.request.urlopen(f"{stage.garmin_url}/simulator/livetrack", play, timeout=10) as reply:
        played = json.load(reply)
    arguments = {"url": played["links"][0]["url"], "race_config": played["race_config"]}
    race = json.loads(client.call("start_tracking", arguments))["race"]
    wait_for("the race is seen", lambda: "started_at" in json.loads(client.call("get_tracking_status", {})))

    client.call("update_race", {"race": race, "changes": plan(stage, race)})

    def link(**arguments) -> str:
        return json.loads(client.call("share_race", arguments))["url"]

    end = [str(stage.binary), "races", "--socket", str(stage.runtime), "end-share", race]
    task = {
        "family": link(), "crew": link(role="crew", name="Josi & friends"), "end": end, "pictures": str(PICTURES),
    }
    environment = {"PATH": os.environ["PATH"], "HOME": str(stage.directory), "RACE_PAGE": json.dumps(task)}
    done = run([NODE, drivers_beside_packages() / "race_page.mjs"], environment, stage.directory, 240)
    found = re.fullmatch(r"(\d+) checks\n", done.stdout)
    if done.returncode != 0 or found is None:
        raise Failed(f"exit code {done.returncode}\n{done.stdout}{done.stderr}")
    log = stage.log()
    for url in (task["family"], task["crew"]):
        assert url.rsplit("/", 1)[1] not in log, "the token of a page is in the log"
    return int(found.group(1)) + 1


def plan(stage: Stage, race: str) -> dict:
    """The race's own course with a hill, and places on it."""
    shown = run([stage.binary, "races", "--json", "--socket", stage.runtime, "show", race], {}, stage.directory, 20)
    course = json.loads(shown.stdout)["course"]
    points = []
    for number, (lat, lon) in enumerate(course):
        height = 450 + 260 * math.sin(3 * number / len(course)) ** 2
        points.append(f'<trkpt lat="{lat:.6f}" lon="{lon:.6f}"><ele>{height:.1f}</ele></trkpt>')
    return {
        "course_gpx": f"<gpx><trk><trkseg>{''.join(points)}</trkseg></trk></gpx>",
        "checkpoints": [
            {"name": "K1 Old mill", "km": 7.5, "cutoff": "1:00:00"},
            {"name": "K2 Pass <b>", "km": 16, "cutoff": "1:25:00"},
            {"name": "K3 Bridge over the river", "km": 28.3, "cutoff": "3:15:00"},
        ],
        "time_zone": "Europe/Vienna",
    }
