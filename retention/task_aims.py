"""What a task is for, so that it can be judged: hypothesis, figure, window, and who it is compared with."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from retention.policy import Policy
from retention.portfolio import gone
from retention.wording import Language, sentence
from store.records import Outcome, Task, TaskStatus

# How a task stands against its aim: its customer stayed for the whole window, left within it, or it runs.
# `unknown`: it was turned down, so nothing was tried.
Stands = Literal["stayed", "left", "running", "unknown"]
METRIC: Final = "saved"


@dataclass(frozen=True)
class TaskAim:
    """The aim of one task. `metric` is `saved` (had not left when the window ended); `until` ends the window.

    `control` says in words whom its tier is compared with; a single task proves nothing by itself.
    """

    hypothesis: str
    metric: str
    target: str
    window_days: int
    until: datetime
    control: str
    stands: Stands


def aim_of(
    task: Task, outcomes: Iterable[Outcome], policy: Policy, *, now: datetime, language: Language
) -> TaskAim | None:
    """The aim of a task for a customer, and how it stands; None without a customer.

    `outcomes` are the customer's. Figures of many tasks: `retention.outcomes`.
    """
    if task.customer_id is None or task.tier is None:
        return None
    days = policy.outcomes.saved_days
    until = task.created_at + timedelta(days=days)
    holdout = policy.outcomes.holdout
    held = holdout.share > 0 and task.tier in holdout.tiers
    return TaskAim(
        hypothesis=sentence("task_aims", "hypothesis", language, days=days),
        metric=METRIC,
        target=sentence("task_aims", "target", language, day=f"{until:%Y-%m-%d}"),
        window_days=days,
        until=until,
        control=sentence("task_aims", "holdout" if held else "none", language, share=f"{holdout.share:.0%}"),
        stands=_stands(task, [one for one in outcomes if one.customer_id == task.customer_id], until, now),
    )


def _stands(task: Task, outcomes: list[Outcome], until: datetime, now: datetime) -> Stands:
    if task.status in (TaskStatus.REJECTED, TaskStatus.CANCELLED):
        return "unknown"
    since = [one for one in outcomes if one.occurred_at >= task.created_at]
    if gone(since, min(now, until)):
        return "left"
    return "running" if now < until else "stayed"
