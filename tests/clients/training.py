"""A typical load for profile-guided builds: see `compile` in packaging/release.sh.

Clients in both eras make calls over several kept connections at once. Their other requests are as rare as in real use.
The compiler treats everything that does not happen here as rare.
"""

import json
import random
import shutil
import subprocess
import tempfile
import threading
from pathlib import Path

from caller import LEGACY, MODERN, Caller, Refused
from stage import Stage

# Unlike the other plays, this one uses the default log level.
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


# The calls of a worker without a gateway, and how often each of them is made.
ROUNDS = 60
OF_A_WORKER = [
    *TOOLS,
    ("get_training_overview", {}),
    ("get_trend", {"metric": "sleep", "range": "-8w"}),
    ("get_training_volume", {"range": "-8w"}),
    ("get_day_profile", {}),
    ("analyze_activity", {}),
    ("get_user_profile", {}),
    ("get_devices", {}),
    ("get_hrv_data", {"date": "2026-06-01"}),
    ("get_workouts", {}),
]


def a_worker_alone(stage: Stage) -> int:
    """A worker without a fence, with the tokens of one that runs. Inside the fence, it could not write a profile."""
    place = Path(tempfile.mkdtemp(prefix="worker-"))
    environment = None
    for pid in stage.workers():
        pairs = Path(f"/proc/{pid}/environ").read_text().split("\0")
        told = dict(pair.split("=", 1) for pair in pairs if "=" in pair)
        if "GARMINTOKENS" in told:
            environment = told
    need(environment is not None, "no worker runs")
    for file in Path(environment["GARMINTOKENS"]).glob("*.json"):
        shutil.copy(file, place)
    environment |= {"HOME": str(place), "TMPDIR": str(place), "GARMINTOKENS": str(place)}
    del environment["GARMIN_MCP_TRANSPORT"]
    asked = [("initialize", {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "training", "version": "1"}})]
    asked += [("tools/list", {})] * ROUNDS
    asked += [("tools/call", {"name": tool, "arguments": arguments}) for tool, arguments in OF_A_WORKER] * ROUNDS
    lines = [{"jsonrpc": "2.0", "id": n, "method": method, "params": params} for n, (method, params) in enumerate(asked)]
    lines.insert(1, {"jsonrpc": "2.0", "method": "notifications/initialized"})
    worker = subprocess.run(
        [stage.binary, "worker"], env=environment, input="".join(json.dumps(line) + "\n" for line in lines),
        capture_output=True, text=True, timeout=240,
    )
    shutil.rmtree(place, ignore_errors=True)
    answers = [json.loads(line) for line in worker.stdout.splitlines()]
    answers = [answer for answer in answers if "id" in answer]
    need(len(answers) == len(asked), f"{len(answers)} of {len(asked)} answers: {worker.stderr[-500:]}")
    failed = [answer for answer in answers if "error" in answer or answer["result"].get("isError")]
    need(not failed, f"a worker alone failed: {failed[:2]}")
    return len(answers)


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
    alone = a_worker_alone(stage)
    first.revoke()
    try:
        first.call("get_full_name")
    except Refused as refused:
        need(refused.status == 401, f"a revoked sign-in got {refused.status}")
    else:
        raise AssertionError("a revoked sign-in was answered")
    return CONNECTIONS * CALLS + alone
