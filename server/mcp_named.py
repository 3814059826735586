"""What the MCP server says of itself."""

from importlib.metadata import version
from typing import Any

from mcp.server.lowlevel import Server

from server.mcp_words import mcp_words
from tools.arguments import Language


def named_server(language: Language, **handlers: Any) -> Server[Any]:
    """A server that says who it is and what it is for; `handlers` as the SDK's Server takes them."""
    return Server(
        "voiceloop",
        title="VoiceLoop",
        version=version("voiceloop"),
        instructions=mcp_words()["instructions"][language],
        **handlers,
    )
