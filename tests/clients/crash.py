"""The gateway is killed with SIGKILL under load, again and again: every acknowledged write must survive, and nothing
may be left behind.

While clients register, refresh, revoke and call tools at the same time, the gateway is killed at a random moment and
started again with the same data. Then everything that was answered before the kill is checked. A request without an
answer may have taken effect or not. Every worker must be gone before the next gateway starts.
"""

import http.client
import random
import threading
import time

from caller import Caller, Refused
from sign_in import Browser
from stage import Stage, wait_for

LOST = (OSError, http.client.HTTPException, ValueError)


class Load(threading.Thread):
    """One kind of work in a loop until told to stop; it records what was acknowledged."""

    def __init__(self, work):
        super().__init__(daemon=True)
        self.work, self.stopping, self.done, self.error = work, threading.Event(), 0, None

    def run(self):
        while not self.stopping.is_set():
            try:
                self.work()
                self.done += 1
            except LOST:
                # The kill cut off the response: nothing was acknowledged.
                time.sleep(0.005)
            except Exception as error:
                self.error = error
                return


class Registrations:
    """Every client_id from a 201 must be known afterwards."""

    def __init__(self, stage: Stage):
        self.stage, self.acknowledged = stage, []
        self.caller = Caller(stage.url, "crash")

    def work(self):
        self.acknowledged.append(self.caller.register())

    def check(self):
        for client_id in self.acknowledged:
            caller = Caller(self.stage.url, "crash")
            caller.client_id = client_id
            reply = Browser().request("GET", caller.authorize_url("v" * 43, "s"))
            assert reply.status == 200, f"a registered client is unknown: {reply.status}"
        self.acknowledged.clear()


class Refreshes:
    """The newest tokens from a 200 must work at /mcp and at /token."""

    def __init__(self, caller: Caller):
        self.caller = caller

    def work(self):
        self.caller.refresh()

    def check(self):
        self.caller.rpc("tools/list")
        self.caller.refresh()
        self.caller.rpc("tools/list")


class SignIns:
    """Issued tokens must be accepted; revoked ones must be refused, however often they are tried."""

    def __init__(self, stage: Stage, people: list):
        self.stage, self.people, self.turn = stage, people, 0
        self.given: list[Caller] = []
        self.revoked: list[Caller] = []

    def work(self):
        self.turn += 1
        caller = Caller(self.stage.url, "crash").connect(self.people[self.turn % len(self.people)])
        if self.turn % 2:
            self.given.append(caller)
        else:
            # If the kill cuts off the response, these tokens may be valid or revoked.
            caller.revoke()
            self.revoked.append(caller)

    def check(self):
        for caller in self.given:
            caller.rpc("tools/list")
        for caller in self.revoked:
            try:
                caller.rpc("tools/list")
            except Refused as refused:
                assert refused.status == 401, refused
            else:
                raise AssertionError("a revoked token works again after a crash")
        self.given.clear()
        self.revoked.clear()


class Calls:
    """Tool calls through the worker: they keep it busy during the kill, and must work afterwards."""

    def __init__(self, caller: Caller, full_name: str):
        self.caller, self.full_name = caller, full_name

    def work(self):
        self.check()

    def check(self):
        assert self.full_name in self.caller.call("get_full_name"), "another person's name"


def callers(kinds) -> list[Caller]:
    """The callers whose connections were cut by the kill."""
    found = []
    for kind in kinds:
        found += [*kind.given, *kind.revoked] if isinstance(kind, SignIns) else [kind.caller]
    return found


def crash(stage: Stage, rounds: int, seed: int) -> int:
    """Returns the number of acknowledged writes that were checked."""
    dice = random.Random(seed)
    ann, *others = (person for person in stage.people if person.code is None)
    kinds = [
        Registrations(stage),
        Refreshes(Caller(stage.url, "crash").connect(ann)),
        SignIns(stage, others),
        Calls(Caller(stage.url, "crash").connect(ann), ann.full_name),
    ]
    total = 0
    for number in range(rounds):
        loads = [Load(kind.work) for kind in kinds]
        for load in loads:
            load.start()
        wait_for("every kind of load got an answer", lambda: all(load.done or load.error for load in loads), 30)
        time.sleep(dice.uniform(0.05, 0.6))
        stage.kill_gateway()
        for load in loads:
            load.stopping.set()
        for load in loads:
            load.join(70)
            if load.error is not None:
                raise AssertionError(f"round {number}: {load.error!r}") from load.error
        wait_for("the workers died with their gateway", lambda: not stage.workers(), 5)
        began = time.monotonic()
        stage.start_gateway()
        ready_ms = (time.monotonic() - began) * 1000
        for caller in callers(kinds):
            caller.disconnect()
        for kind in kinds:
            kind.check()
        done = sum(load.done for load in loads)
        total += done
        counts = ", ".join(f"{type(k).__name__.lower()} {load.done}" for k, load in zip(kinds, loads))
        print(f"round {number + 1}: killed after {done} acknowledged acts ({counts}), ready again in {ready_ms:.0f} ms")
    return total
