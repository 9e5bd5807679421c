"""The page of a shared race in headless Chromium. `drivers/race_page.mjs` looks at it, and this file makes the race and
its links."""

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
    """Returns how many checks passed. It leaves pictures in target/ci/pages."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    browsers = [TheBrowser(person) for person in stage.people[:2]]
    athletes = [clients.python("1")(stage, browser.url) for browser in browsers]
    try:
        for athlete in athletes:
            athlete.connect()
        return look(stage, *athletes)
    finally:
        for opened in (*athletes, *browsers):
            opened.close()


def tracked(stage: Stage, client, elapsed_s: int) -> str:
    """Starts to track a new race of this athlete, which began `elapsed_s` ago."""
    play = json.dumps({"elapsed_s": elapsed_s}).encode()
    with urllib.request.urlopen(f"{stage.garmin_url}/simulator/livetrack", play, timeout=10) as reply:
        played = json.load(reply)
    arguments = {"url": played["links"][0]["url"], "race_config": played["race_config"]}
    race = json.loads(client.call("start_tracking", arguments))["race"]
    status = {"race": race}
    wait_for("the race is seen", lambda: "started_at" in json.loads(client.call("get_tracking_status", status)))
    return race


def look(stage: Stage, client, other) -> int:
    race, others = tracked(stage, client, 3600), tracked(stage, other, 3000)
    course = plan(stage, race)
    client.call("update_race", {"race": race, "changes": course})
    other.call("update_race", {"race": others, "changes": course})

    def link(of=client, **arguments) -> str:
        return json.loads(of.call("share_race", {"action": "make", **arguments}))["url"]

    # One page with several athletes, and races that ended long ago: one finished, and one stopped on the way.
    both = link(name="Anna", race=race)
    other.call("share_race", {"action": "make", "with": both, "name": "Ben", "role": "crew", "race": others})
    past = tracked(stage, client, 20_000)
    client.call("update_race", {"race": past, "changes": {**course, "target_time": "3:20:00"}})
    wait_for("the race is over", lambda: json.loads(client.call("get_tracking_status", {"race": past}))["state"] == "finished")
    reports = {"family": link(race=past), "crew": link(race=past, role="crew", name="Josi & friends")}
    ended = link(name="Anna", race=past)
    bens = tracked(stage, other, 20_000)
    other.call("share_race", {"action": "make", "with": ended, "name": "Ben", "race": bens})

    def end(of: str) -> list[str]:
        return [str(stage.binary), "races", "--socket", str(stage.runtime), "end-share", of]

    task = {
        "family": link(race=race), "crew": link(race=race, role="crew", name="Josi & friends"), "both": both,
        "reports": reports, "ended": ended, "end": end(race), "endOther": end(others), "pictures": str(PICTURES),
    }
    environment = {"PATH": os.environ["PATH"], "HOME": str(stage.directory), "RACE_PAGE": json.dumps(task)}
    done = run([NODE, drivers_beside_packages() / "race_page.mjs"], environment, stage.directory, 240)
    found = re.fullmatch(r"(\d+) checks\n", done.stdout)
    if done.returncode != 0 or found is None:
        raise Failed(f"exit code {done.returncode}\n{done.stdout}{done.stderr}")
    log = stage.log()
    for url in (task["family"], task["crew"], both, ended, *reports.values()):
        assert url.rsplit("/", 1)[1] not in log, "the token of a page is in the log"
    return int(found.group(1)) + 1


def plan(stage: Stage, race: str) -> dict:
    """A plan with the race's own course, to which a hill is added, and with places on it."""
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
