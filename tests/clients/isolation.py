"""Twenty people, thousands of calls, room for a third of their workers, and SIGKILL at random for workers and gateway.

Everybody makes calls, signs in again and lets Garmin's access tokens expire. Nobody may ever get another person's
answer or lose a login, and no process, descriptor or directory may be left behind. The environment and the arguments
of every worker that is seen are searched for secrets.
"""

import http.client
import json
import os
import random
import signal
import threading
import time
import urllib.request
from urllib.parse import urlsplit

from caller import LEGACY, MODERN, Caller, Refused
from sign_in import Person
from stage import Stage, processes_with, wait_for

LOST = (OSError, http.client.HTTPException, ValueError)
SETTINGS = {"MAX_WORKERS": "7", "WORKER_IDLE_TTL": "1"}
# Errors that a call may get while workers are killed and places are scarce. The call is then repeated.
EXPECTED = ("are in use", "was stopped by the server", "ended twice while it was reading", "the next try is possible in")
# For how many seconds a call is repeated at most.
PATIENCE_S = 60
TOOLS = (
    ("get_full_name", lambda dice: {}),
    ("get_stats", lambda dice: {"date": f"2026-10-{dice.randint(1, 28):02}"}),
    ("get_sleep_data", lambda dice: {"date": f"2026-09-{dice.randint(1, 28):02}"}),
    ("get_activities", lambda dice: {"start": dice.randint(0, 5), "limit": dice.randint(1, 4)}),
)


class Play:
    """The state that all people share."""

    def __init__(self, stage: Stage):
        self.stage = stage
        self.lock = threading.Lock()
        self.whose: dict[tuple[str, str, str], str] = {}
        self.to_be_spent: dict[str, set[str]] = {}
        self.secrets: set[str] = set()
        self.deaths = 0

    def garmin(self, path: str, body: dict | None = None) -> dict:
        data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(f"{self.stage.garmin_url}/simulator/{path}", data, timeout=10) as reply:
            return json.loads(reply.read() or b"{}")

    def expire(self, person: Person):
        """Ends the person's access tokens at Garmin: the next call begins with a refresh."""
        with self.lock:
            self.to_be_spent[person.email] = set(self.garmin("logins")[person.email])
            self.garmin("expire", {"email": person.email})

    def check(self, person: Person, tool: str, arguments: dict, text: str):
        """The same question gets the same answer, and no person gets another's."""
        if tool == "get_full_name":
            assert json.loads(text) == {"full_name": person.full_name}, f"{person.full_name} was told {text}"
            return
        with self.lock:
            owner = self.whose.setdefault((tool, json.dumps(arguments), text), person.email)
        assert owner == person.email, f"{person.email} got {owner}'s answer to {tool} {arguments}"


class Visitor(threading.Thread):
    """One person with a client, who makes calls and sometimes signs in again or lets the tokens expire."""

    def __init__(self, play: Play, person: Person, calls: int, seed: float):
        super().__init__(daemon=True)
        self.play, self.person, self.calls, self.dice = play, person, calls, random.Random(seed)
        self.caller: Caller | None = None
        self.answered = self.refused = self.lost = self.sign_ins = 0
        self.error: Exception | None = None

    def run(self):
        try:
            self.connect()
            while self.answered < self.calls:
                chance = self.dice.random()
                if chance < 0.01:
                    self.connect()
                elif chance < 0.05:
                    self.play.expire(self.person)
                self.ask()
                if self.answered % 25 == 0:
                    # Long enough for others to take the place, and sometimes for the worker to be reaped.
                    time.sleep(self.dice.uniform(0, 1.5))
        except Exception as error:
            self.error = error

    def connect(self):
        """Signs in, and starts again if a kill of the gateway interrupts it."""
        while True:
            deaths = self.play.deaths
            try:
                caller = Caller(self.play.stage.url, "isolation").connect(self.person)
                break
            except LOST:
                time.sleep(0.1)
            except Exception:
                # The killed gateway may have known half of the sign-in, and the next one the other half.
                time.sleep(0.1)
                if deaths == self.play.deaths:
                    raise
        self.caller = caller
        self.sign_ins += 1
        with self.play.lock:
            self.play.secrets |= {caller.access_token, caller.refresh_token}

    def ask(self):
        """Makes one call, and repeats it until it succeeds."""
        tool, arguments = self.dice.choice(TOOLS)
        arguments = arguments(self.dice)
        until = time.monotonic() + PATIENCE_S
        while True:
            try:
                text = self.caller.call(tool, arguments, self.dice.choice((MODERN, LEGACY)))
            except LOST:
                self.lost += 1
                if time.monotonic() > until:
                    raise
                time.sleep(0.05)
            except Refused as refused:
                is_expected = refused.status == 200 and any(words in str(refused) for words in EXPECTED)
                if not is_expected or time.monotonic() > until:
                    raise
                self.refused += 1
                time.sleep(0.05)
            else:
                self.play.check(self.person, tool, arguments, text)
                self.answered += 1
                return


