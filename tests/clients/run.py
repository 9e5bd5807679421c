#!/usr/bin/env python3
"""Real clients against the release binary. `.ci/install.sh` installs what they need.

Usage:  run.py demo                         a newcomer's way: `garmin-gateway demo`, and a client with what it prints
        run.py stories [NAME…]              every client through the whole story of `story.py`
        run.py conformance                  the MCP conformance suite, both requirement sets and OAuth
        run.py pages                        the sign-in pages and a race's page in headless Chromium, with axe
        run.py apps                         the charts inside Claude (MCP Apps) in headless Chromium, in a host page of the tests
        run.py console [--record FILE]      the console in tmux: the demo, a revocation, a daemon restarted under it
        run.py contract                     every kind of worker behind the gateway, the same for all
        run.py garmin-mcp                   that contract with the unmodified garmin_mcp, under Garmin's host names
        run.py crash [--rounds N]           kill -9 under load
        run.py changes [--calls N]          changes at Garmin while everything breaks: each arrives once, or is told and resolved
        run.py figures [--strict]           memory of a worker, a FIT file of 6 hours and one of 5 MB, and a cold account
        run.py isolation [--calls N]        many people, few places, kill -9 of workers and gateway
        run.py attacks                      held connections, a hostile worker, a wrong clock, a full disk, a damaged store
        run.py gemini                       Google's Gemini CLI, with a local server as its model
        run.py ways-in                      nginx and Caddy with the files of packaging/ in front
        run.py https                        https without a proxy: certificates from files, and from an ACME server
        run.py coach                        a look at a race by the real Claude Code
        run.py home                         Mosquitto as the broker of messages and of Home Assistant's devices
        run.py watched                      Prometheus' own parser on the metrics, and a dead-man's switch, and fail2ban on the log
        run.py mailbox                      races that start from the mails in a real Dovecot
        run.py history                      kept days: filled over kill -9, and asked by twenty clients while Garmin is down
        run.py questions                    what athletes ask, in few calls and few tokens
        run.py training                     what a release is built to do fast (packaging/release.sh)
Each line `ok N checks …` is one client or suite; the exit code is 0 only when all of them passed and some ran.
"""

import argparse
import random
import sys
import time
import traceback
from functools import partial
from pathlib import Path

import apps
import attacks
import banned
import changes
import claude_code
import clients
import coach
import codex
import conformance
import console
import contract
import crash
import demo
import figures
import garmin_mcp
import gemini
import history
import home
import isolation
import mailed
import own_https
import pages
import questions
import race_page
import scratch
import training
import watched
import ways_in
from stage import Stage
from story import TheBrowser, tell

BINARY = Path(__file__).resolve().parents[2] / "target" / "release" / "garmin-gateway"

# Each client with its adapter and the revision that must be negotiated, or None if the client does not report it.
STORIES = {
    "python-1": (clients.python("1"), clients.LEGACY),
    "python-2": (clients.python("2"), clients.MODERN),
    "typescript-1": (clients.typescript("1"), clients.LEGACY),
    "typescript-2-auto": (clients.typescript("2", "auto"), clients.MODERN),
    "typescript-2-legacy": (clients.typescript("2", "legacy"), clients.LEGACY),
    "mcp-remote": (clients.McpRemote, clients.LEGACY),
    "inspector-auto": (partial(clients.Inspector, era="auto"), None),
    "inspector-legacy": (partial(clients.Inspector, era="legacy"), None),
    "codex": (codex.Codex, None),
    "claude-code": (partial(claude_code.ClaudeCode, era="modern"), None),
    "claude-code-legacy": (partial(claude_code.ClaudeCode, era="legacy"), None),
}

# The plays sign in and make calls far more often than people do, and call tools outside the core by their names.
NO_WAITING = {
    "TOOL_PROFILE": "all",
    "SIGN_IN_SPACING": "0",
    "SIGN_IN_DAILY": "1000",
    "CALLS_PER_MINUTE": "1000000",
}


class Report:
    """Prints a line per play and remembers failures."""

    def __init__(self):
        self.passed = self.failed = 0

    def run(self, name: str, act):
        began = time.monotonic()
        try:
            checks = act()
        except Exception:
            self.failed += 1
            print(f"FAILED {name} after {time.monotonic() - began:.1f} s\n{traceback.format_exc()}", flush=True)
        else:
            self.passed += checks
            print(f"ok {checks:6} checks  {name} ({time.monotonic() - began:.1f} s)", flush=True)

    def exit_code(self) -> int:
        print(f"{self.passed} passed, {self.failed} failed")
        return 0 if self.passed and not self.failed else 1


def story(binary: Path, make, era: str | None) -> int:
    with Stage(binary, NO_WAITING, with_clock=True) as stage:
        browser = TheBrowser(stage.people[0])
        client = make(stage, browser.url)
        try:
            return tell(stage, client, browser, era)
        finally:
            client.close()
            browser.close()


def staged(binary: Path, settings, act) -> int:
    with Stage(binary, settings) as stage:
        return act(stage)


