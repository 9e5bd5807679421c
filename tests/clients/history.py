"""The stored history: filled from the pretend Garmin while the gateway is killed with SIGKILL, then read by twenty
clients at once while Garmin is down."""

import json
import statistics
import threading
import time

from caller import Caller
from stage import Stage, StageError

# Without pauses between requests; with the default, the play would take half an hour per person.
SETTINGS = {"HISTORY_PACE": "0"}
PEOPLE = 5
CALLERS = 20
CALLS_EACH = 25
# All histories must be filled within this time, although the kills delay it.
FILLED_S = 600
LARGEST_TREND_BYTES = 2_048

METRICS = ["sleep", "resting_heart_rate", "hrv", "stress", "body_battery", "steps", "intensity_minutes", "weight", "vo2_max"]
QUESTIONS = [
    *(("get_trend", {"metric": metric, "range": "-3y"}) for metric in METRICS),
    *(("get_trend", {"metric": metric, "range": "-8w", "by": "week"}) for metric in METRICS[:6]),
    *(("baseline", {"metric": metric}) for metric in METRICS[:4]),
    ("find_unusual", {"range": "-2w"}),
    ("correlate", {"metric": "stress", "other": "sleep"}),
    ("get_training_volume", {"range": "-1y"}),
    ("get_training_volume", {"range": "-8w", "by": "week"}),
    ("get_zone_distribution", {"range": "-3m"}),
    # The gateway asks Garmin first, because readiness and training status are not stored.
    ("get_training_overview", {}),
]


def ask(caller: Caller, tool: str, arguments: dict) -> dict:
    return json.loads(caller.call(tool, arguments))


def fill(stage: Stage, callers: list[Caller]) -> int:
    """Switches the history on, kills the gateway twice, and waits until all is there. Returns the number of days."""
    for caller in callers:
        assert ask(caller, "keep_history", {"action": "on"})["history"] == "on"
    for _ in range(2):
        time.sleep(2)
        stage.kill_gateway()
        stage.start_gateway()
        for caller in callers:
            caller.disconnect()
    until = time.monotonic() + FILLED_S
    while time.monotonic() < until:
        told = [ask(caller, "keep_history", {"action": "status"}) for caller in callers]
        assert all(not one["problems"] for one in told), told
        if all(one["is_filled"] for one in told):
            print(f"{[one['bytes'] for one in told]} bytes for {[one['days_with_data'] for one in told]} days with data")
            return sum(one["days_with_data"] for one in told)
        time.sleep(0.5)
    raise StageError(f"not filled within {FILLED_S} s: {told}")


def at_once(callers: list[Caller]) -> list[float]:
    """The durations of the calls of all callers, in milliseconds. All callers call at the same time."""
    times, failed = [], []

    def one(caller: Caller, number: int):
        try:
            for n in range(CALLS_EACH):
                began = time.perf_counter()
                told = ask(caller, "get_trend", {"metric": METRICS[(n + number) % len(METRICS)], "range": "-3y"})
                times.append((time.perf_counter() - began) * 1_000)
                assert told["source"] == "history", told
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=one, args=(caller, number)) for number, caller in enumerate(callers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed, failed[0]
    return times


def history(stage: Stage) -> int:
    people = [person for person in stage.people if person.code is None][:PEOPLE]
    first = [Caller(stage.url, "history").connect(person) for person in people]
    assert fill(stage, first) > 365 * PEOPLE
    stage.garmin.kill()
    stage.garmin.wait()
    checks = 0
    for caller in first:
        for tool, arguments in QUESTIONS:
            told = ask(caller, tool, arguments)
            size = len(json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode())
            assert told["source"] == "history" and told["as_of"], (tool, arguments, told)
            assert tool != "get_trend" or size <= LARGEST_TREND_BYTES, (arguments, size)
            checks += 1
    more = []
    for n in range(CALLERS - len(first)):
        caller = Caller(stage.url, "history")
        caller.access_token = first[n % PEOPLE].access_token
        more.append(caller)
    times = sorted(at_once(first + more))
    p99 = times[int(len(times) * 0.99)]
    print(f"{len(QUESTIONS)} questions a person without Garmin; {CALLERS} callers at once: a trend of three years takes "
          f"{statistics.median(times):.1f} ms, p99 {p99:.1f} ms")
    for caller in first:
        assert ask(caller, "keep_history", {"action": "off"})["history"] == "off"
        assert ask(caller, "keep_history", {"action": "status"})["history"] == "off"
        checks += 2
    return checks + len(times)
