"""The official SDK's client against the MCP server of a test, over real HTTP or a process's streams."""

import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
from mcp import Client, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client

ROOT = Path(__file__).parents[1]
MODES = ("auto", "legacy")


@asynccontextmanager
async def over_http(
    url: str, headers: Mapping[str, str], *, mode: str = "auto", language: str = "en"
) -> AsyncIterator[Client]:
    """A client with these headers; `legacy` is the handshake of before 2026."""
    given = {"Accept-Language": language, **headers}
    async with httpx2.AsyncClient(headers=given, timeout=60) as http:
        transport = streamable_http_client(f"{url}/mcp", http_client=http)
        async with Client(transport, mode=mode, cache=None) as client:
            yield client


def over_stdio(folder: Path, home: Path, **settings: str) -> Client:
    """A client of `voiceloop mcp` in a process of its own."""
    env = {"VOICELOOP_HOME": str(home), **{f"VOICELOOP_{k.upper()}": v for k, v in settings.items()}}
    process = StdioServerParameters(
        command=sys.executable,
        args=["-m", "server.cli", "mcp", "--language", "en"],
        env={**os.environ, "PYTHONPATH": str(ROOT), **env},
        cwd=folder,
    )
    return Client(process, cache=None)


def said(result: Any) -> str:
    """The words of a tool's result."""
    return "\n".join(one.text for one in result.content)
