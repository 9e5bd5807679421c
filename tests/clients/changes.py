"""Changes at Garmin while connections break, Garmin answers 5xx and workers are killed: each change arrives exactly
once, or is reported as unknown and then resolved.

Several people add weigh-ins, custom foods and workouts, no two of them alike. Before many calls, the pretend Garmin is
told to fail at the next change, before or after it carries it out. If an answer does not say "done", the play does what
a person would do: it looks at the data, and calls again with `again` if the change is not there. In the end, Garmin's
own list must have each change once. Sometimes the person's own connection breaks in the middle of a call.
"""

import json
import random
import threading
import time
import urllib.request
from collections import Counter
from datetime import datetime, timedelta

from caller import Caller, Refused
from stage import Stage, StageError

PEOPLE = 6
# How often a fault is set before a call, and which faults.
FAULTY = 0.35
FAULTS = [
    {"kind": "dropped"},
    {"kind": "hang_up"},
    {"kind": "status", "status": 503},
    {"kind": "late_status", "status": 502},
]
# The pause between two kills of all workers, in seconds. The gateway rightly gives up workers that die more often.
KILL_PAUSE = (5.0, 7.0)
# How often the person's own connection breaks during a call, and after how many seconds at most.
HANGS_UP, HANGS_UP_WITHIN = 0.05, 0.04
# How long a person whose connection broke waits before they look: the change may still be on its way to Garmin.
BEFORE_LOOKING = 2.0
# How many times a person looks for a change and repeats it at most.
TRIES = 8


