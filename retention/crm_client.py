"""A CRM: one Protocol, what it is told, what it tells, and why something has not arrived."""

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple, Protocol

from pydantic import AwareDatetime

from store.crm import FedChange
from store.errors import VoiceLoopError
from store.record import Record
from store.records import Task, TaskStatus

# What both sides know of a task, by name; "" is nothing. A CRM knows no more of a status than this.
Shared = dict[str, str]
_STANDING: Final = {TaskStatus.PENDING_APPROVAL: "waiting", TaskStatus.OPEN: "open"}
ENDED: Final = "ended"


class NotTaken(VoiceLoopError):
    """A CRM has not taken a change, or not told its own. `lasting`: nor will it, if it is asked again.

    `wait_s`: what it asks to wait. `down`: it answers nobody now. The message holds no address, no key and
    nothing of a customer.
    """

    def __init__(
        self, message: str, *, lasting: bool = False, wait_s: float | None = None, down: bool = False
    ) -> None:
        super().__init__(message)
        self.lasting = lasting
        self.wait_s = wait_s
        self.down = down


class RemoteTask(Record):
    """A task as a CRM has it: `mark` is the number of the newest change of ours it has had.

    `values` are those both sides know (`shared`); `verdict` is "" where nobody there has judged. `changed_at`
    is when anything of it changed there. `locked`: it cannot be changed any more.
    """

    remote_id: str
    task_id: str
    mark: int
    changed_at: AwareDatetime
    values: Shared
    verdict: str = ""
    reason: str = ""
    locked: bool = False


class TaskNow(NamedTuple):
    """A change as it is told: with every comment up to it, oldest first, and earlier ones by number.

    `actor` is who does here what the CRM's people do; `remote_id` is what it called the task last, or "".
    """

    change: FedChange
    actor: str
    remote_id: str
    comments: Sequence[str]
    at: Callable[[int], FedChange | None]


class RemoteChanges(NamedTuple):
    """Tasks that changed in a CRM, the cursor to go on from, and whether there is more at once."""

    tasks: Sequence[RemoteTask]
    cursor: str
    more: bool


class CrmClient(Protocol):
    """A way to tell one CRM of tasks."""

    def deliver(self, now: TaskNow) -> str:
        """Let the CRM have a change, with one effect however often it is called; what it calls the task.

        Raises NotTaken.
        """
        ...

    def changed(self, cursor: str) -> RemoteChanges:
        """What of our tasks has changed there since; the same may come again. Raises NotTaken."""
        ...

    def prepare(self) -> list[str]:
        """Make there what is needed, once; names what it made. Raises NotTaken."""
        ...

    def close(self) -> None:
        """Release connections."""
        ...


def actor_of(crm: str) -> str:
    """Who does here what a CRM's people do."""
    return f"crm:{crm}"


def shared(task: Task) -> Shared:
    """What both sides know of a task: `status` (waiting, open, ended), `owner`, `due_at` (UTC, seconds)."""
    due = "" if task.due_at is None else f"{task.due_at:%Y-%m-%dT%H:%M:%SZ}"
    return {"status": _STANDING.get(task.status, ENDED), "owner": task.owner, "due_at": due}
