"""The operations on one machine: SQLite in WAL mode, any number of threads and processes."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from store.audit_chain import GENESIS, link_digest
from store.errors import StoreError, ToolInputError
from store.models import AuditHead, AuditRow, BatchRow, EffectRow, PlanRow
from store.plan_parts import Effect, PlanReview
from store.records import ActionPlan, AuditEntry, Batch, TaskStatus
from store.sqlite_alerts import SqliteAlerts
from store.sqlite_audit import CHAIN, append
from store.sqlite_care import SqliteCare
from store.sqlite_messages import SqliteMessages
from store.sqlite_rows import record_of, values_of
from store.sqlite_scans import SqliteScans
from store.sqlite_task_board import SqliteTaskBoard
from store.sqlite_writer import ALLOWED_MOVES, require_move


class SqliteOperationStore(SqliteAlerts, SqliteScans, SqliteMessages, SqliteTaskBoard, SqliteCare):
    """An OperationStore in one SQLite file, migrated at open where it is behind.

    Each write is one durable transaction that takes the write lock at its start. Raises StoreLocked
    where another process holds that lock for longer than `busy_timeout_s`, StoreFull on a full disk and
    StoreError for a file that is no such store.
    """

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
            return [record_of(Batch, row) for row in session.scalars(query)]

    def propose_plan(self, plan: ActionPlan, entry: AuditEntry | None = None) -> ActionPlan:
        """Insert a plan and audit that by `entry`; if its id exists already, change nothing and return it."""
        with self._file.writing() as session:
            stored = session.get(PlanRow, plan.plan_id)
            if stored is not None:
                return record_of(ActionPlan, stored)
            session.add(PlanRow(**values_of(plan)))
            if entry is not None:
                append(session, [entry])
        return plan

    def set_plan_status(self, plan_id: str, status: TaskStatus, *, actor: str) -> ActionPlan:
        """Move a plan on and audit it, like a task."""
        with self._file.writing() as session:
            row = session.get(PlanRow, plan_id)
            if row is None:
                raise ToolInputError(f"no plan {plan_id!r}")
            self._move_plan(session, row, status, actor)
            return record_of(ActionPlan, row)

    def plans(self, *, status: TaskStatus | None = None) -> list[ActionPlan]:
        """List plans, newest first."""
        query = select(PlanRow).order_by(PlanRow.created_at.desc(), PlanRow.plan_id)
        if status is not None:
            query = query.where(PlanRow.status == status.value)
        with self._file.reading() as session:
            return [record_of(ActionPlan, row) for row in session.scalars(query)]

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
                return record_of(ActionPlan, row)
            self._move_plan(session, row, TaskStatus.DONE, review.verified_by)
            row.review = review.model_dump(mode="json")
            session.add_all([EffectRow(**values_of(effect)) for effect in effects])
            if follow_up is not None and session.get(PlanRow, follow_up.plan_id) is None:
                session.add(PlanRow(**values_of(follow_up)))
                told = {"problem": follow_up.problem, "follows": plan_id}
                self._tell(session, "plan.propose", follow_up.plan_id, review.verified_by, told)
            self._tell(session, "plan.verify", plan_id, review.verified_by, {"outcome": review.outcome})
            return record_of(ActionPlan, row)

    def effects(self, *, plan_id: str | None = None) -> list[Effect]:
        """List verified effects, newest first."""
        query = select(EffectRow).order_by(
            EffectRow.verified_at.desc(), EffectRow.main.desc(), EffectRow.effect_id
        )
        if plan_id is not None:
            query = query.where(EffectRow.plan_id == plan_id)
        with self._file.reading() as session:
            return [record_of(Effect, row) for row in session.scalars(query)]

    def _move_plan(self, session: Session, row: PlanRow, status: TaskStatus, actor: str) -> None:
        before = TaskStatus(row.status)
        if status is before:
            return
        require_move("plan", row.plan_id, before, status, ALLOWED_MOVES)
        row.status = status.value
        if before is TaskStatus.PENDING_APPROVAL and status is TaskStatus.OPEN:
            row.approved_by, row.approved_at = actor, self._clock.now()
        self._tell(session, "plan.status", row.plan_id, actor, {"from": before.value, "to": status.value})

    def audit(self, entry: AuditEntry) -> None:
        """Append to the hash chain."""
        with self._file.writing() as session:
            append(session, [entry])

    def audit_all(self, entries: Sequence[AuditEntry]) -> None:
        """Append several to the hash chain, in order and in one transaction."""
        with self._file.writing() as session:
            append(session, entries)

    def audit_page(
        self, *, limit: int, before: int | None = None, actor: str | None = None, action: str | None = None
    ) -> list[tuple[int, AuditEntry]]:
        """Entries with their numbers, newest first: those below number `before`, of that actor and action."""
        query = select(AuditRow).order_by(AuditRow.number.desc()).limit(limit)
        if before is not None:
            query = query.where(AuditRow.number < before)
        if actor is not None:
            query = query.where(AuditRow.actor == actor)
        if action is not None:
            query = query.where(AuditRow.action == action)
        with self._file.reading() as session:
            return [(row.number, _entry(row)) for row in session.scalars(query)]

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


def _entry(row: AuditRow) -> AuditEntry:
    return AuditEntry(
        occurred_at=row.occurred_at,
        actor=row.actor,
        action=row.action,
        subject=row.subject,
        detail=row.detail,
    )
