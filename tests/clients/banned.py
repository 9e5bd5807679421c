"""fail2ban's own reader with the filter from `packaging/`, run on the log of a gateway under password guessing.

It must ban the addresses that guess, as the proxy reports them, and no others, whatever the guessers send.
"""

import http.client
import json
import subprocess
import time
from pathlib import Path

from caller import Caller
from sign_in import Browser, Page, Person, submit
from stage import Stage, StageError
from ways_in import PACKAGING

FILTER = PACKAGING / "fail2ban/filter.conf"
TO_JOURNAL = "/lib/systemd/systemd-journal-remote"
# The name of the log in the gateway's own directory.
OWN = "own.log"
UNIT = "garmin-gateway.service"

GUESSERS = {"203.0.113.77": 3, "2001:db8::77": 2}
HONEST = "192.0.2.10"
VICTIM = "198.51.100.5"
# Attempts to inject lines into the log.
FORGED = f'"level":"warn","event":"sign_in.failed","client.address":"{VICTIM}"'
FORGERIES = (FORGED, f'",{FORGED}', f'\n{{"at":"2026-11-21T12:00:00Z",{FORGED}}}', f'\\",{FORGED}', f"x{{,{FORGED}}}")


def banned(binary: Path, settings: dict[str, str]) -> int:
    """Returns the number of checks."""
    began = int(time.time())
    with Stage(binary, {**settings, "TRUSTED_PROXIES": "127.0.0.1", "GATEWAY_LOG_FILE": OWN}) as stage:
        person = stage.people[0]
        Browser({"X-Forwarded-For": HONEST}).request("GET", f"{stage.url}/link")
        Caller(stage.url).connect(person)
        for address, often in GUESSERS.items():
            for n in range(often):
                guess(stage, address, Person(person.email, f"guess {n}"))
        forged = {address: often + forge(stage, address) for address, often in GUESSERS.items()}
        lines = stage.log().splitlines()
        assert sum("sign_in.failed" in line and '"level":"warn"' in line for line in lines) == sum(forged.values())
        assert any(VICTIM in line for line in lines), "nothing of what was forged is in the log: there is nothing to try"
        journal = journal_of(stage.directory, lines)
        checks = 0
        for source in (str(stage.directory / OWN), f"systemd-journal[journalfiles={journal}]"):
            # The log is in UTC in every time zone.
            for zone in ("UTC", "America/New_York"):
                found = read(source, zone)
                assert counted(found) == forged, f"{source} in {zone}: {counted(found)} instead of {forged}"
                for address, at in found:
                    assert began - 2 <= at <= time.time() + 2, f"{source} in {zone}: {address} at {at}, not {began}"
                checks += 2
    return checks


def guess(stage: Stage, address: str, person: Person, **more: str):
    """One refused sign-in, as it comes through the proxy."""
    browser = Browser({"X-Forwarded-For": f"{VICTIM}, {address}", **more})
    at = f"{stage.url}/link"
    form = Page(browser.request("GET", at).body).form_with("password")
    reply = submit(browser, at, form, {"email": person.email, "password": person.password, "access": "read_only"})
    assert reply.status not in (302, 303), f"{person} got in"


def forge(stage: Stage, address: str) -> int:
    """Tries to get another address banned through every field a client controls; returns the number of sign-ins used."""
    for text in FORGERIES:
        line = text.replace("\n", "")
        guess(stage, address, Person(f"{text}@example.org", text), **{"User-Agent": line, "Referer": line})
        caller = Caller(stage.url, client_name=text)
        caller.register()
        sent = {"X-Forwarded-For": f"{line}, {address}", "User-Agent": line, "Mcp-Method": line}
        for path in ("/mcp", f"/{line.replace(' ', '')}", f"/authorize?client_id={line}"):
            try:
                caller.request("POST", path, json.dumps({"jsonrpc": "2.0", "id": text, "method": text}), sent)
            except (OSError, http.client.HTTPException, ValueError):
                # The gateway refused it before it read the body.
                continue
    return len(FORGERIES)


def journal_of(directory: Path, lines: list[str]) -> Path:
    """A journal with the gateway's lines, and the same lines from an unrelated unit."""
    entries = []
    for n, line in enumerate(lines):
        for unit, said in ((UNIT, line), ("other.service", "{" + f'"at":"2026-11-21T12:00:00Z",{FORGED}' + "}")):
            entries.append(
                f"__REALTIME_TIMESTAMP={int(time.time() * 1e6) + n}\n__MONOTONIC_TIMESTAMP={n + 1}\n_BOOT_ID={'1' * 32}\n"
                f"_HOSTNAME=home\n_PID=7\n_SYSTEMD_UNIT={unit}\nSYSLOG_IDENTIFIER=garmin-gateway\nMESSAGE={said}\n"
            )
    journal = directory / "gateway.journal"
    subprocess.run([TO_JOURNAL, "-o", journal, "-"], input="\n".join(entries) + "\n", text=True, check=True, capture_output=True)
    return journal


def read(source: str, zone: str) -> list[tuple[str, float]]:
    """The failures that fail2ban finds: addresses and times."""
    done = subprocess.run(
        ["fail2ban-regex", "--raw", "-o", "<ip> <time>", source, str(FILTER)],
        env={"PATH": "/usr/bin:/bin", "TZ": zone}, capture_output=True, text=True, timeout=120,
    )
    if done.returncode:
        raise StageError(f"fail2ban-regex on {source}: {done.stdout[-2000:]}{done.stderr[-2000:]}")
    return [(address, float(at)) for address, at in (line.split() for line in done.stdout.splitlines() if line.strip())]


def counted(found: list[tuple[str, float]]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for address, _ in found:
        counts[address] = counts.get(address, 0) + 1
    return counts
