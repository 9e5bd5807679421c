"""A small worker on FastMCP 1.x that works as `garmin_mcp` does: it reads tokens from a file, and refreshes them there.

Usage:  contract_worker.py GARMIN_URL [--no-healthz]

It takes the place of `garmin_mcp` (GARMIN_MCP_CMD) in `contract.py`, with as many tools as the contract needs.
"""

import asyncio
import base64
import json
import os
import sys
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

from mcp.server.fastmcp import Context, FastMCP
from starlette.responses import PlainTextResponse

GARMIN = sys.argv[1]
TOKENS = Path(os.environ["GARMINTOKENS"]) / "garmin_tokens.json"
server = FastMCP(
    "Contract worker", host=os.environ["GARMIN_MCP_HOST"], port=int(os.environ["GARMIN_MCP_PORT"])
)
held = json.loads(TOKENS.read_text())

if "--no-healthz" not in sys.argv:

    @server.custom_route("/healthz", methods=["GET"])
    async def healthz(_request):
        return PlainTextResponse("ok")


def refresh():
    """Overwrites the file in place, as garminconnect 0.3.2 does."""
    form = {"grant_type": "refresh_token", "client_id": held["di_client_id"], "refresh_token": held["di_refresh_token"]}
    request = urllib.request.Request(f"{GARMIN}/di-oauth2-service/oauth/token", urllib.parse.urlencode(form).encode())
    basic = base64.b64encode(f"{held['di_client_id']}:".encode()).decode()
    request.add_header("Authorization", f"Basic {basic}")
    with urllib.request.urlopen(request) as reply:
        new = json.load(reply)
    held.update(di_token=new["access_token"], di_refresh_token=new["refresh_token"])
    TOKENS.write_text(json.dumps(held))


def get(path: str, again: bool = True) -> dict:
    request = urllib.request.Request(GARMIN + path, headers={"Authorization": f"Bearer {held['di_token']}"})
    try:
        with urllib.request.urlopen(request) as reply:
            return json.load(reply)
    except urllib.error.HTTPError as error:
        if error.code != 401 or not again:
            raise
        refresh()
        return get(path, again=False)


def profile() -> dict:
    return get("/userprofile-service/socialProfile")


@server.tool(structured_output=False)
def get_full_name() -> str:
    """Get user's full name from profile"""
    return json.dumps({"full_name": profile()["fullName"]})


@server.tool(structured_output=False)
def get_stats(date: str) -> str:
    """Get daily activity stats"""
    name = profile()["displayName"]
    day = get(f"/usersummary-service/usersummary/daily/{name}?calendarDate={date}")
    return json.dumps({"date": date, "total_steps": day["totalSteps"]})


@server.tool(structured_output=False)
async def count(ctx: Context, steps: int) -> str:
    """Counts, and tells of every step"""
    for step in range(steps):
        await ctx.report_progress(step, steps)
        await asyncio.sleep(0.05)
    return "counted"


if __name__ == "__main__":
    server.run(transport="streamable-http")
