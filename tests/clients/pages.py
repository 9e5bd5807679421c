"""The sign-in pages in headless Chromium: `drivers/pages.mjs` goes through them, this gives it what it needs."""

import json
import os
import re
from pathlib import Path

from caller import Caller
from clients import drivers_beside_packages
from programs import NODE, Failed, run
from stage import Stage, free_port

PICTURES = Path(__file__).resolve().parents[2] / "target" / "ci" / "pages"


def pages(stage: Stage) -> int:
    """Returns how many checks passed. Pictures of every page lie in target/ci/pages afterwards."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    port = free_port()
    caller = Caller(stage.url, "A Client <b>with</b> a Name", f"http://127.0.0.1:{port}/callback")
    caller.register()
    person = next(p for p in stage.people if p.code is not None)
    stranger = Caller(stage.url, redirect_uri=caller.redirect_uri)
    stranger.client_id = "nobody"
    task = {
        "gateway": stage.url,
        "authorize": [caller.authorize_url("v" * 43, "s") for _ in range(4)],
        "unknown": stranger.authorize_url("v" * 43, "s"),
        "callbackPort": port,
        "person": {"email": person.email, "password": person.password, "code": person.code},
        "pictures": str(PICTURES),
    }
    environment = {"PATH": os.environ["PATH"], "HOME": str(stage.directory), "PAGES": json.dumps(task)}
    done = run([NODE, drivers_beside_packages() / "pages.mjs"], environment, stage.directory, 180)
    found = re.fullmatch(r"(\d+) checks\n", done.stdout)
    if done.returncode != 0 or found is None:
        raise Failed(f"exit code {done.returncode}\n{done.stdout}{done.stderr}")
    return int(found.group(1))
