"""Insight summaries over the API, for programs and for people."""

import hashlib
import re
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Header, Query
from fastapi.responses import Response

from agent.wiring import App
from server.api_access import Caller, CallerNow
from server.api_audit import record
from server.api_problems import problems
from server.api_selection import filters_of
from server.api_state import ServerState, StateNow
from server.insight_cache import MadeReport
from server.report_files import ReportFormat, file_name

router = APIRouter(prefix="/v1/insights", tags=["insights"])
_TYPES: Final = {
    "json": "application/json",
    "md": "text/markdown; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "pdf": "application/pdf",
}
_READ_ONLY: Final = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:; frame-ancestors 'self'"
)
_DAY = r"^\d{4}-\d{2}-\d{2}$"


@router.get(
    "",
    operation_id="get_insights",
    summary="An insight report",
    response_class=Response,
    responses={
        **problems(401, 403),
        200: {
            "description": "the report, in the format asked for",
            "content": {
                "application/json": {"schema": {"type": "object"}},
                "text/markdown": {"schema": {"type": "string"}},
                "text/html": {"schema": {"type": "string"}},
                "application/pdf": {"schema": {"type": "string", "format": "binary"}},
            },
        },
        304: {"description": "what `If-None-Match` names is still the report"},
    },
)
def get_insights(
    caller: CallerNow,
    state: StateNow,
    kind: Annotated[Literal["daily", "weekly", "monthly", "ad_hoc"], Query()] = "ad_hoc",
    from_: Annotated[
        str | None,
        Query(alias="from", pattern=_DAY, description="first day, e.g. 2026-10-01"),
    ] = None,
    to: Annotated[str | None, Query(pattern=_DAY, description="the day after the last (ad_hoc)")] = None,
    given: Annotated[
        list[str], Query(alias="filter", max_length=20, description="`dimension=value`, repeatable")
    ] = [],  # noqa: B006 - FastAPI copies it
    language: Annotated[Literal["zh", "en"] | None, Query()] = None,
    format: Annotated[ReportFormat, Query()] = "json",
    if_none_match: Annotated[str | None, Header()] = None,
) -> Response:
    """What changed and why, themes with quotes, risks, tasks, plans; the same figures in each format.

    Kept until new feedback, a task or a plan changes it.
    """
    filters = filters_of(given)
    made = _made(caller, state, kind, language or caller.language, from_, to, filters)
    record(state, caller, "insights.read", kind, format=format)
    etag = f'"{made.etag}-{format}"'
    headers = {"ETag": etag, "Cache-Control": "private, no-cache", "Vary": "Authorization, Cookie"}
    if if_none_match and etag in re.split(r"\s*,\s*", if_none_match):
        return Response(status_code=304, headers=headers)
    if format != "json":
        headers["Content-Disposition"] = f'inline; filename="{file_name(made.document, format)}"'
    if format == "html":
        # It is of one piece: nothing it holds may fetch or send anything.
        headers["Content-Security-Policy"] = _READ_ONLY
        # Our own page shows it in a frame.
        headers["X-Frame-Options"] = "SAMEORIGIN"
    return Response(made.body(format), media_type=_TYPES[format], headers=headers)


def _made(
    caller: Caller,
    state: ServerState,
    kind: Any,
    language: Literal["zh", "en"],
    first: str | None,
    end: str | None,
    filters: dict[str, list[str]],
) -> MadeReport:
    app = state.app
    day = app.clock.now().astimezone(app.settings.zone).date()
    wanted = (kind, language, first, end, tuple(sorted((name, tuple(v)) for name, v in filters.items())))
    who = (caller.asker.scope, caller.asker.role)
    key = (wanted, who, day, repr(app.facts.version()), _deeds(app), repr((app.targets, app.calendar)))
    narrowed = {name: values[0] if len(values) == 1 else values for name, values in filters.items()}
    return state.insights.report(
        key,
        lambda: (
            app.insights(
                caller.asker, kind=kind, language=language, first=first, end=end, filters=narrowed
            ).document
        ),
    )


def _deeds(app: App) -> str:
    """A digest of the tasks, plans and effects that a report tells of."""
    operations = app.operations
    said = [
        *((task.task_id, task.status, task.owner, task.due_at) for task in operations.tasks()),
        *((plan.plan_id, plan.status, plan.review) for plan in operations.plans()),
        *(effect.effect_id for effect in operations.effects()),
    ]
    return hashlib.sha256(repr(said).encode()).hexdigest()
