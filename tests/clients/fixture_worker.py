"""A worker with the tools, resources and prompts that the MCP conformance suite expects of a server.

It takes the place of `garmin_mcp` (GARMIN_MCP_CMD) and is built on FastMCP 1.x like that. If the suite finds everything
behind the gateway, the gateway has passed it on correctly, also in an era that the worker itself does not know.
"""

import asyncio
import base64
import json
import os

from mcp.server.fastmcp import Context, FastMCP
from mcp.server.fastmcp.prompts.base import UserMessage
from mcp.types import (
    AudioContent,
    Completion,
    EmbeddedResource,
    ImageContent,
    TextContent,
    TextResourceContents,
)
from pydantic import BaseModel
from starlette.responses import PlainTextResponse

# One red pixel, and an empty WAV file.
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg=="
SILENCE = "UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAAB9AAACABAAZGF0YQIAAAA="

server = FastMCP(
    "Conformance fixture",
    host=os.environ.get("GARMIN_MCP_HOST", "127.0.0.1"),
    port=int(os.environ.get("GARMIN_MCP_PORT", "8000")),
)


@server.custom_route("/healthz", methods=["GET"])
async def healthz(_request):
    return PlainTextResponse("ok")


def image() -> ImageContent:
    return ImageContent(type="image", data=PIXEL, mimeType="image/png")


def resource(uri: str, kind: str, text: str) -> EmbeddedResource:
    return EmbeddedResource(type="resource", resource=TextResourceContents(uri=uri, mimeType=kind, text=text))


@server.tool(structured_output=False)
def test_simple_text():
    """Answers with one text."""
    return "This is a simple text response for testing."


@server.tool(structured_output=False)
def test_image_content():
    """Answers with an image."""
    return [image()]


@server.tool(structured_output=False)
def test_audio_content():
    """Answers with a sound."""
    return [AudioContent(type="audio", data=SILENCE, mimeType="audio/wav")]


@server.tool(structured_output=False)
def test_embedded_resource():
    """Answers with a resource."""
    return [resource("test://embedded-resource", "text/plain", "This is an embedded resource content.")]


@server.tool(structured_output=False)
def test_multiple_content_types():
    """Answers with a text, an image and a resource."""
    mixed = resource("test://mixed-content-resource", "application/json", '{"test":"data","value":123}')
    return [TextContent(type="text", text="Multiple content types test:"), image(), mixed]


async def log_three_lines(ctx: Context):
    for line in ("started", "processing data", "completed"):
        await ctx.info(f"Tool execution {line}" if line != "processing data" else "Tool processing data")
        await asyncio.sleep(0.05)


@server.tool(structured_output=False)
async def test_tool_with_logging(ctx: Context):
    """Logs three lines while it works."""
    await log_three_lines(ctx)
    return "Tool with logging executed successfully"


@server.tool(structured_output=False)
async def test_logging_tool(ctx: Context):
    """Logs even when no log level was requested."""
    await log_three_lines(ctx)
    return "logged"


@server.tool(structured_output=False)
async def test_tool_with_progress(ctx: Context):
    """Reports progress: 0, 50, 100."""
    for step in (0, 50, 100):
        await ctx.report_progress(step, 100, f"Completed step {step} of 100")
        await asyncio.sleep(0.05)
    return "Tool with progress executed successfully"


class Wish(BaseModel):
    wish: str


@server.tool(structured_output=False)
async def test_streaming_elicitation(ctx: Context):
    """Elicits input in the middle of the call; the gateway does not forward this, and the client must not see it."""
    await ctx.report_progress(1, 2, "asking")
    try:
        answer = await ctx.elicit("What do you wish?", Wish)
    except Exception as error:
        return f"nobody could be asked: {error}"
    return f"answered: {answer.action}"


@server.tool(structured_output=False)
def test_error_handling():
    """Fails."""
    raise RuntimeError("This tool intentionally returns an error for testing")


@server.tool(structured_output=False)
def json_schema_2020_12_tool():
    """Has an input schema full of keywords that a proxy could lose."""
    return "ok"


server._tool_manager.get_tool("json_schema_2020_12_tool").parameters = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "$defs": {
        "address": {
            "$anchor": "addressDef",
            "type": "object",
            "properties": {"street": {"type": "string"}, "city": {"type": "string"}},
        }
    },
    "properties": {
        "name": {"type": "string"},
        "address": {"$ref": "#/$defs/address"},
        "contactMethod": {"type": "string", "enum": ["phone", "email"]},
        "phone": {"type": "string"},
        "email": {"type": "string"},
    },
    "allOf": [{"anyOf": [{"required": ["phone"]}, {"required": ["email"]}]}],
    "if": {"properties": {"contactMethod": {"const": "phone"}}, "required": ["contactMethod"]},
    "then": {"required": ["phone"]},
    "else": {"required": ["email"]},
    "additionalProperties": False,
}


@server.resource("test://static-text", mime_type="text/plain")
def static_text() -> str:
    """A constant text."""
    return "This is the content of the static text resource."


@server.resource("test://static-binary", mime_type="image/png")
def static_binary() -> bytes:
    """A constant image."""
    return base64.b64decode(PIXEL)


@server.resource("test://template/{id}/data", mime_type="application/json")
def template(id: str) -> str:
    """A resource for every id."""
    return json.dumps({"id": id, "templateTest": True, "data": f"Data for ID: {id}"})


@server.prompt()
def test_simple_prompt():
    """A prompt without arguments."""
    return [UserMessage("This is a simple prompt for testing.")]


@server.prompt()
def test_prompt_with_arguments(arg1: str, arg2: str):
    """A prompt with two arguments."""
    return [UserMessage(f"Prompt with arguments: arg1='{arg1}', arg2='{arg2}'")]


@server.prompt()
def test_prompt_with_embedded_resource(resourceUri: str):
    """A prompt that carries a resource."""
    embedded = resource(resourceUri, "text/plain", "Embedded resource content for testing.")
    return [UserMessage(embedded), UserMessage("Please process the embedded resource above.")]


@server.prompt()
def test_prompt_with_image():
    """A prompt that carries an image."""
    return [UserMessage(image()), UserMessage("Please analyze the image above.")]


@server._mcp_server.set_logging_level()
async def set_logging_level(_level):
    pass


@server.completion()
async def complete(_reference, _argument, _context):
    return Completion(values=["test"], total=1, hasMore=False)


if __name__ == "__main__":
    server.run(transport="streamable-http")
