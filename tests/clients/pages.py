"""The sign-in pages in headless Chromium. `drivers/pages.mjs` goes through them with what this file gives it."""

import json
import os
import re
from pathlib import Path

from clients import drivers_beside_packages
from programs import NODE, Failed, run
from stage import Stage

PICTURES = Path(__file__).resolve().parents[2] / "target" / "ci" / "pages"


def pages(stage: Stage) -> int:
    """Returns how many checks passed. It leaves pictures of every page in target/ci/pages."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    people = [{"email": p.email, "password": p.password, "code": p.code} for p in stage.people]
    task = {"gateway": stage.url, "people": people, "pictures": str(PICTURES)}
    environment = {"PATH": os.environ["PATH"], "HOME": str(stage.directory), "PAGES": json.dumps(task)}
    done = run([NODE, drivers_beside_packages() / "pages.mjs"], environment, stage.directory, 400)
    found = re.fullmatch(r"(\d+) checks\n", done.stdout)
    if done.returncode != 0 or found is None:
        raise Failed(f"exit code {done.returncode}\n{done.stdout}{done.stderr}")
    return int(found.group(1))
