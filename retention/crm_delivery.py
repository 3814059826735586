"""Delivering to a CRM that keeps objects: found by our id before one is made, and marked with the change.

The mark is written in the same request as the change. An answer that was lost is thus known at the next try
by the mark, and the change is not made again; what is sent is the state, never an increment.
"""

from collections.abc import Collection
from typing import Protocol

from retention.crm_client import ENDED, NotTaken, RemoteChanges, RemoteTask, TaskNow, shared
from store.records import Task


class CrmApi(Protocol):
    """What the API of such a CRM must be able to do. Everything raises NotTaken."""

    def find(self, task_id: str) -> RemoteTask | None:
        """The object with that task's id."""
        ...

    def create(self, now: TaskNow) -> str:
        """Make the object, unless somebody has meanwhile; its id."""
        ...

    def update(self, remote: RemoteTask, now: TaskNow, fields: Collection[str]) -> None:
        """Set these fields of the task, and the mark, in one request."""
        ...

    def changed(self, cursor: str) -> RemoteChanges:
        """As CrmClient."""
        ...

    def prepare(self) -> list[str]:
        """As CrmClient."""
        ...

    def close(self) -> None:
        """Release connections."""
        ...


class ApiClient:
    """A CrmClient over such an API."""

    def __init__(self, api: CrmApi) -> None:
        self._api = api
        self.changed = api.changed
        self.prepare = api.prepare
        self.close = api.close

    def deliver(self, now: TaskNow) -> str:
        """Let the CRM have a change."""
        remote = self._api.find(now.change.task_id)
        if remote is None and now.remote_id:
            raise NotTaken("the task was deleted there; `voiceloop crm retry` makes it anew", lasting=True)
        if remote is None:
            return self._api.create(now)
        if remote.mark < now.change.number and not remote.locked:
            self._api.update(remote, now, to_send(remote, now))
        return remote.remote_id


def to_send(remote: RemoteTask, now: TaskNow) -> set[str]:
    """The fields that have changed since the state the CRM has had of us, and what it must be told again.

    What somebody has changed there since then and later than we did is left alone: it is theirs to tell. A
    task that has ended, here or there, stays so.
    """
    had = now.at(remote.mark)
    if had is None:
        return set(Task.model_fields)
    stands, before = now.change.task.model_dump(mode="json"), had.task.model_dump(mode="json")
    fields = {name for name in stands if stands[name] != before[name]}
    ours, base = shared(now.change.task), shared(had.task)
    # A word of the CRM's own that changes nothing says why what was changed there does not count.
    objects = now.change.actor == now.actor and not now.change.fields
    for name, theirs in remote.values.items():
        if theirs in ("", base[name], ours[name]):
            continue
        if name == "status":
            counts = ours[name] == ENDED
        else:
            counts = objects if ours[name] == base[name] else remote.changed_at <= now.change.at
        if counts:
            fields.add(name)
        elif name != "status" or theirs == ENDED:
            fields.discard(name)
    return fields
