"""What athletes ask, against the demo. Each question takes at most three calls and 12,000 tokens, and the answer
contains the figure that was asked for.

The calls of a question are fixed, so that only the gateway can cause a failure. Tokens are those of the structured
content, which is what Claude gets of an answer, at 3.2 characters per token.
"""

import json
from datetime import date, timedelta
from pathlib import Path

from caller import Caller
from demo import Demo

MOST_CALLS = 3
MOST_TOKENS = 12_000
# The limit for tools that compute an answer, with their default arguments.
MOST_TOKENS_OF_A_QUESTION_TOOL = 2_000
# The tools of the first measurement, which are the first in `tests/tools/schemas.json`. One answer of each of them and
# of each race tool together must stay below the limit for all answers.
FIRST_TOOLS = 47
MOST_TOKENS_OF_ALL_ANSWERS = 66_000
MOST_TOKENS_OF_AN_ANSWER = 20_000
CHARACTERS_PER_TOKEN = 3.2

QUESTION_TOOLS = {
    "get_training_overview", "get_trend", "find_unusual", "baseline", "compare_periods", "correlate", "get_training_volume", "analyze_activity", "compare_activities",
    "find_similar_activities", "get_zone_distribution", "get_day_profile",
}


def trend(metric: str, since: str, **more):
    return "get_trend", {"metric": metric, "range": since, **more}


def at(answer, *path):
    """The value at a path, or None if there is no such value."""
    for key in path:
        try:
            answer = answer[key]
        except (KeyError, IndexError, TypeError):
            return None
    return answer


def numbers(*path):
    """Whether the last answer has a list with a number in it at this path."""
    return lambda answers: any(isinstance(value, (int, float)) for value in at(answers[-1], *path) or [])


def number(*path):
    """Whether the last answer has a number at this path."""
    return lambda answers: isinstance(at(answers[-1], *path), (int, float))


def coming(weekday: int) -> str:
    """The next day that is this day of the week, where Monday is 0."""
    today = date.today()
    return str(today + timedelta((weekday - today.weekday()) % 7))


INTERVALS = [
    {"kind": "warmup", "duration_min": 15},
    {"times": 5, "steps": [
        {"kind": "interval", "distance_m": 1000, "pace_from": "4:10", "pace_to": "4:00"},
        {"kind": "recovery", "duration_min": 2},
    ]},
    {"kind": "cooldown", "duration_min": 10},
]


def weekday(name: str, column: str):
    """Whether the last answer has a number in this column for this weekday."""
    def check(answers):
        series = at(answers[-1], "series") or {}
        return isinstance(at(series, column, series.get("weekday", []).index(name)), (int, float))
    return check


# Each question, its calls, and a check for the figure that the last answer must have.
QUESTIONS = [
    ("How did I sleep last night?", [("get_sleep_summary", {"date": "today"})], number("sleep_hours")),
    ("Am I ready for intervals today?", [("get_training_overview", {})], number("readiness", "score")),
    ("My run this morning, lap by lap", [("analyze_activity", {"activity_type": "running"})], numbers("laps", "avg_bpm")),
    ("My last two long runs compared", [("compare_activities", {"activity_type": "running", "min_minutes": 70})],
     number("newer_against_older", "pace_s_per_km")),
    ("Kilometres per week this year by sport", [("get_training_volume", {"range": "this year", "by": "week"})],
     numbers("series", "run_km")),
    ("My sleep over 8 weeks", [trend("sleep", "-8w")], numbers("series", "sleep_h")),
    ("Resting heart rate over 3 months", [trend("resting_heart_rate", "-3m")], number("summary", "change_per_week")),
    ("HRV against my baseline", [trend("hrv", "-4w")], number("latest", "baseline_low_ms")),
    ("Am I overreaching?", [("get_training_overview", {})],
     lambda answers: isinstance(at(answers[-1], "signs_of_overreaching", "found"), list)),
    ("My VO2 max trend", [trend("vo2_max", "-6m")], numbers("series", "vo2_max")),
    ("What marathon time can I run?", [("get_race_predictions", {})],
     number("predictions", "marathon", "time_seconds")),
    ("My personal records", [("get_personal_record", {})], lambda answers: "Fastest 5K" in json.dumps(answers[-1])),
    ("Did the heat slow me?", [("find_similar_activities", {"activity_type": "running"})],
     number("against_the_median_of_similar", "temperature_c")),
    ("Decoupling of my long run without a power meter", [("compare_activities", {"activity_type": "running", "min_minutes": 70, "last": 1}),
     lambda answers: ("analyze_activity", {"activity_id": answers[-1]["activities"]["activity_id"][0]})],
     number("second_half_against_first", "decoupling_pace_percent")),
    ("My power curve and FTP", [("get_power_duration_curve", {})], number("ftp_estimate_w")),
    ("Make an interval workout for Tuesday",
     [("create_workout", {"name": "5 x 1000 m", "date": coming(1), "steps": INTERVALS})],
     lambda answers: answers[-1]["done"] is True and answers[-1]["scheduled_date"] == coming(1)),
    ("Move Thursday's session to Friday",
     [("reschedule_workout", {"from_date": coming(3), "to_date": str(date.fromisoformat(coming(3)) + timedelta(1))})],
     lambda answers: answers[-1]["done"] is True and "undo" in answers[-1]),
    ("Time in zones over 4 weeks", [("get_zone_distribution", {"range": "-4w"})], number("percent_easy_z1_z2")),
    ("The weather of my last 5 runs", [("compare_activities", {"activity_type": "running", "last": 5})],
     numbers("activities", "temperature_c")),
    ("When in the week am I stressed?", [trend("stress", "-8w", by="weekday")], weekday("Mon", "avg_stress")),
    ("What drains my body battery?", [trend("body_battery", "-4w")], number("impact_by_event", 0, "impact")),
    ("My weight this year", [trend("weight", "this year")], number("summary", "mean")),
    ("My blood pressure this year", [trend("blood_pressure", "-1y")], number("summary", "mean")),
    ("How many kilometres do my shoes have?", [("get_gear", {})], lambda answers: "412.3" in json.dumps(answers[-1])),
    ("Do I reach my step goal on weekdays and weekends?", [trend("steps", "-8w", by="weekday")],
     weekday("Sat-Sun", "goal_reached_percent_of_days")),
    ("Was anything unusual in the last four weeks?", [("find_unusual", {})],
     lambda answers: isinstance(at(answers[-1], "unusual"), list) and "not_judged" not in answers[-1]),
    ("What is my usual resting heart rate?", [("baseline", {"metric": "resting_heart_rate"})], number("usual", "usual_median")),
    ("Did I sleep longer than in the weeks before?", [("compare_periods", {"metric": "sleep"})],
     number("compared", "sleep_h", "difference")),
    ("Does my sleep show in my HRV?", [("correlate", {"metric": "sleep", "other": "hrv"})], number("rank_correlation")),
]


