"""The high-risk pool and compensations on SQLite: decided about under the write lock."""

from collections.abc import Sequence

from sqlalchemy import select

from store.care_models import CompensationRow, PoolEntryRow
from store.compensations import Compensation, DecideCompensation
from store.pool import DecidePool, PoolEntry
from store.records import AuditEntry
from store.sqlite_audit import append
from store.sqlite_rows import record_of, values_of
from store.sqlite_writer import SqliteWriter


class SqliteCare(SqliteWriter):
    """PoolOperations and CompensationOperations."""

    def pool(self, *, customer_id: str | None = None, past: bool = False) -> list[PoolEntry]:
        """Who is in the pool, longest first; `past`: earlier stays too."""
        query = select(PoolEntryRow).order_by(PoolEntryRow.entered_at, PoolEntryRow.entry_id)
        if customer_id is not None:
            query = query.where(PoolEntryRow.customer_id == customer_id)
        if not past:
            query = query.where(PoolEntryRow.left_at.is_(None))
        with self._file.reading() as session:
            return [record_of(PoolEntry, row) for row in session.scalars(query)]

    def revise_pool(self, decide: DecidePool, *, actor: str) -> Sequence[PoolEntry]:
        """Let `decide` see every stay and keep the entries it returns, under one write lock."""
        query = select(PoolEntryRow).order_by(PoolEntryRow.entered_at, PoolEntryRow.entry_id)
        with self._file.writing() as session:
            before = {row.entry_id: record_of(PoolEntry, row) for row in session.scalars(query)}
            kept = decide(list(before.values()))
            told: list[AuditEntry] = []
            # Who leaves goes first: a customer has one stay at a time.
            for entry in sorted(kept, key=lambda one: one.left_at is None):
                session.merge(PoolEntryRow(**values_of(entry)))
                session.flush()
                detail = {"customer_id": entry.customer_id, "carer": entry.carer}
                detail |= {"because": entry.left_because} if entry.left_because else {}
                told.append(
                    self._entry(_deed(before.get(entry.entry_id), entry), entry.entry_id, actor, detail)
                )
            append(session, told)
        return kept

    def compensations(
        self, *, customer_id: str | None = None, conversation_id: str | None = None
    ) -> list[Compensation]:
        """List offers, newest first."""
        query = select(CompensationRow).order_by(
            CompensationRow.proposed_at.desc(), CompensationRow.compensation_id
        )
        if customer_id is not None:
            query = query.where(CompensationRow.customer_id == customer_id)
        if conversation_id is not None:
            query = query.where(CompensationRow.conversation_id == conversation_id)
        with self._file.reading() as session:
            return [record_of(Compensation, row) for row in session.scalars(query)]

    def revise_compensation(
        self, customer_id: str, decide: DecideCompensation, *, actor: str
    ) -> Compensation | None:
        """Let `decide` see a customer's offers and keep the one it returns, under one write lock."""
        query = select(CompensationRow).where(CompensationRow.customer_id == customer_id)
        with self._file.writing() as session:
            kept = decide([record_of(Compensation, row) for row in session.scalars(query)])
            if kept is not None:
                session.merge(CompensationRow(**values_of(kept)))
                detail = {
                    "customer_id": customer_id,
                    "kind": kept.kind,
                    "amount": f"{kept.amount:g} {kept.currency}",
                }
                action = f"compensation.{kept.status}"
                append(session, [self._entry(action, kept.compensation_id, actor, detail)])
        return kept


def _deed(before: PoolEntry | None, after: PoolEntry) -> str:
    if before is None:
        return "pool.enter"
    return "pool.change" if after.left_at is None else "pool.leave"