def worker_settings(kind: contract.Kind, garmin_url: str) -> dict[str, str]:
    return {**NO_WAITING, **kind.settings(garmin_url)}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    acts = ["demo", "stories", "conformance", "pages", "apps", "console", "contract", "garmin-mcp", "crash", "changes", "figures", "isolation", "attacks", "ways-in", "https", "coach", "watched", "training", "gemini", "questions", "history", "mailbox", "home"]
    parser.add_argument("act", choices=acts)
    parser.add_argument("only", nargs="*", help="names of stories")
    parser.add_argument("--bin", type=Path, default=BINARY)
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--calls", type=int, default=10_000)
    parser.add_argument("--record", type=Path, help="where to keep what passed between the console and the demo")
    parser.add_argument("--strict", action="store_true", help="a figure over its limit is a failure")
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000))
    given = parser.parse_args()
    unknown = set(given.only) - set(STORIES)
    if unknown:
        parser.error(f"no such story: {', '.join(sorted(unknown))}; there are {', '.join(STORIES)}")
    if given.act == "garmin-mcp" and (why := garmin_mcp.set_up(given.bin)):
        print(f"SKIPPED: {why}, so garmin_mcp itself was not tried")
        return 0
    scratch.begin()
    report = Report()
    if given.act == "demo":
        report.run("demo", partial(demo.demo, given.bin))
    elif given.act == "figures":
        report.run("figures", partial(figures.figures, given.bin, NO_WAITING, given.strict))
    elif given.act == "questions":
        report.run("questions", partial(questions.questions, given.bin))
    elif given.act == "history":
        report.run("history", partial(staged, given.bin, {**NO_WAITING, **history.SETTINGS}, history.history))
    elif given.act == "mailbox":
        report.run("mailbox", partial(mailed.mailed, given.bin, NO_WAITING))
    elif given.act == "stories":
        for name, (make, era) in STORIES.items():
            if not given.only or name in given.only:
                report.run(name, partial(story, given.bin, make, era))
    elif given.act == "conformance":
        fixture = {**NO_WAITING, **conformance.settings()}
        report.run("authorization server", partial(staged, given.bin, fixture, conformance.authorization_server))
        for revision in (clients.LEGACY, clients.MODERN):
            act = partial(conformance.server_set, revision=revision)
            report.run(f"requirements of {revision}", partial(staged, given.bin, fixture, act))
    elif given.act == "coach":
        report.run("coach", partial(coach.coach, given.bin, NO_WAITING))
    elif given.act == "home":
        report.run("home", partial(home.home, given.bin, NO_WAITING))
    elif given.act == "watched":
        report.run("watched", partial(watched.watched, given.bin, NO_WAITING))
        report.run("fail2ban", partial(banned.banned, given.bin, NO_WAITING))
    elif given.act == "pages":
        report.run("pages", partial(staged, given.bin, NO_WAITING, pages.pages))
        report.run("race page", partial(staged, given.bin, NO_WAITING, race_page.race_page))
    elif given.act == "apps":
        # This play lists only the core, as people have it by default.
        report.run("apps", partial(staged, given.bin, {**NO_WAITING, "TOOL_PROFILE": "core"}, apps.apps))
    elif given.act == "console":
        report.run("console of the demo", partial(console.walk, given.bin, given.record))
        report.run("console over restarts", partial(staged, given.bin, NO_WAITING, console.restart))
    elif given.act == "contract":
        for kind in contract.KINDS:
            settings = partial(worker_settings, kind)
            report.run(f"contract: {kind.name}", partial(staged, given.bin, settings, partial(contract.contract, kind=kind)))
    elif given.act == "garmin-mcp":
        for name, behind_proxy in (("garmin_mcp", False), ("garmin_mcp behind a proxy", True)):
            report.run(f"contract: {name}", partial(garmin_mcp.tried, given.bin, NO_WAITING, behind_proxy))
    elif given.act == "isolation":
        print(f"seed {given.seed}")
        settings = {**NO_WAITING, **isolation.SETTINGS}
        act = partial(isolation.isolation, calls=given.calls, seed=given.seed)
        report.run(f"isolation over {given.calls} calls", partial(staged, given.bin, settings, act))
    elif given.act == "changes":
        print(f"seed {given.seed}")
        act = partial(changes.changes, calls=given.calls, seed=given.seed)
        report.run(f"{given.calls} changes", partial(staged, given.bin, NO_WAITING, act))
    elif given.act == "attacks":
        attacks.attacks(given.bin, NO_WAITING, report)
    elif given.act == "training":
        settings = {**NO_WAITING, **training.SETTINGS}
        report.run("training", partial(staged, given.bin, settings, training.training))
    elif given.act == "gemini":
        report.run("gemini", partial(staged, given.bin, NO_WAITING, gemini.gemini))
    elif given.act == "ways-in":
        report.run("nginx", partial(ways_in.ways_in, given.bin, ways_in.Nginx, NO_WAITING))
        report.run("caddy", partial(ways_in.ways_in, given.bin, ways_in.Caddy, NO_WAITING))
    elif given.act == "https":
        report.run("files", partial(own_https.with_own_files, given.bin, NO_WAITING))
        report.run("acme", partial(own_https.with_acme, given.bin, NO_WAITING))
    else:
        print(f"seed {given.seed}")
        act = partial(crash.crash, rounds=given.rounds, seed=given.seed)
        report.run(f"{given.rounds} crashes", partial(staged, given.bin, NO_WAITING, act))
    return report.exit_code()


if __name__ == "__main__":
    sys.exit(main())
