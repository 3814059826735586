"""Alerts: list, show, judge, scan."""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field

from retention.talking_points import PointKind
from server.api_access import Caller, CallerNow, needs
from server.api_audit import record
from server.api_pages import Cursor, Limit, page
from server.api_problems import problems
from server.api_state import ServerState, StateNow
from server.tool_calls import call_tool, named
from store.alerts import Alert, AlertStatus, Ending, VerdictKind
from store.errors import NotPermitted
from store.records import TaskStatus, Tier
from tools.alert_list import alert_row
from tools.alert_records import named_alert, task_of_alert
from tools.alert_view import alert_figures
from tools.due import Due, When, is_due

router = APIRouter(prefix="/v1/alerts", tags=["alerts"])

AlertId = Annotated[str, Path(min_length=1, max_length=100, examples=["alert-0f1e2d3c4b5a6978"])]


class AlertPart(BaseModel):
    """One addend of the score; `weight` is the most that the policy lets it count."""

    signal: str = Field(examples=["signal"])
    detail: str = Field(examples=["cancel"])
    text: str = Field(examples=["提到解约或取消（2 次）"])
    points: float
    weight: float
    at: datetime | None
    evidence: list[str]


class AlertTask(BaseModel):
    """The task of an alert."""

    task_id: str
    status: TaskStatus
    owner: str


class AlertView(BaseModel):
    """An alert in the caller's language; times in the configured zone. `parts` add up to `score`."""

    alert_id: str = Field(examples=["alert-0f1e2d3c4b5a6978"])
    customer_id: str = Field(examples=["c001"])
    tier: Tier
    status: AlertStatus
    score: float = Field(description="100 - health", examples=[64.8])
    summary: str = Field(examples=["红色预警：客户 c001 有流失风险…"])
    causes: list[str] = Field(examples=[["cancel", "health"]])
    reasons: list[str] = Field(examples=[["提到解约或取消（2 次）"]])
    parts: list[AlertPart]
    evidence: list[str]
    owner_role: str = Field(examples=["service_director"])
    owner: str = Field(description="the role in words", examples=["客服总监"])
    due_at: datetime
    due: When
    overdue: bool
    created_at: datetime
    raised_at: datetime
    closed_at: datetime | None
    closed_because: Ending | None
    verdict: VerdictKind | None


class VerdictView(BaseModel):
    """One verdict; the last one counts."""

    verdict: VerdictKind
    reason: str
    by: str
    at: datetime
    tier: Tier
    causes: list[str]


class TalkingPoint(BaseModel):
    """One thing to say to the customer, or to keep to (`limits`, `avoid`)."""

    kind: PointKind
    text: str


class AlertInFull(AlertView):
    """An alert with its task, its verdicts, the words it rests on and the customer's last conversations."""

    task: AlertTask | None
    advice: str
    verdicts: list[VerdictView]
    quotes: list[dict[str, Any]] = Field(description="masked feedback among the evidence")
    conversations: list[dict[str, Any]] = Field(description="the last three, newest first")
    what_to_say: list[TalkingPoint] = Field(description="apology, value, return, limits, promise")


class Alerts(BaseModel):
    """Open alerts first, by deadline; `counts` are of all that the caller may see."""

    alerts: list[AlertView]
    counts: dict[str, int] = Field(examples=[{"open": 12, "closed": 3, "overdue": 1}])
    next_cursor: str | None


