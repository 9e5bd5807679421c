"""Python's `mcp` 1.x: the legacy era, and its own OAuth client. Usage: python_1.py MCP_URL"""

import asyncio
import sys
from contextlib import AsyncExitStack

from lines import CALLBACK, Memory, obey, visit
from mcp import ClientSession
from mcp.client.auth import OAuthClientProvider
from mcp.client.streamable_http import streamablehttp_client
from mcp.shared.auth import OAuthClientMetadata


async def main(url):
    memory, returned = Memory(), {}
    metadata = OAuthClientMetadata(
        client_name="Python 1",
        redirect_uris=[CALLBACK],
        grant_types=["authorization_code", "refresh_token"],
        response_types=["code"],
        token_endpoint_auth_method="none",
    )

    async def redirect(at):
        returned.update(await asyncio.to_thread(visit, at))

    async def callback():
        return returned["code"], returned["state"]

    auth = OAuthClientProvider(url, metadata, memory, redirect, callback)
    async with AsyncExitStack() as stack:
        session = None

        async def connect():
            nonlocal session
            read, write, _ = await stack.enter_async_context(streamablehttp_client(url, auth=auth))
            session = await stack.enter_async_context(ClientSession(read, write))
            return {"era": (await session.initialize()).protocolVersion}

        async def listed():
            return {"tools": [t.model_dump(mode="json") for t in (await session.list_tools()).tools]}

        async def call(tool, arguments):
            result = await session.call_tool(tool, arguments)
            return {"text": result.content[0].text, "is_error": result.isError}

        async def tokens():
            return memory.tokens.model_dump(mode="json")

        await obey({"connect": connect, "list": listed, "call": call, "tokens": tokens})


asyncio.run(main(sys.argv[1]))
