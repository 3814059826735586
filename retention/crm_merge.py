"""What becomes of a change that somebody made in a CRM: pure decisions.

Ended is ended, whoever says so. Of anything else the later change counts; at the same moment ours does. What
is empty in the CRM says nothing.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from pydantic import AwareDatetime

from retention.crm_client import ENDED, RemoteTask, shared
from store.alerts import VerdictKind
from store.crm import FedChange
from store.record import Record
from store.records import Task, TaskStatus
from store.task_changes import TaskChange


class CrmWish(Record):
    """What somebody in a CRM wants of a task, at a time; what is None stays."""

    at: AwareDatetime
    status: TaskStatus | None = None
    owner: str | None = None
    due_at: AwareDatetime | None = None
    comment: str | None = None
    verdict: VerdictKind | None = None
    reason: str = ""


class Merged(NamedTuple):
    """What to change here, and whether the CRM has reopened what has ended."""

    change: TaskChange | None
    reopened: bool = False


def merged(task: Task, changes: Sequence[FedChange], remote: RemoteTask) -> Merged:
    """What an object of a CRM says that is new: against the state it has had of us (`remote.mark`)."""
    had = next((one for one in changes if one.number == remote.mark), None)
    if had is None:
        return Merged(None)  # it knows no state of ours: it is about to be told
    base, ours = shared(had.task), shared(task)
    new = {
        name: theirs for name, theirs in remote.values.items() if theirs not in ("", base[name], ours[name])
    }
    wish = CrmWish(
        at=remote.changed_at,
        status=TaskStatus.DONE if new.get("status") == ENDED else None,
        owner=new.get("owner"),
        due_at=datetime.fromisoformat(new["due_at"]) if "due_at" in new else None,
    )
    reopened = "status" in new and ours["status"] == base["status"] == ENDED
    return Merged(granted(task, changes, wish), reopened)


def granted(task: Task, changes: Sequence[FedChange], wish: CrmWish) -> TaskChange | None:
    """What of a wish is to be done; None where nothing is. `changes` are all of the task, in order."""
    ours = shared(task)
    fields: dict[str, object] = {}
    if wish.status is not None and ours["status"] != ENDED and wish.status is not task.status:
        fields["status"] = wish.status
    if wish.owner and wish.owner != task.owner and _earlier("owner", changes, wish.at):
        fields["owner"] = wish.owner
    if wish.due_at is not None and _earlier("due_at", changes, wish.at):
        due = wish.due_at.astimezone(UTC)
        if f"{due:%Y-%m-%dT%H:%M:%SZ}" != ours["due_at"]:
            fields["due_at"] = due
    if wish.comment:
        fields["comment"] = wish.comment
    return TaskChange.model_validate(fields) if fields else None


def _earlier(field: str, changes: Sequence[FedChange], at: datetime) -> bool:
    """Whether we changed it last before that time."""
    return all(one.at < at for one in changes if field in one.fields)
