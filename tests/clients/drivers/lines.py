"""The protocol of a driver: each line of its input is a JSON command, and each line of its output is a JSON answer.

`connect` → {era}; `list` → {tools}; `call` {tool, arguments} → {text, is_error}; `tokens` → the stored token answer.
The answer to a command that raises an exception is {failed}.
"""

import asyncio
import json
import os
import sys
import traceback
import urllib.request
from urllib.parse import parse_qs, urlsplit

CALLBACK = "http://localhost:3030/callback"


def visit(url: str) -> dict[str, str]:
    """Lets the person's browser follow an authorize URL; returns the query that it brought to the callback."""
    request = urllib.request.Request(os.environ["BROWSER_URL"], json.dumps({"url": url}).encode())
    with urllib.request.urlopen(request, timeout=60) as reply:
        location = json.load(reply)["location"]
    return {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}


class Memory:
    """The token storage that both releases of the library require."""

    tokens = client = None

    async def get_tokens(self):
        return self.tokens

    async def set_tokens(self, tokens):
        self.tokens = tokens

    async def get_client_info(self):
        return self.client

    async def set_client_info(self, client_info):
        self.client = client_info


async def obey(acts: dict):
    """Carries out commands until the input ends."""
    while line := await asyncio.to_thread(sys.stdin.readline):
        command = json.loads(line)
        try:
            answer = await acts[command.pop("do")](**command)
        except Exception as error:
            traceback.print_exc()
            answer = {"failed": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)
