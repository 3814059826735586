"""The HTTP application: one App and one Assistant behind all routes."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

from fastapi import APIRouter, FastAPI
from starlette.concurrency import run_in_threadpool

from agent.wiring import App
from server import routes_health
from server.api_audit import AuditTrail
from server.api_key_uses import KeyUses
from server.api_problems import Problem, handle_problems
from server.api_requests import Requests
from server.api_state import ServerState

# Every route of the server; one line a noun.
ROUTERS: Final[tuple[APIRouter, ...]] = (routes_health.router,)

_ABOUT: Final = """Feedback in; checked answers, alerts, tasks and action plans out.

Errors are RFC 9457 problem documents. Lists are paged by `limit` and `cursor`. Every answer is within the
role and the org units of the key that asks."""


def create_api(app: App) -> FastAPI:
    """The server over an application, which stays the caller's to close."""

    @asynccontextmanager
    async def lifespan(api: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            await run_in_threadpool(_open_stores, app)
            audit = AuditTrail(app.operations, app.clock)
            stack.push_async_callback(run_in_threadpool, audit.close)
            assistant = await stack.enter_async_context(app.assistant())
            api.state.voiceloop = ServerState(
                app=app,
                assistant=assistant,
                keys=app.keys,
                key_uses=KeyUses(app.keys, app.clock),
                audit=audit,
                local_token=secrets.token_urlsafe(32),
                closing=asyncio.Event(),
            )
            yield

    api = FastAPI(
        title="VoiceLoop", version="1", description=_ABOUT, lifespan=lifespan, docs_url=None, redoc_url=None
    )
    handle_problems(api)
    api.add_middleware(Requests)
    for router in ROUTERS:
        api.include_router(router)
    _describe(api)
    return api


def _open_stores(app: App) -> None:
    """Open what is opened at first use, here: two first requests at once must not open it twice."""
    for part in (app.facts, app.operations, app.keys, app.preferences, app.threads, app.human_labels):
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
        assert api.openapi_schema is not None
        return api.openapi_schema

    api.openapi = described  # type: ignore[method-assign]
