"""What of tasks is told to CRMs: every change once, and how far each CRM has come."""

from datetime import datetime
from typing import Literal, NamedTuple, Protocol

from pydantic import AwareDatetime

from store.errors import StoreError
from store.record import Record
from store.records import Task

# `stuck`: the CRM has refused a change for good; nothing more of that task is sent until a person says so.
LinkState = Literal["live", "stuck"]


class LeaseOver(StoreError):
    """The task was lent for a time that has passed, and may be another process's now."""


class FedChange(Record):
    """One change of a task, kept in the transaction that made it.

    `task` is how it stood afterwards, `fields` what of it had changed (all, where the task was new);
    `comments` were added by it, oldest first. `number` grows with time over all tasks, `task.version` within
    one.
    """

    number: int
    task_id: str
    at: AwareDatetime
    actor: str
    fields: tuple[str, ...]
    comments: tuple[str, ...] = ()
    task: Task


class CrmLink(Record):
    """How far one CRM has come with one task: changes up to number `sent` have arrived, `last` is the newest.

    `remote_id` is what the CRM calls the task; empty until it is there. `lease` names the loan by which
    changes are delivered.
    """

    target: str
    task_id: str
    remote_id: str = ""
    last: int
    sent: int
    state: LinkState = "live"
    attempts: int = 0
    next_at: AwareDatetime
    sent_at: AwareDatetime | None = None
    detail: str = ""
    lease: str = ""


class CrmReading(Record):
    """How far one CRM's own changes have been read: `cursor` is the CRM's, empty at the start."""

    target: str
    cursor: str = ""
    read_at: AwareDatetime | None = None
    detail: str = ""


class CrmCounts(NamedTuple):
    """Tasks by how far they are, and when the oldest change that waits was made."""

    up_to_date: int
    waiting: int
    stuck: int
    oldest: datetime | None


class CrmStore(Protocol):
    """The feed of changes and the CRMs' places in it. Every write is one durable transaction."""

    def claim(self, target: str, now: datetime, *, limit: int = 50) -> list[CrmLink]:
        """Tasks with changes to send whose time has come, lent to the caller for two minutes.

        Nobody else is given a task meanwhile, so its changes go out in order. A target that asks for the
        first time is given every undone task as it stands, and changes from then on.
        """
        ...

    def changes(self, task_id: str, *, after: int, limit: int = 100) -> list[FedChange]:
        """Changes of one task above a number, in order."""
        ...

    def arrived(self, link: CrmLink, number: int, remote_id: str) -> CrmLink:
        """The change of that number has arrived; the loan begins anew.

        Raises LeaseOver where the task is not lent to the caller any more.
        """
        ...

    def passed_over(self, link: CrmLink, number: int) -> CrmLink:
        """The change of that number is not to be sent; errors as `arrived`."""
        ...

    def failed(self, link: CrmLink, detail: str, next_at: datetime | None) -> None:
        """It has not arrived: tried again at `next_at`, or stuck where that is None. Errors as `arrived`."""
        ...

    def give_back(self, link: CrmLink) -> None:
        """Nothing more is to be done for now. Errors as `arrived`."""
        ...

    def retry(self, target: str, task_id: str | None = None) -> int:
        """Let what is stuck, or waits for its next try, be sent at once; how many tasks that are."""
        ...

    def resend(self, target: str, task_id: str) -> None:
        """Let the newest change of a task be sent again: the CRM has lost it."""
        ...

    def link(self, target: str, task_id: str) -> CrmLink | None:
        """How far that CRM has come with that task."""
        ...

    def links(self, target: str, *, pending: bool = False, limit: int = 100) -> list[CrmLink]:
        """List tasks of a CRM, the longest waiting first; `pending`: only those with changes to send."""
        ...

    def counts(self, target: str) -> CrmCounts:
        """How many tasks are how far."""
        ...

    def reading(self, target: str) -> CrmReading:
        """How far the CRM's own changes have been read."""
        ...

    def read(self, target: str, cursor: str, at: datetime, detail: str = "") -> None:
        """They have been read up to there (or, with a `detail`, could not be)."""
        ...

    def take_in(self, target: str, event_id: str, at: datetime) -> datetime | None:
        """Keep that an event of a CRM came; when it first did, or None where it was dealt with before."""
        ...

    def taken_in(self, target: str, event_id: str, at: datetime) -> None:
        """That event has been dealt with."""
        ...

    def close(self) -> None:
        """Release connections."""
        ...