def control(stage: Stage, method: str, path: str, body=None):
    """A request to the control endpoints of the pretend Garmin."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{stage.garmin_url.rstrip('/')}{path}", data, method=method)
    with urllib.request.urlopen(request, timeout=30) as reply:
        text = reply.read()
    return json.loads(text) if text else None


class WeighIn:
    """A weigh-in at a minute that no other has."""

    def __init__(self, person: int, number: int):
        at = datetime(2026, 1, 1) + timedelta(days=number % 300, minutes=person * 200 + number // 300)
        self.day, self.mark = f"{at:%Y-%m-%d}", f"{at:%Y-%m-%dT%H:%M:00.000}"
        self.kg = round(50 + person * 5 + (number // 300) * 0.1, 1)
        self.tool = "add_weigh_in_with_timestamps"
        self.arguments = {"weight": self.kg, "date_timestamp": self.mark, "gmt_timestamp": self.mark}

    def look(self, caller: Caller) -> bool:
        told = answer(caller, "get_daily_weigh_ins", {"date": self.day})
        measurements = told.get("measurements", []) if isinstance(told, dict) else []
        return any(abs(m["weight_kg"] - self.kg) < 0.01 and m.get("source_type") == "MANUAL" for m in measurements)


class Food:
    """A custom food with a name that no other has."""

    def __init__(self, person: int, number: int):
        self.mark = f"food {person} {number} {'x' * (number % 7)}."
        self.tool, self.arguments = "create_custom_food", {"food_name": self.mark, "calories": 100}

    def look(self, caller: Caller) -> bool:
        told = answer(caller, "get_custom_foods", {"search": self.mark})
        return any(f["foodMetaData"]["foodName"] == self.mark for f in told.get("customFoods", []))


class Workout:
    """A workout with a name that no other has."""

    def __init__(self, person: int, number: int):
        self.mark = f"workout {person} {number}."
        self.tool = "create_workout"
        self.arguments = {"name": self.mark, "steps": [{"kind": "interval", "duration_min": 30}]}

    def look(self, caller: Caller) -> bool:
        cursor = 0
        while cursor is not None:
            told = answer(caller, "get_workouts", {"cursor": cursor})
            if any(w["name"] == self.mark for w in told.get("workouts", [])):
                return True
            cursor = (told.get("page") or {}).get("cursor") if isinstance(told.get("page"), dict) else None
        return False


def answer(caller: Caller, tool: str, arguments: dict) -> dict:
    """The answer of a tool that only reads. It is called until it answers, because killed workers are started again."""
    for _ in range(240):
        try:
            text = caller.call(tool, arguments)
        except (Refused, OSError):
            time.sleep(0.25)
            continue
        return json.loads(text) if text.startswith(("{", "[")) else {}
    raise StageError(f"{tool} never answered")


class Person(threading.Thread):
    """Makes one change after the other, and resolves those whose result is unknown."""

    def __init__(self, stage: Stage, caller: Caller, email: str, index: int, count: int, seed: int):
        super().__init__(daemon=True)
        self.stage, self.caller, self.email, self.index, self.count = stage, caller, email, index, count
        self.dice = random.Random(seed * 1000 + index)
        self.told, self.error, self.marks = Counter(), None, []

    def run(self):
        try:
            for number in range(self.count):
                kind = (WeighIn, Food, Workout)[number % 3]
                self.make(kind(self.index, number))
        except Exception as error:
            self.error = error

    def make(self, change):
        if self.dice.random() < FAULTY:
            rule = {"place": "api", "fault": self.dice.choice(FAULTS), "person": self.email, "method": "changes", "times": 1}
            control(self.stage, "POST", "/simulator/faults", rule)
        self.marks.append(change.mark)
        arguments = change.arguments
        for _ in range(TRIES):
            said = self.call(change.tool, arguments)
            self.told[said] += 1
            if said == "done":
                return
            there = change.look(self.caller)
            if there:
                assert said != "not made", f"{change.mark} was told as not made, but it is there"
                self.told["resolved as made"] += 1
                return
            arguments = {**change.arguments, "again": True}
        raise AssertionError(f"{change.mark} was not made in {TRIES} tries")

    def call(self, tool: str, arguments: dict) -> str:
        """What the answer says of the change: done, not made, unknown, refused, or nothing at all."""
        if self.dice.random() < HANGS_UP:
            self.caller.rpc_and_hang_up(
                "tools/call", {"name": tool, "arguments": arguments}, self.dice.uniform(0, HANGS_UP_WITHIN)
            )
            time.sleep(BEFORE_LOOKING)
            return "hung up"
        try:
            result = self.caller.rpc("tools/call", {"name": tool, "arguments": arguments})
        except (Refused, OSError):
            return "no answer"
        told = result.get("structuredContent") or {}
        if told.get("done") is True:
            return "done"
        if told.get("done") is False:
            return "not made"
        if told.get("done") == "unknown":
            return "unknown"
        return "refused"


def kill_now_and_then(stage: Stage, stopping: threading.Event, dice: random.Random, killed: Counter):
    while not stopping.wait(dice.uniform(*KILL_PAUSE)):
        killed["workers"] += stage.kill_workers()


def changes(stage: Stage, calls: int, seed: int) -> int:
    """Returns the number of changes that were checked."""
    chosen = [person for person in stage.people if person.code is None][:PEOPLE]
    per_person = -(-calls // len(chosen))
    people = [
        Person(stage, Caller(stage.url, "changes").connect(who), who.email, index, per_person, seed)
        for index, who in enumerate(chosen)
    ]
    stopping, killed = threading.Event(), Counter()
    killer = threading.Thread(target=kill_now_and_then, args=(stage, stopping, random.Random(seed), killed), daemon=True)
    killer.start()
    for person in people:
        person.start()
    for person in people:
        person.join()
    stopping.set()
    killer.join()
    for person in people:
        if person.error is not None:
            raise AssertionError(f"{person.email}: {person.error!r}") from person.error
    carried_out = control(stage, "GET", "/simulator/changes")
    for person in people:
        mine = [json.dumps(done["body"], ensure_ascii=False) for done in carried_out if done["person"] == person.email]
        for mark in person.marks:
            arrived = sum(f'"{mark}"' in body for body in mine)
            # Bodies are counted, because the mark of a weigh-in is its time, which its body names twice.
            assert arrived == 1, f"{person.email}: {mark} arrived {arrived} times"
    told = sum((person.told for person in people), Counter())
    print(f"{len(people) * per_person} changes, {killed['workers']} workers killed; answers: {dict(told)}")
    assert killed["workers"] and told["done"], "nothing was tried"
    if calls >= 500:
        for kind in ("not made", "refused", "hung up", "resolved as made"):
            assert told[kind], f"no call ended as {kind}: the faults had no effect"
    return len(people) * per_person
