"""Changing a task: done, comment, owner, deadline, snooze."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from retention.task_routing import is_waiting
from retention.task_updates import update_task as apply_update
from store.records import Task, TaskStatus
from store.task_changes import TaskChange
from tools.alert_records import named_task
from tools.arguments import Arguments, Language
from tools.caveats import caveat
from tools.context import ToolContext
from tools.customer_conversations import shown
from tools.refusals import Refusal
from tools.results import PeriodResult, ToolResult

_WHEN = "a date (the end of that day) or a time, such as 2026-11-30 or 2026-11-30T18:00"


class TaskUpdateArguments(Arguments):
    """Which task, and what is to become of it; what is left out stays."""

    task_id: Annotated[str, Field(min_length=1, max_length=100, description="the task")]
    status: Annotated[
        Literal["done", "cancelled"] | None, Field(description="only to end it; approving is no part of this")
    ] = None
    owner: Annotated[str, Field(max_length=100, description="who takes it over")] = ""
    due_at: Annotated[str, Field(max_length=40, description=f"new deadline: {_WHEN}")] = ""
    snooze_until: Annotated[str, Field(max_length=40, description=f"leave it alone until then: {_WHEN}")] = ""
    comment: Annotated[str, Field(max_length=2000, description="a note, added to the history")] = ""
    language: Annotated[Language, Field(description="language of caveats")] = "zh"


def update_task(args: TaskUpdateArguments, context: ToolContext) -> ToolResult:
    """Change a retention task: mark it done, add a comment, hand it over, move the deadline, snooze it.

    Use only when the person names the task. Who may change what is policy; what awaits approval is approved
    or turned down by a manager in the approvals, not here. The same change again changes nothing more.
    """
    before = named_task(args.task_id, context)
    change = TaskChange(
        status=TaskStatus(args.status) if args.status else None,
        owner=args.owner.strip() or None,
        due_at=_moment("due_at", args.due_at, context),
        snoozed_until=_moment("snooze_until", args.snooze_until, context),
        comment=_new_comment(args.comment.strip(), before, context),
    )
    if change == TaskChange() and not args.comment.strip():
        raise Refusal("nothing_to_change", task=before.task_id)
    asker = context.asker
    task = apply_update(
        context.operations,
        before.task_id,
        change,
        actor=asker.user,
        role=asker.role,
        policy=context.policy,
    )
    events = context.operations.task_events(task.task_id)
    return ToolResult(
        tool="update_task",
        args=args.model_dump(mode="json", exclude_none=True),
        period=PeriodResult(),
        filters={"customer_id": [task.customer_id]} if task.customer_id else {},
        n=1,
        data={
            "task": task_row(task, context),
            "changed": _changed(before, task, change),
            "history": [
                {**event.model_dump(mode="json", exclude={"task_id"}), "at": shown(event.at, context.zone)}
                for event in events
            ],
        },
        evidence=[],
        caveats=[caveat("tasks_here", args.language)],
    )


def task_row(task: Task, context: ToolContext) -> dict[str, Any]:
    """One task as results show it; times in the configured zone."""
    times = {
        name: shown(getattr(task, name), context.zone)
        for name in ("due_at", "created_at", "snoozed_until", "placed_at")
    }
    return {**task.model_dump(mode="json", exclude={"scope"}), **times, "waiting": is_waiting(task)}


def _new_comment(comment: str, task: Task, context: ToolContext) -> str | None:
    """The comment, unless the same person has just said the same: a repeated call adds nothing."""
    if not comment:
        return None
    events = context.operations.task_events(task.task_id)
    last = next((event for event in reversed(events) if event.field == "comment"), None)
    said_already = last is not None and (last.actor, last.after) == (context.asker.user, comment)
    return None if said_already else comment


def _moment(name: str, text: str, context: ToolContext) -> datetime | None:
    """A date or time in the configured zone; a date is the end of that day."""
    if not text.strip():
        return None
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise Refusal("unreadable_moment", where=name, text=text) from error
    if len(text.strip()) <= len("2026-11-30"):
        moment = moment.replace(hour=23, minute=59, second=59)
    moment = moment if moment.tzinfo else moment.replace(tzinfo=context.zone)
    if moment <= context.clock.now():
        raise Refusal("moment_past", where=name, text=text)
    return moment


def _changed(before: Task, after: Task, change: TaskChange) -> list[str]:
    fields = ("status", "owner", "due_at", "snoozed_until")
    changed = [name for name in fields if getattr(before, name) != getattr(after, name)]
    return [*changed, *(["comment"] if change.comment else [])]
