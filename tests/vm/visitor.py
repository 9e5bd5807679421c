"""Outside the machine: the real Claude Code signs a person in and calls tools through the forwarded port."""

import json
import os
from pathlib import Path
from types import SimpleNamespace

from claude_code import ClaudeCode
from programs import CLAUDE
from sign_in import Person
from story import TheBrowser

# The processor is emulated. What takes a moment elsewhere may take a minute here.
PATIENCE_S = 300


def missing() -> list[str]:
    return [] if CLAUDE.exists() else ["Claude Code"]


def visit(url: str, people: list[dict], root: Path | None = None) -> list[str]:
    """Returns the checks, one per line. `root` is the certificate to trust for an https URL."""
    told = people[-1]
    person = Person(told["email"], told["password"], told["full_name"], told.get("mfa_code"))
    if root:
        # The browser is written in Python, and reads this variable.
        os.environ["SSL_CERT_FILE"] = str(root)
    browser = TheBrowser(person)
    client = ClaudeCode(SimpleNamespace(mcp=f"{url}/mcp"), browser.url, era="modern", patience_s=PATIENCE_S)
    if root:
        client.environment["NODE_EXTRA_CA_CERTS"] = str(root)
    try:
        client.connect()
        assert len(browser.visits) == 1, f"{len(browser.visits)} sign-ins {browser.error}"
        assert "get_stats" in client.tools(), "Claude Code does not see the tools"
        said = json.loads(client.call("get_full_name", {}))
        assert said == {"full_name": person.full_name}, f"get_full_name said {said}"
        said = json.loads(client.call("get_stats", {"date": "2026-11-02"}))
        assert said.get("total_steps", 0) > 0, f"get_stats said {said}"
    finally:
        client.close()
        browser.close()
    return [
        f"ok Claude Code of another machine signs a person in {'over https' if root else 'through nginx'}",
        "ok it sees the tools and calls them",
    ]
