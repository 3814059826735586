"""Retention tasks: list, show, change; what awaits approval."""

import re
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Header, Path, Query, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from agent.approvals import Decision, Draft
from agent.approver import Report
from retention.approvals import require_approver
from server.api_access import Caller, CallerNow, needs
from server.api_audit import record
from server.api_pages import Cursor, Limit, page
from server.api_problems import problems
from server.api_state import ServerState, StateNow
from server.routes_alerts import TalkingPoint
from server.tool_calls import named
from store.errors import ToolInputError
from store.records import Task, TaskStatus, Tier
from store.task_changes import TaskChange, TaskField
from tools.alert_records import named_task
from tools.alert_view import task_figures
from tools.due import Due, is_due
from tools.task_load import load_figures
from tools.task_update import task_row

router = APIRouter(prefix="/v1/tasks", tags=["tasks"])
approvals = APIRouter(prefix="/v1/approvals", tags=["tasks"])

TaskId = Annotated[str, Path(min_length=1, max_length=100, examples=["task-0f1e2d3c4b5a6978"])]
_UNDONE = (TaskStatus.PENDING_APPROVAL, TaskStatus.OPEN)
_ETAG = re.compile(r'(?:W/)?"(\d{1,9})"')


class TaskView(BaseModel):
    """A task; times in the configured zone. `version` counts its changes and is its ETag.

    `waiting`: nobody in line has room for it yet. `escalated_to`: roles that were told it is overdue.
    """

    task_id: str = Field(examples=["task-0f1e2d3c4b5a6978"])
    alert_id: str | None
    customer_id: str | None
    tier: Tier | None
    status: TaskStatus
    owner: str
    due_at: datetime | None
    snoozed_until: datetime | None
    summary: str
    advice: str
    evidence: list[str]
    created_at: datetime
    created_by: str
    approved_by: str | None
    version: int
    overdue: bool
    waiting: bool
    placed_at: datetime | None
    escalated_to: list[str]


class TaskLine(BaseModel):
    """One line of a task's history; a comment stands in `after`."""

    number: int
    at: datetime
    actor: str
    field: TaskField
    before: str
    after: str


class TaskAimView(BaseModel):
    """What the task is to achieve, by when that is judged, against whom, and how it stands."""

    hypothesis: str = Field(examples=["如果按时按建议跟进，客户在 90 天内不会流失。"])
    metric: str = Field(examples=["saved"])
    target: str = Field(examples=["到 2027-02-20 客户仍未流失"])
    window_days: int
    until: datetime
    control: str
    stands: Literal["stayed", "left", "running", "unknown"]


class TaskInFull(TaskView):
    """A task with the words it rests on, the last conversations, messages and history."""

    quotes: list[dict[str, Any]]
    conversations: list[dict[str, Any]]
    what_to_say: list[TalkingPoint]
    aim: TaskAimView | None
    messages: list[dict[str, Any]]
    history: list[TaskLine]


class Tasks(BaseModel):
    """Nearest deadline first; `counts` are of all that the caller may see, by status."""

    tasks: list[TaskView]
    counts: dict[str, int] = Field(examples=[{"open": 3, "pending_approval": 2, "overdue": 1}])
    next_cursor: str | None


class OwnerLoad(BaseModel):
    """`open` tasks undone now, `week` given within seven days; a cap of null is none."""

    owner: str = Field(examples=["销售"])
    role: str | None
    open: int
    open_cap: int | None
    week: int
    week_cap: int | None
    has_room: bool


class WaitingTask(BaseModel):
    """A task that waits; `owner` is the first in its line, `score` that of its alert."""

    task_id: str = Field(examples=["task-0f1e2d3c4b5a6978"])
    customer_id: str | None
    tier: Tier | None
    score: float | None
    owner: str
    due_at: datetime | None
    since: datetime


class TaskLoad(BaseModel):
    """The fullest owner first; what waits in the order in which it will be given out."""

    owners: list[OwnerLoad]
    waiting: list[WaitingTask]


class TaskPatch(BaseModel):
    """What is to become of a task; what is left out stays. `open` approves one that awaits approval.

    `snoozed_until` null ends a snooze. `version`: as `If-Match`, refuse where the task has changed since.
    `anyway`: approve although the customer has left.
    """

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"status": "done", "comment": "已回电，客户同意续约", "version": 2}]},
    )

    status: Literal["open", "done", "rejected", "cancelled"] | None = None
    owner: Annotated[str, Field(min_length=1, max_length=100)] | None = None
    due_at: AwareDatetime | None = None
    snoozed_until: AwareDatetime | None = None
    comment: Annotated[str, Field(min_length=1, max_length=2000)] | None = None
    version: Annotated[int, Field(ge=1)] | None = None
    anyway: bool = False


class Approvals(BaseModel):
    """What awaits approval: everything for who may approve, else what the caller proposed."""

    approvals: list[Draft]
    next_cursor: str | None