class Chaos:
    """Kills workers continuously and the gateway occasionally."""

    def __init__(self, play: Play, seed: int):
        self.play, self.dice = play, random.Random(seed)
        self.killed = self.looked_at = 0
        self.killed_at: dict[str, float] = {}

    def workers(self) -> dict[int, tuple[str, bytes]]:
        """The workers by process id. Each has a directory, and everything readable about how it was started."""
        found = {}
        for pid in self.play.stage.workers():
            try:
                told = open(f"/proc/{pid}/environ", "rb").read() + open(f"/proc/{pid}/cmdline", "rb").read()
            except OSError:
                continue
            for variable in told.split(b"\0"):
                if variable.startswith(b"GARMINTOKENS="):
                    found[pid] = (variable.decode().split("=", 1)[1], told)
        return found

    def look(self):
        """Checks that no secret appears in a worker's environment or arguments."""
        people = self.play.stage.people
        with self.play.lock:
            secrets = set(self.play.secrets)
        for tokens in self.play.garmin("logins").values():
            secrets |= set(tokens)
        secrets |= {p.password for p in people} | {p.email for p in people}
        secrets.add((self.play.stage.directory / "secret").read_text().strip())
        for directory, told in self.workers().values():
            found = [secret for secret in secrets if secret.encode() in told]
            assert not found, f"{len(found)} secrets in the environment or arguments of the worker of {directory}"
            self.looked_at += 1

    def kill_worker(self):
        """Kills a worker at any moment but one: after Garmin has spent a refresh token and before the next one is
        written, because that would be lost to everybody. A refresh may begin when the tokens expire, and is over when a
        refresh token is written that did not exist then."""
        workers = self.workers()
        if not workers:
            return
        pid, (directory, _) = self.dice.choice(sorted(workers.items()))
        # A worker that keeps dying is restarted after longer and longer pauses. This play does not test that.
        if time.monotonic() - self.killed_at.get(directory, 0) < 5:
            return
        with self.play.lock:
            try:
                written = open(f"{directory}/garmin_tokens.json").read()
            except OSError:
                return
            owner = [email for email, live in self.play.garmin("logins").items() if any(t in written for t in live)]
            if len(owner) != 1 or any(token in written for token in self.play.to_be_spent.get(owner[0], ())):
                return
            try:
                os.kill(pid, signal.SIGKILL)
                self.killed += 1
                self.killed_at[directory] = time.monotonic()
            except ProcessLookupError:
                pass

    def kill_gateway(self):
        stage = self.play.stage
        # This comes first, because a caller that is cut off must find the new number.
        self.play.deaths += 1
        stage.kill_gateway()
        wait_for("the workers died with their gateway", lambda: not processes_with(str(stage.runtime)), 2.0)
        stage.start_gateway()


def sockets(stage: Stage) -> dict[str, str]:
    """What each socket of this machine is for the gateway, by inode."""
    garmin = urlsplit(stage.garmin_url).port
    found = {}
    for table in ("tcp", "tcp6"):
        for line in open(f"/proc/net/{table}").readlines()[1:]:
            words = line.split()
            local, peer = (int(words[n].rsplit(":", 1)[1], 16) for n in (1, 2))
            if words[3] == LISTENS:
                what = f"listens on {'its port' if local == stage.port else local}"
            elif local == stage.port:
                what = "a client"
            elif peer == garmin:
                what = GARMIN
            else:
                what = f"connected to {peer}"
            found[words[9]] = what
    for line in open("/proc/net/unix").readlines()[1:]:
        found[line.split()[6]] = "unix"
    return found


