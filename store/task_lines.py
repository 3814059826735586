"""What is decided about all tasks at once: whose they are, what is overdue, what a snooze has held back."""

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, NamedTuple

from pydantic import AwareDatetime, Field

from store.record import Record
from store.records import TaskStatus, Tier


class TaskLine(Record):
    """One undone task without its words. `score` is that of its alert, 0 to 100; None where it has none."""

    task_id: str
    alert_id: str | None
    customer_id: str | None
    tier: Tier | None
    status: TaskStatus
    owner: str
    score: Annotated[float, Field(ge=0, le=100)] | None
    due_at: AwareDatetime | None
    created_at: AwareDatetime
    placed_at: AwareDatetime | None
    snoozed_until: AwareDatetime | None
    escalated_to: tuple[str, ...]


class TaskBoard(NamedTuple):
    """Every undone task, and how many tasks each owner was given since some time, whatever became of them."""

    undone: tuple[TaskLine, ...]
    given: Mapping[str, int]


class TaskRevision(NamedTuple):
    """What is to become of one task; what is None or False stays.

    `placed`: it is given to its owner and waits no longer. `wake` ends its snooze. `tell` names a role that
    is told it is overdue.
    """

    task_id: str
    owner: str | None = None
    placed: bool = False
    wake: bool = False
    tell: str | None = None


DecideTasks = Callable[[TaskBoard], Sequence[TaskRevision]]
