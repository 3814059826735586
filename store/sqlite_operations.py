"""The operations on one machine: SQLite in WAL mode, any number of threads and processes."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from store.audit_chain import GENESIS, link_digest
from store.clock import Clock, SystemClock
from store.errors import StoreError, ToolInputError
from store.models import AuditHead, AuditRow, BatchRow, EffectRow, Model, PlanRow, TaskRow
from store.plan_parts import Effect, PlanReview
from store.record import Record
from store.records import ActionPlan, AuditEntry, Batch, Task, TaskStatus
from store.sqlite_audit import CHAIN, append
from store.sqlite_file import BUSY_TIMEOUT_S, SqliteFile

# What a task or plan may become. Nothing leaves an end state.
ALLOWED_MOVES: Final[Mapping[TaskStatus, frozenset[TaskStatus]]] = {
    TaskStatus.PENDING_APPROVAL: frozenset({TaskStatus.OPEN, TaskStatus.REJECTED, TaskStatus.CANCELLED}),
    TaskStatus.OPEN: frozenset({TaskStatus.DONE, TaskStatus.CANCELLED}),
    TaskStatus.DONE: frozenset(),
    TaskStatus.REJECTED: frozenset(),
    TaskStatus.CANCELLED: frozenset(),
}
_R = TypeVar("_R", bound=Record)


class SqliteOperationStore:
    """An OperationStore in one SQLite file, migrated at open where it is behind.

    Each write is one durable transaction that takes the write lock at its start. Raises StoreLocked
    where another process holds that lock for longer than `busy_timeout_s`, StoreFull on a full disk and
    StoreError for a file that is no such store.
    """

    def __init__(
        self, path: Path, clock: Clock | None = None, *, busy_timeout_s: float = BUSY_TIMEOUT_S
    ) -> None:
        self._clock = clock if clock is not None else SystemClock()
        self._file = SqliteFile(path, busy_timeout_s=busy_timeout_s)

    def save_batch(self, batch: Batch) -> None:
        """Insert or replace a batch account."""
        with self._file.writing() as session:
            session.merge(BatchRow(**batch.model_dump()))

    def batches(self, *, unfinished: bool = False) -> list[Batch]:
        """List batches, newest first; `unfinished` gives those not yet indexed."""
        query = select(BatchRow).order_by(BatchRow.started_at.desc(), BatchRow.batch_id)
        if unfinished:
            query = query.where(BatchRow.stage != "indexed")
        with self._file.reading() as session:
            return [_record(Batch, row) for row in session.scalars(query)]

    def propose_task(self, task: Task, entry: AuditEntry | None = None) -> Task:
        """Insert a task and audit that by `entry`; if its id exists already, change nothing and return it."""
        with self._file.writing() as session:
            stored = session.get(TaskRow, task.task_id)
            if stored is not None:
                return _record(Task, stored)
            session.add(TaskRow(**_values(task)))
            if entry is not None:
                append(session, [entry])
        return task

    def set_task_status(self, task_id: str, status: TaskStatus, *, actor: str) -> Task:
        """Move a task on and audit it; a move to where it stands changes nothing.

        Raises ToolInputError for an unknown id or an impossible move.
        """
        with self._file.writing() as session:
            row = session.get(TaskRow, task_id)
            if row is None:
                raise ToolInputError(f"no task {task_id!r}; list_tasks gives the ids")
            self._move(session, row, "task", task_id, status, actor)
            return _record(Task, row)

    def tasks(self, *, status: TaskStatus | None = None, customer_id: str | None = None) -> list[Task]:
        """List tasks, nearest deadline first, those without one last."""
        query = select(TaskRow).order_by(TaskRow.due_at.is_(None), TaskRow.due_at, TaskRow.task_id)
        if status is not None:
            query = query.where(TaskRow.status == status.value)
        if customer_id is not None:
            query = query.where(TaskRow.customer_id == customer_id)
        with self._file.reading() as session:
            return [_record(Task, row) for row in session.scalars(query)]

    def propose_plan(self, plan: ActionPlan, entry: AuditEntry | None = None) -> ActionPlan:
        """Insert a plan and audit that by `entry`; if its id exists already, change nothing and return it."""
        with self._file.writing() as session:
            stored = session.get(PlanRow, plan.plan_id)
            if stored is not None:
                return _record(ActionPlan, stored)
            session.add(PlanRow(**_values(plan)))
            if entry is not None:
                append(session, [entry])
        return plan

    def set_plan_status(self, plan_id: str, status: TaskStatus, *, actor: str) -> ActionPlan:
        """Move a plan on and audit it, like a task."""
        with self._file.writing() as session:
            row = session.get(PlanRow, plan_id)
            if row is None:
                raise ToolInputError(f"no plan {plan_id!r}")
            self._move(session, row, "plan", plan_id, status, actor)
            return _record(ActionPlan, row)

    def plans(self, *, status: TaskStatus | None = None) -> list[ActionPlan]:
        """List plans, newest first."""
        query = select(PlanRow).order_by(PlanRow.created_at.desc(), PlanRow.plan_id)
        if status is not None:
            query = query.where(PlanRow.status == status.value)
        with self._file.reading() as session:
            return [_record(ActionPlan, row) for row in session.scalars(query)]

    def review_plan(
        self,
        plan_id: str,
        review: PlanReview,
        effects: Sequence[Effect],
        follow_up: ActionPlan | None = None,
    ) -> ActionPlan:
        """End an open plan with what was found of it, its effects and the plan that follows; in one go.

        A plan reviewed already is only given back. Raises ToolInputError for an unknown id or a plan that
        is not open.
        """
        with self._file.writing() as session:
            row = session.get(PlanRow, plan_id)
            if row is None:
                raise ToolInputError(f"no plan {plan_id!r}")
            if row.review is not None:
                return _record(ActionPlan, row)
            self._move(session, row, "plan", plan_id, TaskStatus.DONE, review.verified_by)
            row.review = review.model_dump(mode="json")
            session.add_all([EffectRow(**_values(effect)) for effect in effects])
            if follow_up is not None and session.get(PlanRow, follow_up.plan_id) is None:
                session.add(PlanRow(**_values(follow_up)))
                told = {"problem": follow_up.problem, "follows": plan_id}
                self._tell(session, "plan.propose", follow_up.plan_id, review.verified_by, told)
            self._tell(session, "plan.verify", plan_id, review.verified_by, {"outcome": review.outcome})
            return _record(ActionPlan, row)

    def effects(self, *, plan_id: str | None = None) -> list[Effect]:
        """List verified effects, newest first."""
        query = select(EffectRow).order_by(
            EffectRow.verified_at.desc(), EffectRow.main.desc(), EffectRow.effect_id
        )
        if plan_id is not None:
            query = query.where(EffectRow.plan_id == plan_id)
        with self._file.reading() as session:
            return [_record(Effect, row) for row in session.scalars(query)]

    def _move(
        self, session: Session, row: TaskRow | PlanRow, what: str, key: str, status: TaskStatus, actor: str
    ) -> None:
        before = TaskStatus(row.status)
        if status is before:
            return
        allowed = ALLOWED_MOVES[before]
        if status not in allowed:
            possible = ", ".join(sorted(allowed)) or "nothing else"
            raise ToolInputError(
                f"{what} {key!r} is {before.value} and cannot become {status.value}; it can become {possible}"
            )
        row.status = status.value
        if before is TaskStatus.PENDING_APPROVAL and status is TaskStatus.OPEN:
            row.approved_by = actor
            if isinstance(row, PlanRow):
                row.approved_at = self._clock.now()
        self._tell(session, f"{what}.status", key, actor, {"from": before.value, "to": status.value})

    def _tell(
        self, session: Session, action: str, subject: str, actor: str, detail: Mapping[str, str]
    ) -> None:
        at = self._clock.now()
        entry = AuditEntry(occurred_at=at, actor=actor, action=action, subject=subject, detail=dict(detail))
        append(session, [entry])

    def audit(self, entry: AuditEntry) -> None:
        """Append to the hash chain."""
        with self._file.writing() as session:
            append(session, [entry])

    def audit_all(self, entries: Sequence[AuditEntry]) -> None:
        """Append several to the hash chain, in order and in one transaction."""
        with self._file.writing() as session:
            append(session, entries)

    def audit_entries(self) -> Sequence[AuditEntry]:
        """The chain, oldest first."""
        with self._file.reading() as session:
            return [_entry(row) for row in session.scalars(select(AuditRow).order_by(AuditRow.number))]

    def verify_audit(self) -> int:
        """Return the number of entries of an unbroken chain; raise StoreError naming the broken entry."""
        number, previous = 0, GENESIS
        with self._file.reading() as session:
            for row in session.scalars(select(AuditRow).order_by(AuditRow.number)):
                number += 1
                intact = row.number == number and row.previous == previous
                if not intact or row.digest != link_digest(previous, number, _entry(row)):
                    raise StoreError(f"the audit chain is broken at entry {number}")
                previous = row.digest
            head = session.get(AuditHead, CHAIN)
        if (number, previous) != ((0, GENESIS) if head is None else (head.number, head.digest)):
            raise StoreError(f"the audit chain is broken after entry {number}: later entries are missing")
        return number

    def close(self) -> None:
        """Release connections."""
        self._file.close()


def _values(record: Record) -> dict[str, Any]:
    # JSON mode only for what SQLite keeps as JSON; times and numbers stay themselves.
    plain, shaped = record.model_dump(), record.model_dump(mode="json")
    return {name: shaped[name] if isinstance(value, tuple | dict) else value for name, value in plain.items()}


def _record(kind: type[_R], row: Model) -> _R:
    return kind.model_validate({column.key: getattr(row, column.key) for column in row.__table__.columns})


def _entry(row: AuditRow) -> AuditEntry:
    return AuditEntry(
        occurred_at=row.occurred_at,
        actor=row.actor,
        action=row.action,
        subject=row.subject,
        detail=row.detail,
    )
