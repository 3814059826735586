"""Who calls through MCP, and what they are told of an error: in words, and no more than over HTTP."""

from typing import Any, Final, NamedTuple

import structlog
from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.shared.exceptions import MCPError
from mcp_types import INTERNAL_ERROR, INVALID_PARAMS
from pydantic import ValidationError
from starlette.requests import Request

from agent.toolset import error_for_model
from server.api_access import Caller
from server.api_logs import causes, places
from server.api_problems import request_id_of, status_of
from server.api_state import ServerState, state_of
from server.mcp_words import line
from store.errors import ToolInputError, VoiceLoopError

_LOG = structlog.get_logger()
Context = ServerRequestContext[Any, Request]
# Where the endpoint leaves the caller for the handlers.
CALLER: Final = "mcp_caller"


class Session(NamedTuple):
    """One request: the server that it came to, who sent it and its id."""

    state: ServerState
    caller: Caller
    request_id: str


def session_of(context: Context) -> Session:
    """On whose behalf a handler runs. Found out for each request anew, so that a revoked key ends at once."""
    request = context.request
    if request is None:
        raise TypeError("MCP is served over HTTP alone: what comes by standard input is handed on to it")
    return Session(state_of(request), getattr(request.state, CALLER), request_id_of(request))


def words_of(error: VoiceLoopError, session: Session) -> str:
    """What a caller may know of an error of ours."""
    if status_of(error) < 500 or status_of(error) == 503:
        return error_for_model(ToolInputError(error.message, hint=error.hint))
    _LOG.error("mcp_failed", request_id=session.request_id, kind=error.kind, reason=error.message)
    return line("failed", session.caller.language, request_id=session.request_id)


async def told_errors(ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
    """Middleware: whatever a handler raises becomes an error of the protocol that gives nothing away."""
    try:
        return await call_next(ctx)
    except (MCPError, ValidationError):
        raise
    except VoiceLoopError as error:
        code = INVALID_PARAMS if status_of(error) < 500 else INTERNAL_ERROR
        raise MCPError(code, words_of(error, session_of(ctx))) from error
    except Exception as error:
        session = session_of(ctx)
        _LOG.error(
            "mcp_failed", request_id=session.request_id, error=causes(error), at=places(error.__traceback__)
        )
        told = line("failed", session.caller.language, request_id=session.request_id)
        raise MCPError(INTERNAL_ERROR, told) from error
