"""A typical load for profile-guided builds: see `compile` in packaging/release.sh.

The calls of clients in both eras, from connections that they keep and over more than one of them at once; beside
them, as seldom as in life, what else a client asks. What is not played here, the compiler takes for seldom.
"""

import random
import threading

from caller import LEGACY, MODERN, Caller, Refused
from stage import Stage

# Default settings, unlike the other plays.
SETTINGS = {"GATEWAY_LOG_LEVEL": "info"}

CONNECTIONS = 8
CALLS = 1500

TOOLS = [
    ("get_full_name", {}),
    ("get_stats", {"date": "2026-06-01"}),
    ("get_sleep_summary", {"date": "2026-06-01"}),
    ("get_activities", {"start": 0, "limit": 5}),
]


def need(right: bool, what: str):
    if not right:
        raise AssertionError(what)


def client(of: Caller) -> Caller:
    """A second connection with the same sign-in."""
    other = Caller(of.url, of.client_name)
    other.client_id, other.access_token = of.client_id, of.access_token
    return other


def a_days_calls(caller: Caller, name: str, failures: list[Exception]):
    try:
        for number in range(CALLS):
            era = LEGACY if number % 4 == 0 else MODERN
            if number % 50 == 0:
                tool, arguments = random.choice(TOOLS)
                caller.call(tool, arguments, era)
            if number % 100 == 0:
                for method in ("tools/list", "resources/list", "ping" if era == LEGACY else "server/discover"):
                    caller.rpc(method, era=era)
            need(name in caller.call("get_full_name", era=era), "another person's name")
        caller.disconnect()
    except Exception as failure:
        failures.append(failure)


def training(stage: Stage) -> int:
    person = next(person for person in stage.people if person.code)
    first = Caller(stage.url).connect(person)
    first.refresh()
    failures: list[Exception] = []
    days = [
        threading.Thread(target=a_days_calls, args=(client(first), person.full_name, failures))
        for _ in range(CONNECTIONS)
    ]
    for day in days:
        day.start()
    for day in days:
        day.join()
    if failures:
        raise failures[0]
    first.revoke()
    try:
        first.call("get_full_name")
    except Refused as refused:
        need(refused.status == 401, f"a revoked sign-in got {refused.status}")
    else:
        raise AssertionError("a revoked sign-in was answered")
    return CONNECTIONS * CALLS