def descriptors(stage: Stage) -> list[str]:
    """The gateway's open files by kind, without the store's own files, which come and go."""
    found, directory, known = [], f"/proc/{stage.gateway.pid}/fd", sockets(stage)
    for name in os.listdir(directory):
        try:
            target = os.readlink(f"{directory}/{name}")
        except OSError:
            continue
        if target.startswith("socket:["):
            found.append(known.get(target[len("socket:["):-1], "a socket that is neither bound nor connected"))
        elif not target.startswith(str(stage.directory / "data" / "gateway.db")):
            found.append(target.split(":[")[0])
    return sorted(found)


def settled(stage: Stage) -> list[str]:
    """The gateway's open files when it is idle and all workers are reaped."""
    wait_for("all workers are reaped", lambda: not stage.workers(), 30)
    seen = [descriptors(stage)]

    def steady():
        time.sleep(0.3)
        seen.append(descriptors(stage))
        return len(seen) > 3 and seen[-1] == seen[-2] == seen[-3]

    wait_for("the descriptors are steady", steady, 60)
    return seen[-1]


# The state of a socket in /proc/net/tcp.
LISTENS = "0A"
# The gateway keeps one connection for the next sign-in, because it makes one sign-in at a time. It closes when idle.
GARMIN = "connected to Garmin"
MOST_TO_GARMIN = 1

# How many times the gateway is killed during the play.
DEATHS = 15


def run(play: Play, chaos: Chaos, visitors: list[Visitor], kills_gateway: bool):
    """Runs all people to the end while processes are killed."""
    distance = sum(visitor.calls for visitor in visitors) / (DEATHS + 1)
    next_death = distance
    for visitor in visitors:
        visitor.start()
    while any(visitor.is_alive() for visitor in visitors):
        failed = next((visitor for visitor in visitors if visitor.error is not None), None)
        if failed is not None:
            raise AssertionError(f"{failed.person.email}: {failed.error!r}") from failed.error
        chaos.kill_worker()
        chaos.look()
        # The distance between kills is counted in answers, so that slow and fast machines see the same number of kills.
        if kills_gateway and sum(visitor.answered for visitor in visitors) > next_death:
            chaos.kill_gateway()
            next_death += distance * chaos.dice.uniform(0.5, 1.5)
        time.sleep(chaos.dice.uniform(0.05, 0.3))
    for visitor in visitors:
        if visitor.error is not None:
            raise AssertionError(f"{visitor.person.email}: {visitor.error!r}") from visitor.error


def isolation(stage: Stage, calls: int, seed: int) -> int:
    """Returns the number of answers that were checked."""
    people = [person for person in stage.people if person.code is None][:20]
    play, dice = Play(stage), random.Random(seed)
    chaos = Chaos(play, dice.random())
    each = -(-calls // len(people))
    visitors = [Visitor(play, person, each, dice.random()) for person in people]
    began = time.monotonic()
    run(play, chaos, visitors, kills_gateway=True)
    print(
        f"{sum(v.answered for v in visitors)} answers for {len(people)} people in {time.monotonic() - began:.0f} s; "
        f"killed {chaos.killed} workers and the gateway {play.deaths} times; {sum(v.sign_ins for v in visitors)} sign-ins, "
        f"{sum(v.refused for v in visitors)} asked to wait, {sum(v.lost for v in visitors)} cut off; "
        f"{chaos.looked_at} looks for secrets"
    )
    assert chaos.killed and play.deaths and chaos.looked_at, "nothing was killed, or nothing was looked at"

    # Every sign-in must still work after the kills, although Garmin now demands a refresh.
    chaos.kill_gateway()
    for visitor in visitors:
        visitor.caller.disconnect()
        play.expire(visitor.person)
        visitor.ask()
    # The same gateway process must have closed everything that it opened for workers that are gone.
    for visitor in visitors:
        visitor.caller.disconnect()
    before = settled(stage)
    again = [Visitor(play, visitor.person, 20, dice.random()) for visitor in visitors]
    run(play, chaos, again, kills_gateway=False)
    for visitor in again:
        visitor.caller.disconnect()
    after = settled(stage)
    print(f"descriptors of the gateway: {len(before)} before, {len(after)} after {len(again)} people's workers came and went")
    for seen in (before, after):
        assert seen.count(GARMIN) <= MOST_TO_GARMIN, f"connections to Garmin: {seen}"
    before, after = ([one for one in seen if one != GARMIN] for seen in (before, after))
    assert after == before, f"descriptors leaked: before {before}, after {after}"
    left = sorted(path.name for path in (stage.runtime / "workers").iterdir())
    assert left == ["lock"], f"left in the workers' directory: {left}"
    return sum(visitor.answered for visitor in [*visitors, *again])
