"""The story that every client goes through, with all events that a connector may meet in a year."""

import json
import threading
import time
import traceback
from dataclasses import dataclass, field
from typing import Protocol

from serving import Handler, Server
from sign_in import Browser, Person, sign_in
from stage import Stage

# After this time an access token has expired, but a sign-in has not.
TWO_DAYS_S = 2 * 86_400


class Client(Protocol):
    """The interface that the story needs from a client."""

    def connect(self) -> str:
        """Signs in and connects; returns the negotiated revision, or an empty string."""

    def tools(self) -> dict[str, dict]:
        """The tools by name, as listed to the client."""

    def call(self, tool: str, arguments: dict) -> str:
        """The text of the tool's answer, after a sign-in if one is needed."""

    def refresh_token(self) -> str:
        """The refresh token that the client holds now."""

    def close(self): ...


@dataclass
class TheBrowser:
    """The browser that clients open. It is a small server, because some clients start a separate program for it.

    POST {url} signs the person in there, and the answer is {location}. With `follow`, it answers at once, as a program
    that opens a window does, and then goes to that location by itself.
    """

    person: Person
    visits: list[str] = field(default_factory=list)
    error: str = ""

    def __post_init__(self):
        browser = self

        class Door(Handler):
            def do_POST(self):
                asked = self.json()
                status, answer = 200, {}
                try:
                    if asked.get("follow"):
                        threading.Thread(target=browser.follow, args=(asked["url"],), daemon=True).start()
                    else:
                        answer = {"location": browser.visit(asked["url"])}
                except Exception:
                    browser.error = traceback.format_exc()
                    status, answer = 500, {"failed": browser.error}
                self.reply(json.dumps(answer).encode(), status=status)

        self._server = Server(Door)
        self.url = f"{self._server.url}/"

    def visit(self, url: str) -> str:
        location = sign_in(url, self.person)
        self.visits.append(url)
        return location

    def follow(self, url: str):
        """Signs in and returns to the client, which may start to listen only after it opened the browser."""
        try:
            location = self.visit(url)
            until = time.monotonic() + 15
            while True:
                try:
                    reply = Browser().request("GET", location)
                    break
                except ConnectionRefusedError:
                    if time.monotonic() > until:
                        raise
                    time.sleep(0.05)
            if reply.status >= 400:
                raise AssertionError(f"the client's own page answers {reply.status}: {reply.body[:300]}")
        except Exception:
            self.error = traceback.format_exc()

    def close(self):
        self._server.close()


class Telling:
    """The story with one client. Each chapter is an event, and checks what must be true afterwards."""

    def __init__(self, stage: Stage, client: Client, browser: TheBrowser, era: str | None):
        self.stage, self.client, self.browser, self.era = stage, client, browser, era

    def signs_in(self):
        agreed = self.client.connect()
        assert len(self.browser.visits) == 1, f"{len(self.browser.visits)} sign-ins"
        assert self.era is None or agreed == self.era, f"agreed on {agreed}, not {self.era}"

    def lists_the_tools(self):
        tools = self.client.tools()
        for name in ("get_full_name", "get_stats", "get_activities"):
            assert name in tools, f"{name} is not among {sorted(tools)}"

    def calls_a_tool(self):
        self.full_name_is_right()
        self.steps_of("2026-11-02")

    def outlives_its_access_token(self):
        self.stage.set_clock(TWO_DAYS_S)
        self.full_name_is_right()
        self.steps_of("2026-11-03")
        self.no_new_sign_in()

    def outlives_a_worker(self):
        assert self.stage.kill_workers() >= 1, "there was no worker to kill"
        self.steps_of("2026-11-04")
        self.no_new_sign_in()

    def outlives_the_gateway(self):
        self.stage.restart_gateway()
        self.steps_of("2026-11-05")
        self.no_new_sign_in()

    def comes_back_after_revocation(self):
        self.stage.revoke(self.client.refresh_token())
        self.full_name_is_right()
        # mcp-remote opens two windows when it is signed out.
        assert len(self.browser.visits) in (2, 3), f"{len(self.browser.visits)} sign-ins, not one more after revocation"

    CHAPTERS = (
        signs_in, lists_the_tools, calls_a_tool, outlives_its_access_token, outlives_a_worker, outlives_the_gateway,
        comes_back_after_revocation,
    )

    def full_name_is_right(self):
        said = json.loads(self.client.call("get_full_name", {}))
        assert said == {"full_name": self.browser.person.full_name}, f"get_full_name said {said}"

    def steps_of(self, date: str):
        said = json.loads(self.client.call("get_stats", {"date": date}))
        assert said.get("date") == date and said.get("total_steps", 0) > 0, f"get_stats said {said}"

    def no_new_sign_in(self):
        assert len(self.browser.visits) == 1, "the person was asked to sign in again"


def tell(stage: Stage, client: Client, browser: TheBrowser, era: str | None, chapters=Telling.CHAPTERS) -> int:
    """Runs the chapters and returns their number. The first failure ends the story."""
    telling = Telling(stage, client, browser, era)
    for chapter in chapters:
        name = chapter.__name__.replace("_", " ")
        try:
            chapter(telling)
        except Exception as error:
            seen = f"\nthe browser: {browser.error}" if browser.error else ""
            raise AssertionError(f"the client {name}: {error}{seen}") from error
    return len(chapters)
