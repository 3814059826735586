"""What people change about a task, and its history."""

from typing import Literal

from pydantic import AwareDatetime

from store.record import Record
from store.records import TaskStatus

TaskField = Literal[
    "created", "status", "owner", "due_at", "snoozed_until", "tier", "comment", "placed_at", "escalated_to"
]


class TaskChange(Record):
    """What is to become of a task; what is None stays. `comment` is added, never replaced.

    `wake` ends a snooze. `expected_version`: refuse where somebody else has changed the task since.
    """

    status: TaskStatus | None = None
    owner: str | None = None
    due_at: AwareDatetime | None = None
    snoozed_until: AwareDatetime | None = None
    wake: bool = False
    comment: str | None = None
    expected_version: int | None = None


class TaskEvent(Record):
    """One line of a task's history: who changed which field, from what to what; a comment is in `after`."""

    number: int
    task_id: str
    at: AwareDatetime
    actor: str
    field: TaskField
    before: str = ""
    after: str = ""
