"""Python's `mcp` 2.x: tries the modern era first, validates `iss`. Usage: python_2.py MCP_URL"""

import asyncio
import sys
from contextlib import AsyncExitStack

import httpx2
from lines import CALLBACK, Memory, obey, visit
from mcp import Client
from mcp.client.auth import AuthorizationCodeResult, OAuthClientProvider
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import OAuthClientMetadata


async def main(url):
    memory, returned = Memory(), {}

    async def redirect(at):
        returned.update(await asyncio.to_thread(visit, at))

    async def callback():
        return AuthorizationCodeResult(code=returned["code"], state=returned["state"], iss=returned.get("iss"))

    auth = OAuthClientProvider(
        server_url=url,
        client_metadata=OAuthClientMetadata(client_name="Python 2", redirect_uris=[CALLBACK]),
        storage=memory,
        redirect_handler=redirect,
        callback_handler=callback,
    )
    async with AsyncExitStack() as stack:
        client = None

        async def connect():
            nonlocal client
            http = await stack.enter_async_context(httpx2.AsyncClient(auth=auth, timeout=60))
            client = await stack.enter_async_context(Client(streamable_http_client(url, http_client=http)))
            return {"era": client.protocol_version}

        async def listed():
            return {"tools": [t.model_dump(mode="json", by_alias=True) for t in (await client.list_tools()).tools]}

        async def call(tool, arguments):
            result = await client.call_tool(tool, arguments)
            return {"text": result.content[0].text, "is_error": result.is_error}

        async def tokens():
            return memory.tokens.model_dump(mode="json")

        await obey({"connect": connect, "list": listed, "call": call, "tokens": tokens})


asyncio.run(main(sys.argv[1]))
