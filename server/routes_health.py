"""Whether the server lives, whether it can do its work, and what Prometheus wants to know."""

from typing import Final

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from server.api_access import needs
from server.api_problems import problems
from server.api_state import StateNow
from server.readiness import readiness

router = APIRouter(tags=["operation"])
_PLAIN: Final = "text/plain; version=0.0.4; charset=utf-8"


class Alive(BaseModel):
    """The process answers."""

    status: str = Field(examples=["alive"])
    instance: str = Field(description="another one each time it starts", examples=["5b1f0c9a3d2e"])


class PartState(BaseModel):
    """One part that requests need. `required`: without it the server is not ready."""

    name: str = Field(examples=["facts"])
    ok: bool
    required: bool
    detail: str = Field(default="", examples=["answers"])


class Ready(BaseModel):
    """Whether requests can be served, and which part stands in the way."""

    ready: bool
    parts: list[PartState]


@router.get("/healthz", operation_id="healthz", summary="Whether the process answers")
def healthz(state: StateNow) -> Alive:
    """Says nothing about stores or endpoints: `/readyz` does."""
    return Alive(status="alive", instance=state.instance)


@router.get(
    "/readyz",
    operation_id="readyz",
    summary="Whether it can serve",
    responses={503: {"model": Ready, "description": "Not ready: `parts` says which part fails"}},
)
def readyz(response: Response, state: StateNow) -> Ready:
    """Asks DuckDB, SQLite, Chroma, the disk and the model endpoint, at most every few seconds.

    Without its model endpoint the server is ready: the offline planner answers.
    """
    parts = readiness(state)
    ready = all(part.ok for part in parts if part.required)
    if not ready:
        response.status_code = 503
    return Ready(ready=ready, parts=[PartState(**part._asdict()) for part in parts])


@router.get(
    "/metrics",
    operation_id="metrics",
    summary="Prometheus metrics",
    response_class=Response,
    responses={200: {"content": {"text/plain": {}}}, **problems(401, 403)},
    dependencies=[needs("analyst")],
)
def metrics(state: StateNow) -> Response:
    """Counts and times of the process; no series tells keys, people or texts."""
    from prometheus_client import generate_latest

    state.metrics.audit_waiting.set(state.audit.waiting)
    state.metrics.ingest_waiting.set(state.ingest.waiting)
    state.metrics.ingest_lag.set(state.ingest.lag_s)
    return Response(generate_latest(state.metrics.registry), media_type=_PLAIN)
