#!/usr/bin/env python3
"""A person with a browser: follows an authorize URL through the sign-in pages and returns where it ends.

It keeps to what a browser would do without JavaScript: cookies, one form after the other, its labels and hidden
fields, and the Content-Security-Policy's word on where a form may lead. What a person must be shown before any
password (who asks, and where the answer goes) is checked on the way.

Usage:  EMAIL=… PASSWORD=… CODE=… sign_in.py AUTHORIZE_URL      prints the URL of the final redirect
"""

import http.client
import os
import re
import sys
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import parse_qs, urlencode, urljoin, urlsplit


class PageError(AssertionError):
    """A page does not meet the requirements in this file."""


@dataclass(frozen=True)
class Person:
    """A person with a Garmin account; `code` is their MFA code, or None without MFA."""

    email: str
    password: str
    full_name: str = ""
    code: str | None = None


@dataclass
class Form:
    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)
    kinds: dict[str, str] = field(default_factory=dict)
    labelled: set[str] = field(default_factory=set)
    choices: dict[str, list[str]] = field(default_factory=dict)
    buttons: list[tuple[str, str]] = field(default_factory=list)


class Page(HTMLParser):
    """The forms and the visible text of one page."""

    def __init__(self, html: str):
        super().__init__()
        self.forms: list[Form] = []
        self.text = ""
        self.outside: list[str] = []
        self._ids: dict[str, str] = {}
        self._labels: set[str] = set()
        self._depth_label = 0
        self._hidden = 0
        self._open: Form | None = None
        self.feed(html)
        self.text = re.sub(r"\s+", " ", self.text)
        for form in self.forms:
            form.labelled |= {self._ids[i] for i in self._labels if i in self._ids}

    def handle_starttag(self, tag, attributes):
        a = {k: v or "" for k, v in attributes}
        if tag in ("script", "style"):
            self._hidden += 1
        for name in ("src", "href"):
            if tag in ("script", "link", "img", "iframe", "source") and re.match(r"(https?:)?//", a.get(name, "")):
                self.outside.append(a[name])
        if tag == "form":
            self._open = Form(a.get("action", ""), a.get("method", "get").upper())
            self.forms.append(self._open)
        elif tag == "label":
            self._depth_label += 1
            if "for" in a:
                self._labels.add(a["for"])
        elif tag == "input" and self._open is not None and "name" in a:
            self._input(self._open, a)
        elif tag == "button" and self._open is not None and a.get("type", "submit") == "submit":
            self._open.buttons.append((a.get("name", ""), a.get("value", "")))

    def _input(self, form: Form, a: dict[str, str]):
        name, kind = a["name"], a.get("type", "text")
        form.kinds[name] = kind
        if "id" in a:
            self._ids[a["id"]] = name
        if self._depth_label:
            form.labelled.add(name)
        if kind in ("radio", "checkbox"):
            form.choices.setdefault(name, []).append(a.get("value", "on"))
            if "checked" in a:
                form.fields[name] = a.get("value", "on")
        elif kind == "submit":
            form.buttons.append((name, a.get("value", "")))
        else:
            form.fields[name] = a.get("value", "")

    def handle_endtag(self, tag):
        if tag in ("script", "style"):
            self._hidden -= 1
        elif tag == "form":
            self._open = None
        elif tag == "label":
            self._depth_label -= 1

    def handle_data(self, data):
        if not self._hidden:
            self.text += data + " "

    def form_with(self, kind_or_name: str) -> Form | None:
        return next((f for f in self.forms if kind_or_name in f.kinds or kind_or_name in f.kinds.values()), None)


@dataclass
class Reply:
    status: int
    headers: http.client.HTTPMessage
    body: str


class Browser:
    """The cookies and requests of one browser. It does not follow redirects. `more` holds additional headers."""

    def __init__(self, more: dict[str, str] | None = None):
        self.cookies: dict[str, str] = {}
        self.more = more or {}

    def request(self, method: str, url: str, form: dict[str, str] | None = None) -> Reply:
        at = urlsplit(url)
        kind = http.client.HTTPSConnection if at.scheme == "https" else http.client.HTTPConnection
        connection = kind(at.hostname, at.port, timeout=60)
        headers = {"Accept": "text/html", "User-Agent": "Mozilla/5.0 (sign-in driver)", "Sec-Fetch-Mode": "navigate"}
        headers |= self.more
        if self.cookies:
            headers["Cookie"] = "; ".join(f"{k}={v}" for k, v in self.cookies.items())
        body = None
        if form is not None:
            body = urlencode(form)
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            headers["Origin"] = f"{at.scheme}://{at.netloc}"
            headers["Sec-Fetch-Site"] = "same-origin"
        try:
            connection.request(method, at.path + (f"?{at.query}" if at.query else ""), body, headers)
            reply = connection.getresponse()
            text = reply.read().decode("utf-8", "replace")
        finally:
            connection.close()
        for line in reply.headers.get_all("Set-Cookie") or []:
            name, _, value = line.partition(";")[0].partition("=")
            self.cookies[name.strip()] = value.strip()
        return Reply(reply.status, reply.headers, text)


