"""MCP over streamable HTTP at /mcp: the same keys, roles and scope as the routes."""

from typing import Final

from fastapi import FastAPI
from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
from mcp.server.auth.provider import AccessToken
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from server.api_access import Caller, Language, caller, check_same_site, from_command_line
from server.api_state import state_of
from server.mcp_caller import CALLER
from server.mcp_server import build_mcp
from server.remote_protocol import ASKER_HEADER, MCP_PATH, SentAsker
from store.errors import InputError
from tools.context import Asker

_METHODS: Final = ("POST", "DELETE")
_BODY_BYTES: Final = 1_000_000
_SESSIONS: Final = 1_000


def mcp_sessions(language: Language) -> StreamableHTTPSessionManager:
    """The sessions of the clients; to be run within the lifespan of the server."""
    return StreamableHTTPSessionManager(
        build_mcp(language), max_request_body_size=_BODY_BYTES, max_sessions=_SESSIONS
    )


def mount_mcp(api: FastAPI) -> None:
    """Serve MCP at /mcp. It is JSON-RPC and no part of the OpenAPI document."""
    endpoint = _Endpoint()
    endpoint.route = Route(MCP_PATH, endpoint)
    api.router.routes.append(endpoint.route)


class _Endpoint:
    """Finds out who asks, for each request anew, and hands it on."""

    route: Route

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; raises what `caller` raises."""
        scope["route"] = self.route
        request = Request(scope, receive)
        if request.method not in _METHODS:
            # GET would open a stream for what a server says unasked; this one never does, and such a stream
            # would only keep the server from ending.
            await Response(status_code=405, headers={"Allow": ", ".join(_METHODS)})(scope, receive, send)
            return
        check_same_site(request)
        found = await run_in_threadpool(_caller, request)
        setattr(request.state, CALLER, found)
        scope["user"] = _owner(found)
        await state_of(request).mcp.handle_request(scope, receive, send)


def _caller(request: Request) -> Caller:
    """As for the routes. The command line says itself who sits at it, for its settings may be others."""
    found, said = caller(request), request.headers.get(ASKER_HEADER)
    if said is None or not from_command_line(request, state_of(request)):
        return found
    try:
        asker = SentAsker.model_validate_json(said)
    except ValidationError as error:
        raise InputError(f"{ASKER_HEADER} names nobody") from error
    return Caller(Asker(asker.user, asker.role, asker.scope), found.key_id, asker.language)


def _owner(found: Caller) -> AuthenticatedUser:
    """Whose session it is: one that is taken up with another key does not exist."""
    name = f"{found.key_id or ''}/{found.asker.user}"
    return AuthenticatedUser(AccessToken(token="", client_id=name, scopes=[]))
