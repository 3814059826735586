"""Carries out what people decide about drafts: each exactly once, whoever else decides at the same time."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Final, Literal

from pydantic import BaseModel

from agent.approvals import Decision, Draft, stored_draft
from agent.phrases import phrase
from retention.approvals import (
    APPROVERS,
    approve_message,
    approve_plan,
    approve_task,
    reject_message,
    reject_plan,
    reject_task,
    require_approver,
)
from store.clock import Clock
from store.errors import ToolInputError
from store.facts import FactStore
from store.messages import Message, MessageStatus
from store.operations import OperationStore
from store.records import ActionPlan, Task, TaskStatus
from tools.context import Asker

_PENDING: Final = TaskStatus.PENDING_APPROVAL
# What a decision makes of each kind.
_APPROVED: Final = frozenset({TaskStatus.OPEN.value, MessageStatus.PREPARED.value})
_REJECTED: Final = frozenset({TaskStatus.REJECTED.value})
Awaiting = Task | ActionPlan | Message
Obstacle = Literal["expired", "left", "changed", "gone"]


class Settled(BaseModel):
    """A draft that was decided before; `by` is who approved it, where it was approved."""

    id: str
    status: str
    by: str = ""


class Held(BaseModel):
    """A draft that was not carried out, and why."""

    id: str
    reason: Obstacle


class Report(BaseModel):
    """What was carried out, what had been decided already, and what was not carried out."""

    approved: list[str] = []
    rejected: list[str] = []
    already: list[Settled] = []
    held: list[Held] = []

    def text(self, language: Literal["zh", "en"]) -> str:
        """A few sentences for the thread."""
        parts = []
        if self.approved:
            parts.append(phrase("approved", language, ids=", ".join(self.approved)))
        if self.rejected:
            parts.append(phrase("rejected", language, ids=", ".join(self.rejected)))
        for one in self.already:
            status = phrase(f"stands_{one.status}", language)
            key = "already_decided_by" if one.by else "already_decided"
            parts.append(phrase(key, language, id=one.id, status=status, by=one.by))
        parts += [phrase(f"held_{one.reason}", language, id=one.id) for one in self.held]
        return " ".join(parts) or phrase("nothing_decided", language)


class Approver:
    """Decides in the operation store; what was decided before is only reported again.

    A draft older than `days` is cancelled instead of carried out. One whose words have changed since they
    were shown, or whose customer has left, stays as it is, and the report says so.
    """

    def __init__(
        self,
        operations: Callable[[Asker], OperationStore],
        facts: Callable[[Asker], FactStore],
        clock: Clock,
        *,
        days: int,
    ) -> None:
        """`operations` and `facts`: what an asker may see of them."""
        self._operations = operations
        self._facts = facts
        self._clock = clock
        self._days = timedelta(days=days)

    def waiting(self, asker: Asker) -> list[Draft]:
        """What awaits approval: everything the asker may see for one who may approve, else their own."""
        operations = self._operations(asker)
        records: list[Awaiting] = [
            *operations.tasks(status=_PENDING),
            *operations.plans(status=_PENDING),
            *operations.messages(status=MessageStatus.PENDING_APPROVAL),
        ]
        if asker.role not in APPROVERS:
            records = [record for record in records if record.created_by == asker.user]
        return [stored_draft(record, expired=self._is_expired(record)) for record in records]

    def decide(self, decision: Decision, asker: Asker) -> Report:
        """Decide about drafts by their ids, whatever thread they come from.

        Raises NotPermitted where the role may not, and ToolInputError for an id that there is none of, before
        anything is changed. "all" leaves out what has expired.
        """
        require_approver(asker.role, "approval")
        chosen = [draft for draft in self.waiting(asker) if not draft.expired]
        known = {draft.id for draft in chosen}
        for name in sorted(decision.named() - known):
            record = self._find(name, asker)
            if record is None:
                raise ToolInputError(f"no draft {name!r}", hint="voiceloop approvals list")
            chosen.append(stored_draft(record, expired=self._is_expired(record)))
        return self.carry_out(chosen, decision, asker)

    def carry_out(self, drafts: Sequence[Draft], decision: Decision, asker: Asker) -> Report:
        """Approve and reject; raises NotPermitted before anything is changed where the role may not."""
        report = Report()
        for draft in drafts:
            if decision.approve == "all" or draft.id in decision.approve:
                self._approve(draft, asker, report, anyway=decision.anyway)
            elif decision.reject == "all" or draft.id in decision.reject:
                self._reject(draft, asker, report)
        return report

    def _approve(self, draft: Draft, asker: Asker, report: Report, *, anyway: bool) -> None:
        require_approver(asker.role, draft.kind)
        record = self._find(draft.id, asker)
        obstacle = self._obstacle(draft, record, asker, anyway=anyway)
        if record is None or obstacle is not None:
            if record is not None and obstacle == "expired":
                self._move(record, asker, TaskStatus.CANCELLED)
            report.held.append(Held(id=draft.id, reason=obstacle or "gone"))
            return
        moved = self._move(record, asker, TaskStatus.OPEN)
        approved = moved.status.value in _APPROVED and moved.approved_by == asker.user
        if _is_pending(record) and approved:
            report.approved.append(draft.id)
        else:
            report.already.append(_settled(draft, moved))

    def _reject(self, draft: Draft, asker: Asker, report: Report) -> None:
        require_approver(asker.role, draft.kind)
        record = self._find(draft.id, asker)
        if record is None:
            report.held.append(Held(id=draft.id, reason="gone"))
            return
        moved = self._move(record, asker, TaskStatus.REJECTED)
        if _is_pending(record) and moved.status.value in _REJECTED:
            report.rejected.append(draft.id)
        else:
            report.already.append(_settled(draft, moved))

    def _obstacle(
        self, draft: Draft, record: Awaiting | None, asker: Asker, *, anyway: bool
    ) -> Obstacle | None:
        if record is None:
            return "gone"
        if not _is_pending(record):
            return None
        if self._is_expired(record):
            return "expired"
        if draft.digest and stored_draft(record, expired=False).digest != draft.digest:
            return "changed"
        if not anyway and isinstance(record, Task | Message) and self._has_left(record, asker):
            return "left"
        return None

    def _has_left(self, task: Task | Message, asker: Asker) -> bool:
        if task.customer_id is None:
            return False
        outcomes = self._facts(asker).outcomes([task.customer_id])
        return any(one.outcome == "churned" and one.occurred_at > task.created_at for one in outcomes)

    def _is_expired(self, record: Awaiting) -> bool:
        return self._clock.now() - record.created_at > self._days

    def _find(self, name: str, asker: Asker) -> Awaiting | None:
        operations = self._operations(asker)
        task = operations.task(name)
        if task is not None:
            return task
        records: list[Awaiting] = [*operations.plans(), *operations.messages()]
        return next((record for record in records if _id(record) == name), None)

    def _move(self, record: Awaiting, asker: Asker, to: TaskStatus) -> Awaiting:
        """Move a draft on. Where somebody else was faster, what they made of it stands and is returned."""
        if not _is_pending(record):
            return record
        operations, actor, role = self._operations(asker), asker.user, asker.role
        approved = to is TaskStatus.OPEN
        try:
            if isinstance(record, Message):
                if to is TaskStatus.CANCELLED:
                    cancelled = MessageStatus.CANCELLED
                    return operations.set_message_status(record.message_id, cancelled, actor=actor)
                decide = approve_message if approved else reject_message
                return decide(operations, record.message_id, actor=actor, role=role)
            if to is TaskStatus.CANCELLED:
                if isinstance(record, Task):
                    return operations.set_task_status(record.task_id, to, actor=actor)
                return operations.set_plan_status(record.plan_id, to, actor=actor)
            if isinstance(record, Task):
                act = approve_task if approved else reject_task
                return act(operations, record.task_id, actor=actor, role=role)
            plan = approve_plan if approved else reject_plan
            return plan(operations, record.plan_id, actor=actor, role=role)
        except ToolInputError:
            found = self._find(_id(record), asker)
            if found is None or _is_pending(found):
                raise
            return found


def _is_pending(record: Awaiting) -> bool:
    return record.status.value == _PENDING.value


def _id(record: Awaiting) -> str:
    if isinstance(record, Message):
        return record.message_id
    return record.task_id if isinstance(record, Task) else record.plan_id


def _settled(draft: Draft, record: Awaiting) -> Settled:
    by = record.approved_by or "" if record.status.value not in _REJECTED else ""
    return Settled(id=draft.id, status=record.status.value, by=by)
