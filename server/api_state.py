"""What every handler works with: made once, in the lifespan of server/api.py."""

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from fastapi import Depends
from starlette.requests import HTTPConnection

from agent.ask import Assistant
from agent.wiring import App
from server.api_audit import AuditTrail
from server.api_key_uses import KeyUses
from server.api_metrics import Metrics
from server.api_rates import Rates
from server.chat_turns import ChatTurns
from server.job_runner import JobRunner
from store.keys import KeyStore

if TYPE_CHECKING:
    from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

    from server.oidc import Oidc
    from server.readiness import Readiness
    from server.slack_service import SlackService


@dataclass
class ServerState:
    """One application, one assistant and what belongs to the server alone.

    `local_token`: as bearer it makes a request the settings' local asker; who may read the file that it is
    written to may read the data folder too. `closing` is set once the server is asked to end: whatever
    streams ends then.
    """

    app: App
    assistant: Assistant
    turns: ChatTurns
    jobs: JobRunner
    mcp: "StreamableHTTPSessionManager"
    keys: KeyStore
    key_uses: KeyUses
    rates: Rates
    audit: AuditTrail
    metrics: Metrics
    readiness: "Readiness"
    local_token: str
    closing: asyncio.Event
    oidc: "Oidc | None"
    slack: "SlackService | None" = None


def state_of(connection: HTTPConnection) -> ServerState:
    """The state of the server that this request came to."""
    state: ServerState = connection.app.state.voiceloop
    return state


StateNow = Annotated[ServerState, Depends(state_of)]
