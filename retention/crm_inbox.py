"""Takes over what people change in a CRM: by the same rules, roles and history as anybody else's changes."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

import structlog

from retention.alert_telling import said
from retention.crm_client import CrmClient, NotTaken, RemoteTask, actor_of
from retention.crm_merge import CrmWish, granted, merged
from retention.policy import Policy
from retention.task_updates import update_task
from retention.wording import Language
from store.alerts import VerdictKind
from store.clock import Clock
from store.crm import CrmLink, CrmStore, FedChange
from store.errors import NotPermitted, ToolInputError
from store.operations import OperationStore
from store.records import Task
from store.task_changes import TaskChange

_LOG = structlog.get_logger()
_ALL: Final = 100_000
_PAGES: Final = 50
_VERDICTS: Final[dict[str, VerdictKind]] = {"accurate": "accurate", "false_alarm": "false_alarm"}


class CrmRead(NamedTuple):
    """How many tasks were seen, and how many changes and verdicts of a CRM's people were taken over."""

    seen: int = 0
    changes: int = 0
    verdicts: int = 0
    refused: int = 0


@dataclass(frozen=True)
class CrmInbox:
    """The receiving side of one CRM. Its people act by the role that the settings give them."""

    target: str
    role: str
    client: CrmClient
    store: CrmStore
    operations: OperationStore
    policies: Callable[[], Policy]
    clock: Clock
    language: Language

    @property
    def actor(self) -> str:
        """Who it is in the history."""
        return actor_of(self.target)

    def read(self) -> CrmRead:
        """Read what has changed there since. The place is kept only once all before it was dealt with."""
        total, at = CrmRead(), self.store.reading(self.target)
        cursor = at.cursor
        for _ in range(_PAGES):
            try:
                found = self.client.changed(cursor)
            except NotTaken as error:
                self.store.read(self.target, cursor, self.clock.now(), error.message)
                _LOG.warning("crm_not_read", crm=self.target, reason=error.message)
                return total
            for remote in found.tasks:
                total = _sum(total, self._seen(remote))
            cursor = found.cursor
            self.store.read(self.target, cursor, self.clock.now())
            if not found.more:
                break
        return total

    def take(self, task_id: str, wish: CrmWish, event_id: str) -> CrmRead:
        """Take over one event that the CRM sent; the same event again changes nothing.

        Raises ToolInputError for a task that was never told there, or a wish that cannot be; NotPermitted for
        the role.
        """
        first = self.store.take_in(self.target, event_id, self.clock.now())
        if first is None:
            return CrmRead(seen=1)
        task = self.operations.task(task_id)
        if task is None or self.store.link(self.target, task_id) is None:
            raise ToolInputError(f"no task {task_id!r} was ever told here")
        if wish.comment and self._said(task_id, wish.comment, first):
            wish = wish.model_copy(update={"comment": None})
        change = granted(task, self._changes(task_id), wish)
        if change is not None:
            self._update(task_id, change)
        judged = wish.verdict is not None and self._judged(task, wish.verdict, wish.reason)
        self.store.taken_in(self.target, event_id, self.clock.now())
        return CrmRead(1, int(change is not None), int(judged))

    def _seen(self, remote: RemoteTask) -> CrmRead:
        task, link = self.operations.task(remote.task_id), self.store.link(self.target, remote.task_id)
        if task is None or link is None:
            return CrmRead()
        if remote.mark < link.sent and link.remote_id == remote.remote_id:
            self._lost(link, remote)
        told = merged(task, self._changes(task.task_id), remote)
        changes = verdicts = refused = 0
        try:
            if told.change is not None:
                self._update(task.task_id, told.change)
                changes = 1
        except (NotPermitted, ToolInputError) as error:
            self._object(link, "refused", why=error.message)
            refused = 1
        if told.reopened:
            self._object(link, "stays_ended")
            refused = 1
        verdict = _VERDICTS.get(remote.verdict)
        if verdict is not None and self._judged(task, verdict, remote.reason):
            verdicts = 1
        return CrmRead(1, changes, verdicts, refused)

    def _update(self, task_id: str, change: TaskChange) -> None:
        update_task(
            self.operations, task_id, change, actor=self.actor, role=self.role, policy=self.policies()
        )

    def _judged(self, task: Task, verdict: VerdictKind, reason: str) -> bool:
        """Keep a verdict, unless it is the one that this CRM's people gave last."""
        if task.alert_id is None:
            return False
        given = [one for one in self.operations.verdicts(alert_id=task.alert_id) if one.by == self.actor]
        if given and (given[-1].verdict, given[-1].reason) == (verdict, reason):
            return False
        self.operations.record_verdict(task.alert_id, verdict, reason, actor=self.actor)
        return True

    def _object(self, link: CrmLink, key: str, **values: str) -> None:
        """Say in the history why a change there does not count; that goes to the CRM with our state."""
        now = self.store.link(self.target, link.task_id)
        if now is not None and now.sent == now.last:
            comment = said("crm", key, self.language, crm=self.target, **values)
            self.operations.change_task(link.task_id, TaskChange(comment=comment), actor=self.actor)

    def _lost(self, link: CrmLink, remote: RemoteTask) -> None:
        """A request of ours that was given up came late and undid a newer one: that is sent again."""
        _LOG.warning("crm_went_back", crm=self.target, task=link.task_id, has=remote.mark, sent=link.sent)
        self.store.resend(self.target, link.task_id)

    def _said(self, task_id: str, comment: str, since: datetime) -> bool:
        lines = self.operations.task_events(task_id)
        return any(
            (line.field, line.actor, line.after) == ("comment", self.actor, comment) and line.at >= since
            for line in lines
        )

    def _changes(self, task_id: str) -> list[FedChange]:
        return self.store.changes(task_id, after=0, limit=_ALL)


def _sum(one: CrmRead, other: CrmRead) -> CrmRead:
    return CrmRead(*(a + b for a, b in zip(one, other, strict=True)))
