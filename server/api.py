"""The HTTP application: one App and one Assistant behind all routes."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from functools import partial
from typing import Final

import structlog
from fastapi import APIRouter, FastAPI
from starlette.concurrency import run_in_threadpool

from agent.wiring import App
from server import (
    routes_alerts,
    routes_audit,
    routes_chat,
    routes_commands,
    routes_completions,
    routes_crm,
    routes_customers,
    routes_dimensions,
    routes_feedback,
    routes_feishu,
    routes_files,
    routes_health,
    routes_insights,
    routes_jobs,
    routes_keys,
    routes_learning,
    routes_live,
    routes_messages,
    routes_oidc,
    routes_outcomes,
    routes_page,
    routes_plans,
    routes_policy,
    routes_pool,
    routes_session,
    routes_settings,
    routes_slack,
    routes_surveys,
    routes_tasks,
    routes_themes,
    routes_tools,
)
from server.api_audit import AuditTrail
from server.api_key_uses import KeyUses
from server.api_limits import Limits
from server.api_logs import causes, places
from server.api_metrics import Metrics
from server.api_problems import Problem, handle_problems
from server.api_rates import Rates
from server.api_requests import Requests
from server.api_state import ServerState
from server.api_traces import open_traces
from server.audit_journal import AuditJournal
from server.chat_events import event_schemas
from server.chat_turns import ChatTurns
from server.crm_rounds import linking_crms
from server.feishu_service import open_feishu
from server.ingest_queue import IngestQueue
from server.job_kinds import begin_indexing, handlers
from server.job_runner import JobRunner
from server.job_schedules import seed_schedules
from server.mcp_http import mcp_sessions, mount_mcp
from server.notice_rounds import telling_alerts
from server.oidc import Oidc
from server.readiness import Readiness
from server.slack_service import open_slack
from store.errors import VoiceLoopError

_LOG = structlog.get_logger()

# Every route of the server; one line a noun.
ROUTERS: Final[tuple[APIRouter, ...]] = (
    routes_health.router,
    routes_files.router,
    routes_feedback.router,
    routes_insights.router,
    routes_keys.router,
    routes_live.router,
    routes_learning.router,
    routes_policy.router,
    routes_audit.router,
    routes_session.router,
    routes_settings.router,
    routes_oidc.router,
    routes_slack.router,
    routes_feishu.router,
    routes_completions.router,
    routes_chat.router,
    routes_commands.router,
    routes_customers.router,
    routes_dimensions.router,
    routes_jobs.router,
    routes_alerts.router,
    routes_outcomes.router,
    routes_tasks.router,
    routes_tasks.approvals,
    routes_plans.router,
    routes_pool.router,
    routes_surveys.router,
    routes_crm.router,
    routes_messages.router,
    routes_messages.wishes,
    routes_themes.router,
    routes_tools.router,
    routes_page.router,
)

_ABOUT: Final = """Feedback in; checked answers, alerts, tasks and action plans out.

Errors are RFC 9457 problem documents. Lists are paged by `limit` and `cursor`. Every answer is within the
role and the org units of the key that asks."""


def create_api(app: App) -> FastAPI:
    """The server over an application, which stays the caller's to close."""

    metrics, traces = Metrics(), open_traces(app.settings.otlp_endpoint)

    @asynccontextmanager
    async def lifespan(api: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            stack.enter_context(_told_failure(api))
            stack.push_async_callback(run_in_threadpool, traces.close)
            await run_in_threadpool(open_stores, app)
            audit = await run_in_threadpool(AuditTrail, app.operations, app.clock, AuditJournal(app.home))
            stack.push_async_callback(run_in_threadpool, audit.close)
            assistant = await stack.enter_async_context(app.assistant())
            turns = ChatTurns(assistant)
            stack.push_async_callback(turns.close)
            jobs = JobRunner(app, app.jobs, handlers())
            await run_in_threadpool(seed_schedules, app)
            stack.push_async_callback(run_in_threadpool, jobs.close)
            jobs.start()
            ingest = IngestQueue(app, partial(begin_indexing, jobs, app.clock))
            stack.push_async_callback(run_in_threadpool, ingest.close)
            mcp = mcp_sessions(app.settings.language)
            await stack.enter_async_context(mcp.run())
            api.state.voiceloop = ServerState(
                app=app,
                assistant=assistant,
                turns=turns,
                jobs=jobs,
                ingest=ingest,
                mcp=mcp,
                keys=app.keys,
                key_uses=KeyUses(app.keys, app.clock),
                rates=Rates(rate_per_s=app.settings.rate_per_s, burst=app.settings.rate_burst),
                audit=audit,
                metrics=metrics,
                readiness=Readiness(app),
                local_token=secrets.token_urlsafe(32),
                closing=asyncio.Event(),
                oidc=Oidc(app.settings) if app.settings.oidc_issuer else None,
            )
            state: ServerState = api.state.voiceloop
            state.slack = await stack.enter_async_context(open_slack(state))
            state.feishu = await stack.enter_async_context(open_feishu(state))
            await stack.enter_async_context(telling_alerts(app))
            await stack.enter_async_context(linking_crms(app))
            yield

    api = FastAPI(
        title="VoiceLoop", version="1", description=_ABOUT, lifespan=lifespan, docs_url=None, redoc_url=None
    )
    handle_problems(api)
    api.add_middleware(Limits, settings=app.settings)
    api.add_middleware(Requests, metrics=metrics, traces=traces)
    for router in ROUTERS:
        api.include_router(router)
    mount_mcp(api)
    _describe(api)
    return api


@contextmanager
def _told_failure(api: FastAPI) -> Iterator[None]:
    """Keep the error that ends the start (or the end), for the command line to say it in a sentence."""
    try:
        yield
    except VoiceLoopError as error:
        api.state.failure = error
        raise
    except Exception as error:
        _LOG.error("lifespan_failed", error=causes(error), at=places(error.__traceback__))
        raise


def open_stores(app: App) -> None:
    """Open what is opened at first use, here: two first requests at once must not open it twice."""
    for part in (
        app.facts,
        app.operations,
        app.keys,
        app.sessions,
        app.jobs,
        app.replies,
        app.preferences,
        app.threads,
        app.human_labels,
        app.inbox,
        app.deliveries,
        app.crm_store,
    ):
        assert part is not None
    assert app.index is not None
    assert app.embedded is not None


def _describe(api: FastAPI) -> None:
    """Add to the OpenAPI document what routes only refer to."""
    plain = api.openapi

    def described() -> dict[str, object]:
        if api.openapi_schema is None:
            document = plain()
            schemas = document.setdefault("components", {}).setdefault("schemas", {})
            shape = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
            schemas.update(shape.pop("$defs", {}))
            schemas["Problem"] = shape
            schemas.update(event_schemas())
        assert api.openapi_schema is not None
        return api.openapi_schema

    api.openapi = described  # type: ignore[method-assign]