@router.get("", operation_id="list_tasks", summary="List tasks", responses=problems(400, 401, 403, 503))
def list_tasks(
    caller: CallerNow,
    state: StateNow,
    status: Annotated[
        TaskStatus | Literal["undone"] | None, Query(description="only those that stand so")
    ] = None,
    due: Annotated[Due | None, Query(description="undone, with a deadline past, or today (or past)")] = None,
    owner: Annotated[str | None, Query(max_length=100, description="only of this owner")] = None,
    customer_id: Annotated[str | None, Query(max_length=200, description="only for this customer")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Tasks:
    """Those that the caller may see, nearest deadline first."""
    context = state.app.context(caller.asker)
    now = context.clock.now()
    every = [
        task
        for task in context.operations.tasks(customer_id=customer_id)
        if owner is None or task.owner == owner
    ]
    undone = [task for task in every if task.status in _UNDONE]
    fits = undone if due is not None or status == "undone" else every
    fits = [
        task
        for task in fits
        if status in (None, "undone", task.status) and is_due(task.due_at, due, now, context)
    ]
    found, following = page(fits, limit, cursor)
    counts = {one.value: sum(task.status is one for task in every) for one in TaskStatus}
    counts["overdue"] = sum(task.due_at is not None and task.due_at < now for task in undone)
    record(state, caller, "task.list", "tasks", n=len(found))
    return Tasks(tasks=[_view(task, caller, state) for task in found], counts=counts, next_cursor=following)


@router.get(
    "/load",
    operation_id="get_task_load",
    summary="Load of owners, and what waits",
    responses=problems(401, 403, 503),
)
def get_task_load(caller: CallerNow, state: StateNow) -> TaskLoad:
    """Every owner's tasks against the caps of the policy; a task waits where nobody in line has room."""
    context = state.app.context(caller.asker)
    found = TaskLoad.model_validate(load_figures(state.app.task_tending.policy(), context, caller.language))
    record(state, caller, "task.load", "tasks", n=len(found.waiting))
    return found


@router.get(
    "/{task_id}", operation_id="get_task", summary="Show a task", responses=problems(401, 403, 404, 503)
)
def get_task(task_id: TaskId, caller: CallerNow, state: StateNow, response: Response) -> TaskInFull:
    """With cause, what to say, the customer's last conversations and the history; its ETag is for PATCH."""
    task = _found(task_id, caller, state)
    record(state, caller, "task.read", task_id, customer_id=task.customer_id)
    return _in_full(task, caller, state, response)


@router.patch(
    "/{task_id}",
    operation_id="change_task",
    summary="Change a task",
    dependencies=[needs("analyst")],
    responses=problems(400, 401, 403, 404, 412, 503),
)
def change_task(
    task_id: TaskId,
    body: TaskPatch,
    caller: CallerNow,
    state: StateNow,
    response: Response,
    if_match: Annotated[str | None, Header(description="the ETag it was read with", examples=['"2"'])] = None,
) -> TaskInFull:
    """Done, comment, hand over, deadline, snooze: who may is policy. What awaits approval a manager decides.

    412 where somebody else has changed it since the version given.
    """
    _found(task_id, caller, state)
    change = TaskChange(
        status=TaskStatus(body.status) if body.status else None,
        owner=body.owner,
        due_at=body.due_at,
        snoozed_until=body.snoozed_until,
        wake="snoozed_until" in body.model_fields_set and body.snoozed_until is None,
        comment=body.comment,
        expected_version=_version(if_match) if if_match else body.version,
    )
    task = state.app.task_desk.change(
        task_id, change, caller.asker, language=caller.language, anyway=body.anyway
    )
    return _in_full(task, caller, state, response)


@approvals.get(
    "", operation_id="list_approvals", summary="What awaits approval", responses=problems(400, 401, 403, 503)
)
def list_approvals(caller: CallerNow, state: StateNow, limit: Limit = 50, cursor: Cursor = None) -> Approvals:
    """Tasks, action plans and messages to customers."""
    found, following = page(state.app.approver.waiting(caller.asker), limit, cursor)
    record(state, caller, "approval.list", "approvals", n=len(found))
    return Approvals(approvals=found, next_cursor=following)


@approvals.post(
    "",
    operation_id="decide_approvals",
    summary="Approve and reject",
    responses=problems(400, 401, 403, 503),
)
def decide_approvals(body: Decision, caller: CallerNow, state: StateNow) -> Report:
    """By ids, or `all` of what has not expired; each is carried out once."""
    require_approver(caller.asker.role, "approval")
    return state.app.approver.decide(body, caller.asker)


def _version(if_match: str) -> int | None:
    if if_match.strip() == "*":
        return None
    told = _ETAG.fullmatch(if_match.strip())
    if told is None:
        raise ToolInputError("If-Match is no ETag of a task", hint='send the ETag that GET gave, such as "2"')
    return int(told.group(1))


def _found(task_id: str, caller: Caller, state: ServerState) -> Task:
    context = state.app.context(caller.asker)
    return named(lambda: named_task(task_id, context), caller, context)


def _overdue(task: Task, state: ServerState) -> bool:
    return task.status in _UNDONE and task.due_at is not None and task.due_at < state.app.clock.now()


def _view(task: Task, caller: Caller, state: ServerState) -> TaskView:
    row = task_row(task, state.app.context(caller.asker))
    return TaskView.model_validate({**row, "overdue": _overdue(task, state)})


def _in_full(task: Task, caller: Caller, state: ServerState, response: Response) -> TaskInFull:
    response.headers["ETag"] = f'"{task.version}"'
    figures = task_figures(task, caller.language, state.app.context(caller.asker))
    return TaskInFull.model_validate({**figures, "overdue": _overdue(task, state)})
