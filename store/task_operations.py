"""What the operation store can be asked about tasks and messages: part of `OperationStore`."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from store.messages import Message, MessageStatus
from store.records import AuditEntry, Task, TaskStatus
from store.task_changes import TaskChange, TaskEvent
from store.task_lines import DecideTasks, TaskBoard, TaskRevision


class TaskOperations(Protocol):
    """Tasks with their history, and messages to customers. Every write is one durable transaction."""

    def propose_task(self, task: Task, entry: AuditEntry | None = None) -> Task:
        """Insert a task and audit that by `entry`; if its id, or its alert, has one, change nothing.

        Returns the task that is stored.
        """
        ...

    def set_task_status(self, task_id: str, status: TaskStatus, *, actor: str) -> Task:
        """Move a task on (audited); raise ToolInputError for an unknown id or an impossible move.

        A task that ends closes its alert.
        """
        ...

    def change_task(self, task_id: str, change: TaskChange, *, actor: str) -> Task:
        """Apply a change in one go, with a line of history and an audit entry for each field that changes.

        Raises ToolInputError for an unknown id or an impossible move, and Outdated where the task has another
        version than the one expected.
        """
        ...

    def task(self, task_id: str) -> Task | None:
        """The task of that id."""
        ...

    def tasks(self, *, status: TaskStatus | None = None, customer_id: str | None = None) -> list[Task]:
        """List tasks, nearest deadline first."""
        ...

    def task_events(self, task_id: str) -> list[TaskEvent]:
        """The history of a task, oldest first."""
        ...

    def task_histories(self, task_ids: Sequence[str]) -> Mapping[str, Sequence[TaskEvent]]:
        """The history of each of these tasks that there is, oldest first."""
        ...

    def task_board(self, since: datetime) -> TaskBoard:
        """Every undone task, and how many were given to each owner since then."""
        ...

    def revise_tasks(self, decide: DecideTasks, *, since: datetime, actor: str) -> Sequence[TaskRevision]:
        """Let `decide` see the board and carry out what it returns; nobody writes in between.

        `decide` must be quick and ask no store: the write lock is held. Each change is a line of the task's
        history and of the audit log; who is told what is kept as a notice.
        """
        ...

    def propose_message(self, message: Message, entry: AuditEntry | None = None) -> Message:
        """Insert a message and audit that by `entry`; if its id exists, change nothing and return it."""
        ...

    def set_message_status(
        self, message_id: str, status: MessageStatus, *, actor: str, reason: str = ""
    ) -> Message:
        """Move a message on (audited); raise ToolInputError for an unknown id or an impossible move.

        These are people's moves; sending is ContactStore's.
        """
        ...

    def messages(
        self, *, status: MessageStatus | None = None, customer_id: str | None = None
    ) -> Sequence[Message]:
        """List messages, newest first."""
        ...