def need(condition, what: str, page: Page | None = None):
    if not condition:
        raise PageError(what + (f"\n  the page says: {page.text[:600]}" if page else ""))


def policy(reply: Reply) -> dict[str, list[str]]:
    """The directives of the Content-Security-Policy, by name."""
    parts = [p.split() for p in reply.headers.get("Content-Security-Policy", "").split(";") if p.strip()]
    return {p[0]: p[1:] for p in parts}


def check_page(reply: Reply, page: Page):
    """Checks the requirements for every page that asks for a secret."""
    rules = policy(reply)
    need(rules.get("frame-ancestors") == ["'none'"], "the page may be framed", page)
    need("default-src" in rules, "no default-src in the Content-Security-Policy", page)
    need("no-store" in reply.headers.get("Cache-Control", ""), "the page may be cached", page)
    need(not page.outside, f"the page loads from outside: {page.outside}")
    need('name="viewport"' in reply.body, "no viewport: the page is unreadable on a phone")
    need(re.search(r"<html[^>]*\slang=", reply.body), "no language: a screen reader can't read the page")


def check_labels(form: Form, page: Page):
    for name, kind in form.kinds.items():
        if kind not in ("hidden", "submit"):
            need(name in form.labelled, f"the field {name!r} has no label", page)


def check_may_lead_to(reply: Reply, base: str, target: str, page: Page):
    """Checks form-action, which browsers also apply to the redirect after the form."""
    allowed = policy(reply).get("form-action")
    need(allowed is not None, "no form-action in the Content-Security-Policy", page)
    origin, ours = origin_of(target), origin_of(base)
    need("'self'" in allowed or ours in allowed, f"form-action {allowed} refuses the form itself", page)
    need(origin == ours or origin in allowed, f"form-action {allowed} refuses the way back to {origin}", page)


def origin_of(url: str) -> str:
    at = urlsplit(url)
    return f"{at.scheme}://{at.netloc}"


def submit(browser: Browser, base: str, form: Form, filled: dict[str, str]) -> Reply:
    """Sends the form with its first button, as the Enter key does."""
    need(form.method == "POST", "a form that carries secrets must be posted")
    fields = {**form.fields, **filled}
    if form.buttons and form.buttons[0][0]:
        fields[form.buttons[0][0]] = form.buttons[0][1]
    return browser.request("POST", urljoin(base, form.action), fields)


def sign_in(url: str, person: Person, access: str = "read_only", client_name: str | None = None) -> str:
    """Goes through the pages and returns the final redirect. Raises PageError if a page fails a check."""
    browser = Browser()
    target = parse_qs(urlsplit(url).query)["redirect_uri"][0]
    reply = browser.request("GET", url)
    answered: list[str] = []
    while reply.status not in (302, 303):
        page = Page(reply.body)
        asked = next((kind for kind in ("password", "code") if page.form_with(kind)), None)
        need(asked is not None, f"status {reply.status} and nothing to fill in", page)
        # A person would read the error here. Sending the same form again would lock the account.
        need(asked not in answered, f"the {asked} was refused with status {reply.status}", page)
        need(answered or reply.status == 200, f"status {reply.status} for the first page", page)
        answered.append(asked)
        form = page.form_with(asked)
        check_page(reply, page)
        check_labels(form, page)
        check_may_lead_to(reply, url, target, page)
        if asked == "password":
            need(urlsplit(target).hostname in page.text, "the host that it returns to is not shown", page)
            need((client_name or "") in page.text, f"the client's name {client_name!r} is not shown", page)
            need(form.kinds.get("access") == "radio", "no choice of access", page)
            need(form.fields.get("access") == "read_only", "read only is not the default", page)
            filled = {"email": person.email, "password": person.password, "access": access}
            reply = submit(browser, url, form, filled)
        else:
            need(person.code is not None, "a code is asked of somebody without MFA", page)
            reply = submit(browser, url, form, {"code": person.code})
    return reply.headers["Location"]


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    print(sign_in(sys.argv[1], Person(os.environ["EMAIL"], os.environ["PASSWORD"], code=os.environ.get("CODE"))))