def tokens(answer) -> float:
    return len(json.dumps(answer, ensure_ascii=False, separators=(",", ":"))) / CHARACTERS_PER_TOKEN


def ask(caller: Caller, calls, holds) -> tuple[int, float]:
    """Makes the calls of a question, checks its answer, and returns the numbers of calls and of tokens."""
    answers, total = [], 0.0
    for call in calls:
        tool, arguments = call(answers) if callable(call) else call
        result = caller.rpc("tools/call", {"name": tool, "arguments": arguments})
        answer = result.get("structuredContent")
        assert not result.get("isError") and isinstance(answer, dict), f"{tool} {arguments}: {json.dumps(result)[:600]}"
        cost = tokens(answer)
        assert tool not in QUESTION_TOOLS or cost < MOST_TOKENS_OF_A_QUESTION_TOOL, f"{tool} {arguments} takes {cost:.0f} tokens"
        total += cost
        answers.append(answer)
    assert holds(answers), f"the answer lacks the figure: {json.dumps(answers[-1], ensure_ascii=False)[:1500]}"
    assert len(calls) <= MOST_CALLS and total <= MOST_TOKENS, f"{len(calls)} calls, {total:.0f} tokens"
    return len(calls), total


RACE_TOOLS = [
    ("list_races", {}), ("get_tracking_status", {}), ("get_timeseries", {"window_min": 60}), ("get_race_summary", {}),
    ("update_thresholds", {"thresholds": {"hr_max": 190}}), ("trigger_analysis", {}), ("set_phone", {}),
    ("send_coaching_message", {"text": "Keep going."}), ("stop_tracking", {}),
]


def sizes(caller: Caller) -> int:
    """Gets one answer of each tool, and prints how many tokens they take together."""
    schemas = json.loads((Path(__file__).parents[1] / "tools" / "schemas.json").read_text())
    run = caller.rpc("tools/call", {"name": "get_activities", "arguments": {"limit": 20}})["structuredContent"]["activities"]
    run = next(activity for activity in run if activity["type"] == "running")
    yesterday = date.today() - timedelta(1)
    given = {
        "date": str(yesterday), "start_date": str(yesterday - timedelta(6)), "end_date": str(yesterday),
        "activity_id": run["id"],
    }
    calls = [
        (schema["name"], {name: given[name] for name in schema["inputSchema"].get("required", [])}) for schema in schemas[:FIRST_TOOLS]
    ]
    total = 0.0
    for tool, arguments in calls + RACE_TOOLS:
        result = caller.rpc("tools/call", {"name": tool, "arguments": arguments})
        cost = tokens(result.get("structuredContent") or result["content"])
        assert cost <= MOST_TOKENS_OF_AN_ANSWER, f"{tool} takes {cost:.0f} tokens"
        total += cost
    print(f"   {len(calls) + len(RACE_TOOLS)} answers take {total:.0f} tokens")
    assert total <= MOST_TOKENS_OF_ALL_ANSWERS, f"{total:.0f} tokens"
    return 1


def questions(binary: Path) -> int:
    house = Demo(binary)
    failures, all_tokens = [], 0.0
    try:
        person = next(person for person in house.people if not person.code)
        caller = Caller(house.mcp.removesuffix("/mcp")).connect(person)
        for question, calls, holds in QUESTIONS:
            try:
                count, cost = ask(caller, calls, holds)
            except (AssertionError, RuntimeError) as failure:
                failures.append(f"{question} {failure}")
            else:
                all_tokens += cost
                print(f"   {count} calls {cost:6.0f} tokens  {question}")
        checks = len(QUESTIONS) + sizes(caller)
        caller.disconnect()
        print(f"   {all_tokens:.0f} tokens in all")
        assert not failures, "\n".join(failures)
        house.stop()
    finally:
        house.remove()
    return checks
