"""CRMs: how far they are, and the events that a company's own gateway sends, signed, without a key."""

import hmac
from datetime import datetime
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Path, Query, Request
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from agent.wiring import App
from retention.crm_line import CrmLine
from retention.crm_merge import CrmWish
from retention.crm_settings import WebhookSettings
from retention.notifier_webhook import signature, signing_key
from server.api_access import CallerNow, needs
from server.api_audit import record
from server.api_problems import NotFound, Unauthenticated, problems
from server.api_state import StateNow
from store.alerts import VerdictKind
from store.crm import LinkState
from store.errors import InputError, NotPermitted, ToolInputError
from store.records import TaskStatus

router = APIRouter(prefix="/v1/crm", tags=["crm"])
CrmName = Annotated[str, Path(min_length=1, max_length=40, examples=["hubspot"])]
_OLDEST_S: Final = 300
_TYPE: Final = "org.voiceloop.task.wish"


class CrmTask(BaseModel):
    """A task with changes that have not arrived; `detail` says why not."""

    task_id: str
    state: LinkState
    changes: int = Field(description="not arrived yet")
    attempts: int
    next_at: datetime
    detail: str = Field(examples=["hubspot answered 503"])


class CrmView(BaseModel):
    """One CRM: tasks that are up to date, wait and are stuck; when it was read last, and why not since."""

    name: str = Field(examples=["hubspot"])
    kind: Literal["webhook", "hubspot", "zendesk"]
    up_to_date: int
    waiting: int
    stuck: int
    oldest: datetime | None = Field(description="when the oldest change that waits was made")
    read_at: datetime | None
    detail: str
    tasks: list[CrmTask] = Field(description="those that wait or are stuck, the longest first")


class Crms(BaseModel):
    """Those of the settings."""

    crms: list[CrmView]


class CrmRetry(BaseModel):
    """How many tasks are tried at once."""

    tasks: int


class WishData(BaseModel):
    """What somebody in the CRM wants of the task; what is absent stays."""

    model_config = ConfigDict(extra="forbid")

    status: Literal["done", "cancelled"] | None = None
    owner: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    due_at: AwareDatetime | None = None
    comment: Annotated[str, Field(min_length=1, max_length=2000)] | None = None
    verdict: VerdictKind | None = None
    reason: Annotated[str, Field(max_length=500)] = ""


