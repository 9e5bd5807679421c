"""The MCP conformance suite against the gateway: both requirement sets, and the authorization server.

Behind the gateway runs `fixture_worker.py`, so a check passes only if the gateway passes everything on. Known failures
stand in `expected_failures_*.yml`, each with its reason. If one of them no longer fails, the run fails as well.
"""

import json
import os
import re
import shutil
import subprocess
import tempfile
import threading
from pathlib import Path
from urllib.parse import urlsplit

from caller import Caller
from clients import drivers_beside_packages
from programs import HERE, NODE, NODE_MODULES, PYTHON, Failed
from sign_in import Browser, sign_in
from stage import Stage, free_port

# Scenarios that the suite reports but doesn't score. They pass now, and must not fail later.
UNSCORED = {
    "2025-11-25": ("json-schema-2020-12",),
    "2026-07-28": ("json-schema-2020-12", "http-header-validation"),
}

SUITE = NODE_MODULES / "@modelcontextprotocol" / "conformance" / "dist" / "index.js"


def settings() -> dict[str, str]:
    """The settings for the fixture worker. It lies beside its Python, because the fence allows reading files there."""
    worker = PYTHON["1"].parent / "fixture_worker.py"
    shutil.copyfile(HERE / "fixture_worker.py", worker)
    return {"GARMIN_MCP_CMD": f"{PYTHON['1']} {worker}"}


def server_set(stage: Stage, revision: str) -> int:
    """Runs one requirement set; returns how many checks passed."""
    caller = Caller(stage.url, "conformance").connect(stage.people[0])
    preloads = [f"--import={drivers_beside_packages() / name}" for name in ("bearer.mjs", "session.mjs")]
    with tempfile.TemporaryDirectory() as results:
        done = subprocess.run(
            [
                str(NODE), *preloads, str(SUITE), "server", "--url", stage.mcp, "--requirements", revision,
                "--expected-failures", str(HERE / f"expected_failures_{revision}.yml"), "-o", results,
            ],
            env={**os.environ, "BEARER": caller.access_token, "BEARER_HOST": urlsplit(stage.url).netloc},
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=600,
        )
        passed = sum(int(n) for n in re.findall(r"^\S+ \S+: (\d+) passed", done.stdout, re.MULTILINE))
        lost = [name for name in UNSCORED[revision] if f"✓ {name}:" not in done.stdout]
        if done.returncode != 0 or passed == 0 or lost:
            print(f"not passed, though not scored: {lost}")
            raise Failed(f"{revision}: exit code {done.returncode}\n{verdict(done.stdout)}\n{failures(Path(results))}")
    return passed


def verdict(said: str) -> str:
    at = said.find("=== SUMMARY ===")
    return said[at:] if at >= 0 else said[-4000:]


def failures(results: Path) -> str:
    """Every failed check, with what the suite says about it."""
    lines = []
    for file in sorted(results.rglob("checks.json")):
        for check in json.loads(file.read_text()):
            if check["status"] in ("FAILURE", "WARNING"):
                scenario = re.sub(r"^server-(.*)-\d{4}-.*$", r"\1", file.parent.name)
                lines.append(f"{check['status']} {scenario}:{check['id']}: {check.get('errorMessage')}")
                if check["id"].startswith("wire-schema"):
                    lines.append(json.dumps(check.get("details"))[:3000])
    return "\n".join(lines)


def authorization_server(stage: Stage) -> int:
    """Runs the suite for authorization servers. It prints the URL that a person has to open in a browser."""
    port = free_port()
    caller = Caller(stage.url, "conformance", f"http://127.0.0.1:{port}/callback")
    caller.register()
    suite = subprocess.Popen(
        [str(NODE), str(SUITE), "authorization", "--url", stage.url, "--client-id", caller.client_id, "--port", str(port)],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )
    stop = threading.Timer(120, suite.kill)
    stop.start()
    said = []
    try:
        for line in suite.stdout:
            said.append(line)
            if line.startswith(f"{stage.url}/authorize?"):
                Browser().request("GET", sign_in(line.strip(), stage.people[0], client_name="conformance"))
        status = suite.wait()
    finally:
        stop.cancel()
        suite.kill()
    text = "".join(said)
    passed = sum(int(n) for n in re.findall(r"(\d+) passed", verdict(text)))
    if status != 0 or passed == 0 or re.search(r"SKIPPED|FAILURE", text):
        raise Failed(f"authorization server: exit code {status}\n{text[-6000:]}")
    return passed