class VerdictBody(BaseModel):
    """What a person says of an alert."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"verdict": "false_alarm", "reason": "客户说的是以前的供应商"}]},
    )

    verdict: VerdictKind
    reason: Annotated[str, Field(max_length=500)] = ""


class Scan(BaseModel):
    """What a scan did."""

    at: datetime = Field(description="the moment at which customers were judged")
    customers: int
    assessed: int = Field(description="looked at; of the others nothing new is known")
    opened: int
    raised: int
    joined: int
    tasks: int
    messages: int
    by_tier: dict[str, int]
    elapsed_ms: int


@router.get("", operation_id="list_alerts", summary="List alerts", responses=problems(400, 401, 403, 503))
def list_alerts(
    caller: CallerNow,
    state: StateNow,
    status: Annotated[
        AlertStatus | Literal["all"], Query(description="open (default), closed or all")
    ] = "open",
    tier: Annotated[Tier | None, Query(description="only this tier")] = None,
    due: Annotated[Due | None, Query(description="deadline past, or before midnight (or past)")] = None,
    customer_id: Annotated[str | None, Query(max_length=200, description="only of this customer")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Alerts:
    """Those that the caller may see, open ones first, then by deadline."""
    context = state.app.context(caller.asker)
    now = context.clock.now()
    every = context.operations.alerts(tier=tier, customer_id=customer_id)
    fits = [one for one in every if status in ("all", one.status) and is_due(one.due_at, due, now, context)]
    found, following = page(fits, limit, cursor)
    standing = [one for one in every if one.status == "open"]
    counts = {
        "open": len(standing),
        "closed": len(every) - len(standing),
        "overdue": sum(one.due_at < now for one in standing),
    }
    record(state, caller, "alert.list", "alerts", n=len(found))
    shown = [AlertView.model_validate(alert_row(one, caller.language, context)) for one in found]
    return Alerts(alerts=shown, counts=counts, next_cursor=following)


@router.get(
    "/{alert_id}", operation_id="get_alert", summary="Show an alert", responses=problems(401, 403, 404, 503)
)
def get_alert(alert_id: AlertId, caller: CallerNow, state: StateNow) -> AlertInFull:
    """With what it rests on, its task, what to say, and every verdict on it."""
    alert = _found(alert_id, caller, state)
    record(state, caller, "alert.read", alert.alert_id, customer_id=alert.customer_id)
    return _in_full(alert, caller, state)


@router.post(
    "/{alert_id}/verdict",
    operation_id="judge_alert",
    summary="Say whether an alert was accurate",
    dependencies=[needs("analyst")],
    responses=problems(400, 401, 403, 404, 503),
)
def judge_alert(alert_id: AlertId, body: VerdictBody, caller: CallerNow, state: StateNow) -> AlertInFull:
    """A false alarm closes the alert and cancels its task; a later verdict supersedes an earlier one.

    The same verdict again changes nothing.
    """
    alert = _found(alert_id, caller, state)
    args = {"alert_id": alert.alert_id, "verdict": body.verdict, "reason": body.reason}
    call_tool(state, caller, "record_verdict", args)
    return _in_full(_found(alert_id, caller, state), caller, state)


@router.post(
    "/scan",
    operation_id="scan_alerts",
    summary="Scan for alerts now",
    dependencies=[needs("manager")],
    responses=problems(401, 403, 503),
)
def scan_alerts(caller: CallerNow, state: StateNow) -> Scan:
    """Looks at customers of whom something new is known; tasks follow. Safe to repeat."""
    if caller.asker.scope:
        raise NotPermitted(
            "not permitted: an alert rests on all that is known of a customer, so a scan needs every unit",
            hint="the server scans by itself; ask an administrator for a scan at once",
        )
    report = state.app.scan_alerts(caller.asker.user)
    record(state, caller, "alert.scan", "alerts", opened=report.opened)
    return Scan(**{**vars(report), "at": report.at.astimezone(state.app.settings.zone)})


def _found(alert_id: str, caller: Caller, state: ServerState) -> Alert:
    context = state.app.context(caller.asker)
    return named(lambda: named_alert(alert_id, context), caller, context)


def _in_full(alert: Alert, caller: Caller, state: ServerState) -> AlertInFull:
    context = state.app.context(caller.asker)
    figures = alert_figures(alert, task_of_alert(alert, context), caller.language, context)
    return AlertInFull.model_validate(figures)
