"""MCP over standard input and output: each request is handed on to the server that holds the data folder.

Where there is none, this process becomes that server for as long as its client is there: commands and other
clients beside it then go through it.
"""

import json
import os
import signal
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, Final

import anyio
import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.server.context import ServerRequestContext
from mcp.server.stdio import stdio_server
from mcp.shared.exceptions import MCPError
from mcp_types import (
    INTERNAL_ERROR,
    CallToolRequest,
    CallToolResult,
    GetPromptRequest,
    GetPromptResult,
    ListPromptsRequest,
    ListPromptsResult,
    ListResourcesRequest,
    ListResourcesResult,
    ListResourceTemplatesRequest,
    ListResourceTemplatesResult,
    ListToolsRequest,
    ListToolsResult,
    ReadResourceRequest,
    ReadResourceResult,
)
from mcp_types.version import LATEST_MODERN_VERSION

from agent.settings import Settings
from server.mcp_named import named_server
from server.mcp_words import line
from server.remote import running_server
from server.remote_protocol import ASKER_HEADER, MCP_PATH, asker_sent
from server.server_file import RunningServer
from store.errors import StoreLocked

_LOOPBACK: Final = "127.0.0.1"
_CONNECT_S: Final = 10.0
# So long a server that is just being started is waited for, by this process or by another client's.
_BESIDE_S: Final = 30.0
_LOOK_AGAIN_S: Final = 0.2
_Handler = Callable[[ServerRequestContext[Any, Any], Any], Awaitable[Any]]


def serve_stdio(settings: Settings) -> None:
    """Serve one client until it closes standard input. Raises what opening the data folder raises."""
    if running_server(settings.home) is not None:
        anyio.run(_hand_on, settings)
        return
    # The client gets its first answer at once; what needs the server waits for it.
    client = threading.Thread(target=anyio.run, args=(_hand_on, settings), name="mcp", daemon=True)
    client.start()
    try:
        _be_server(settings, client)
    except StoreLocked:
        if _other_server(settings) is None:
            raise
    client.join()


def _be_server(settings: Settings, client: threading.Thread) -> None:
    """Hold the data folder until the client has gone."""
    from agent.wiring import open_app
    from server.serve import Started, run_server

    def end_with_client() -> None:
        client.join()
        os.kill(os.getpid(), signal.SIGTERM)

    def started(_server: Started) -> None:
        threading.Thread(target=end_with_client, name="mcp-end", daemon=True).start()

    with open_app(settings) as app:
        run_server(app, _LOOPBACK, 0, started)


def _other_server(settings: Settings) -> RunningServer | None:
    """The server that somebody else starts just now; None where there is none in the end."""
    until = time.monotonic() + _BESIDE_S
    while (server := running_server(settings.home)) is None and time.monotonic() < until:
        time.sleep(_LOOK_AGAIN_S)
    return server


async def _hand_on(settings: Settings) -> None:
    server = named_server(
        settings.language,
        on_list_tools=_handler(settings, ListToolsRequest, ListToolsResult),
        on_call_tool=_handler(settings, CallToolRequest, CallToolResult),
        on_list_resources=_handler(settings, ListResourcesRequest, ListResourcesResult),
        on_list_resource_templates=_handler(
            settings, ListResourceTemplatesRequest, ListResourceTemplatesResult
        ),
        on_read_resource=_handler(settings, ReadResourceRequest, ReadResourceResult),
        on_list_prompts=_handler(settings, ListPromptsRequest, ListPromptsResult),
        on_get_prompt=_handler(settings, GetPromptRequest, GetPromptResult),
    )
    async with stdio_server() as (incoming, outgoing):
        await server.run(incoming, outgoing, server.create_initialization_options())


def _handler(settings: Settings, request: Any, result: Any) -> _Handler:
    """Hands one kind of request on, with progress on the way back; cancelled, it is cancelled there too."""

    async def handle(context: ServerRequestContext[Any, Any], params: Any) -> Any:
        # Its `_meta` is of this connection.
        asked = request(params=params.model_copy(update={"meta": None}) if params is not None else None)
        async with _connected(settings) as client:
            return await client.session.send_request(
                asked, result, progress_callback=context.session.report_progress
            )

    return handle


@asynccontextmanager
async def _connected(settings: Settings) -> AsyncIterator[Client]:
    """A client of whichever server holds the data folder now: it may have been started anew in between."""
    server = await anyio.to_thread.run_sync(_other_server, settings)
    if server is None:
        raise MCPError(INTERNAL_ERROR, line("no_server", settings.language))
    headers = {
        "Authorization": f"Bearer {server.token}",
        "Accept-Language": settings.language,
        ASKER_HEADER: json.dumps(asker_sent(settings).model_dump(mode="json")),
    }
    timeout = httpx2.Timeout(_CONNECT_S, read=None)
    async with httpx2.AsyncClient(headers=headers, timeout=timeout, trust_env=False) as http:
        transport = streamable_http_client(server.url + MCP_PATH, http_client=http, max_sse_event_size=None)
        async with Client(transport, mode=LATEST_MODERN_VERSION, cache=None) as client:
            yield client
