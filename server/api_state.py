"""What every handler works with: made once, in the lifespan of server/api.py."""

import asyncio
import secrets
from dataclasses import dataclass, field
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
from server.ingest_queue import IngestQueue
from server.insight_cache import InsightCache
from server.job_runner import JobRunner
from store.keys import KeyStore

if TYPE_CHECKING:
    from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

    from server.feishu_service import FeishuService
    from server.oidc import Oidc
    from server.readiness import Readiness
    from server.slack_service import SlackService


@dataclass(kw_only=True)
class ServerState:
    """One application, one assistant and what belongs to the server alone.

    `local_token`: as bearer it makes a request the settings' local asker; who may read the file that it is
    written to may read the data folder too. `instance` names this run of the server. `commands` counts those
    of the command line that run here. `closing` is set once the server is asked to end: whatever streams ends
    then.
    """

    app: App
    assistant: Assistant
    turns: ChatTurns
    jobs: JobRunner
    ingest: IngestQueue
    insights: InsightCache = field(default_factory=InsightCache)
    mcp: "StreamableHTTPSessionManager"
    keys: KeyStore
    key_uses: KeyUses
    rates: Rates
    audit: AuditTrail
    metrics: Metrics
    readiness: "Readiness"
    local_token: str
    closing: asyncio.Event
    instance: str = field(default_factory=lambda: secrets.token_hex(6))
    commands: int = 0
    oidc: "Oidc | None"
    slack: "SlackService | None" = None
    feishu: "FeishuService | None" = None


def state_of(connection: HTTPConnection) -> ServerState:
    """The state of the server that this request came to."""
    state: ServerState = connection.app.state.voiceloop
    return state


StateNow = Annotated[ServerState, Depends(state_of)]