class WishEvent(BaseModel):
    """A CloudEvent 1.0; extensions are let be."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "specversion": "1.0",
                    "id": "7f3a",
                    "source": "urn:acme:crm",
                    "type": _TYPE,
                    "subject": "task-0f1e2d3c4b5a6978",
                    "time": "2026-11-22T12:00:00+08:00",
                    "data": {"status": "done", "comment": "已回电，客户续约"},
                }
            ]
        }
    )

    specversion: Literal["1.0"]
    id: Annotated[str, Field(min_length=1, max_length=200)]
    source: Annotated[str, Field(min_length=1, max_length=200)]
    type: Literal["org.voiceloop.task.wish"]
    subject: Annotated[str, Field(min_length=1, max_length=100)]
    time: AwareDatetime
    data: WishData


def _wish_schema() -> dict[str, Any]:
    schema = WishEvent.model_json_schema()
    schema["properties"]["data"] = schema.pop("$defs")["WishData"]
    return schema


class Taken(BaseModel):
    """What the event changed; nothing at a repetition."""

    changes: int
    verdicts: int


@router.get(
    "",
    operation_id="list_crms",
    summary="How far CRMs are",
    dependencies=[needs("manager")],
    responses=problems(401, 403, 503),
)
def list_crms(caller: CallerNow, state: StateNow) -> Crms:
    """With the tasks whose changes have not arrived, and why."""
    _whole(caller.asker.scope)
    record(state, caller, "crm.list", "crms", n=len(state.app.crm_settings))
    return Crms(crms=[CrmView.model_validate(crm_figures(line, state.app)) for line in state.app.crm_lines])


@router.post(
    "/{name}/retry",
    operation_id="retry_crm",
    summary="Try what waits or is stuck at once",
    dependencies=[needs("admin")],
    responses=problems(400, 401, 403, 404, 503),
)
def retry_crm(
    name: CrmName,
    caller: CallerNow,
    state: StateNow,
    task_id: Annotated[str | None, Query(max_length=100, description="only this task")] = None,
) -> CrmRetry:
    """Also what was deleted in the CRM: that is made anew."""
    _whole(caller.asker.scope)
    line = _line(name, state.app)
    tasks = line.store.retry(name, task_id)
    record(state, caller, "crm.retry", name, n=tasks)
    return CrmRetry(tasks=tasks)


@router.post(
    "/{name}/events",
    operation_id="crm_events",
    summary="Take an event from a CRM",
    responses=problems(400, 401, 403, 404, 503),
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/cloudevents+json": {"schema": _wish_schema()}},
        }
    },
)
async def crm_events(name: CrmName, request: Request, state: StateNow) -> Taken:
    """A signed CloudEvent (Standard Webhooks); the same one again changes nothing."""
    from starlette.concurrency import run_in_threadpool

    body, headers = await request.body(), dict(request.headers)
    return await run_in_threadpool(_take, name, body, headers, state.app)


def crm_figures(line: CrmLine, app: App) -> dict[str, Any]:
    """One CRM as it stands; times in the configured zone."""
    name, zone = line.settings.name, app.settings.zone
    counts, reading = line.store.counts(name), line.store.reading(name)
    pending = line.store.links(name, pending=True)
    return {
        **counts._asdict(),
        "name": name,
        "kind": line.settings.kind,
        "oldest": counts.oldest and counts.oldest.astimezone(zone),
        "read_at": reading.read_at and reading.read_at.astimezone(zone),
        "detail": reading.detail,
        "tasks": [
            {
                "task_id": one.task_id,
                "state": one.state,
                "changes": len(line.store.changes(one.task_id, after=one.sent)),
                "attempts": one.attempts,
                "next_at": one.next_at.astimezone(zone),
                "detail": one.detail,
            }
            for one in pending
        ],
    }


def _take(name: str, body: bytes, headers: dict[str, str], app: App) -> Taken:
    line = _line(name, app)
    if not isinstance(line.settings, WebhookSettings):
        raise NotFound(f"{name} sends no events; it is read", hint="docs/crm.md")
    _check(line.settings, body, headers, app)
    try:
        event = WishEvent.model_validate_json(body)
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
        raise InputError(f"the event is not usable: {wrong}") from error
    told = event.data.model_dump(exclude={"status"})
    status = TaskStatus(event.data.status) if event.data.status else None
    wish = CrmWish(at=event.time, status=status, **told)
    done = line.inbox.take(event.subject, wish, f"{event.source}/{event.id}")
    return Taken(changes=done.changes, verdicts=done.verdicts)


def _check(crm: WebhookSettings, body: bytes, headers: dict[str, str], app: App) -> None:
    event_id, stamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not stamp.isascii() or not stamp.isdigit() or len(stamp) > 12:
        raise Unauthenticated("the request is not signed", hint="docs/crm.md")
    at = datetime.fromtimestamp(int(stamp), app.settings.zone)
    made = signature(signing_key(crm.secret.get_secret_value()), event_id, at, body)
    # Several, where a secret is being changed.
    given = headers.get("webhook-signature", "").split()
    if not any(hmac.compare_digest(made.encode(), one.encode()) for one in given):
        raise Unauthenticated("the signature is missing or wrong")
    if abs((app.clock.now() - at).total_seconds()) > _OLDEST_S:
        raise Unauthenticated("the request is older than five minutes")


def _line(name: str, app: App) -> CrmLine:
    try:
        return app.crm_line(name)
    except ToolInputError:
        raise NotFound(f"no CRM is called {name!r} here", hint="docs/crm.md") from None


def _whole(scope: tuple[str, ...]) -> None:
    if scope:
        raise NotPermitted("not permitted: CRMs are told of every unit's tasks")
