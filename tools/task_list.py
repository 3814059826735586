"""Retention tasks as they stand: whose, due when, how many are overdue."""

from collections import Counter
from typing import Annotated, Any, Literal

from pydantic import Field

from retention.task_routing import is_waiting
from retention.wording import name_of
from store.records import Task, TaskStatus
from tools.arguments import Arguments, Language
from tools.caveats import caveat
from tools.context import ToolContext
from tools.customer_conversations import shown
from tools.due import Due, is_due
from tools.results import PeriodResult, ToolResult

_EVIDENCE = 20
_UNDONE = frozenset({TaskStatus.PENDING_APPROVAL, TaskStatus.OPEN})

Standing = Literal[
    "undone", "pending_approval", "open", "done", "rejected", "cancelled", "overdue", "waiting", "all"
]


class TaskListArguments(Arguments):
    """Which tasks."""

    status: Annotated[
        Standing,
        Field(
            description="undone: open or awaiting approval (default); overdue: undone, deadline past; "
            "waiting: undone, nobody has room for it yet"
        ),
    ] = "undone"
    due: Annotated[
        Due | None, Field(description="only undone tasks with a deadline past, or today (or past)")
    ] = None
    customer_ids: Annotated[list[str], Field(description="only tasks for these customers")] = Field(
        default_factory=list
    )
    owner: Annotated[str, Field(max_length=100, description="only tasks of this owner")] = ""
    limit: Annotated[int, Field(ge=1, le=200)] = 20
    language: Annotated[Language, Field(description="language of caveats")] = "zh"


def list_tasks(args: TaskListArguments, context: ToolContext) -> ToolResult:
    """Retention tasks with owner, deadline and status, the most pressing first; how many are overdue.

    Use for "open tasks", "what is overdue", "what is due today", "what awaits approval". Counts are over
    all tasks that fit, not only those listed.
    """
    now = context.clock.now()
    every = [
        task
        for task in context.operations.tasks()
        if (not args.customer_ids or task.customer_id in args.customer_ids)
        and (not args.owner or task.owner == args.owner)
    ]
    late = {t.task_id for t in every if t.status in _UNDONE and t.due_at is not None and t.due_at < now}
    chosen = [
        task
        for task in every
        if _fits(task, args.status, late)
        and (args.due is None or (task.status in _UNDONE and is_due(task.due_at, args.due, now, context)))
    ]
    chosen.sort(key=lambda task: (task.due_at is None, task.due_at or now, task.task_id))
    listed = chosen[: args.limit]
    causes = _causes({task.alert_id for task in listed if task.alert_id}, args.language, context)
    return ToolResult(
        tool="list_tasks",
        args=args.model_dump(mode="json", exclude_none=True),
        period=PeriodResult(),
        filters={"customer_id": args.customer_ids} if args.customer_ids else {},
        n=len(chosen),
        data={
            "tasks": [
                {**_shown(task, late, context), "causes": causes.get(task.alert_id or "", [])}
                for task in listed
            ],
            "by_status": dict(Counter(task.status.value for task in every)),
            "overdue": len(late),
            "waiting": sum(is_waiting(task) for task in every),
            "all": len(every),
        },
        evidence=list(dict.fromkeys(e for task in listed for e in task.evidence))[:_EVIDENCE],
        caveats=[caveat("tasks_here", args.language)],
    )


def _causes(alert_ids: set[str], language: Language, context: ToolContext) -> dict[str, list[str]]:
    """What the tasks' alerts were raised for, in words."""
    found = [alert for one in sorted(alert_ids) if (alert := context.operations.alert(one)) is not None]
    return {
        alert.alert_id: [name_of("signals", cause, language) for cause in alert.causes] for alert in found
    }


def _fits(task: Task, status: Standing, late: set[str]) -> bool:
    if status == "all":
        return True
    if status == "overdue":
        return task.task_id in late
    if status == "waiting":
        return is_waiting(task)
    return task.status in _UNDONE if status == "undone" else task.status.value == status


def _shown(task: Task, late: set[str], context: ToolContext) -> dict[str, Any]:
    times = ("due_at", "created_at", "snoozed_until", "placed_at")
    return {
        **task.model_dump(mode="json", exclude={"evidence", "advice", "scope", "created_by"}),
        **{name: shown(getattr(task, name), context.zone) for name in times},
        "overdue": task.task_id in late,
        "waiting": is_waiting(task),
    }
