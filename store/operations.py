"""What the operation store can be asked: many small durable commits, several processes."""

from collections.abc import Sequence
from typing import Protocol

from store.alert_operations import AlertOperations
from store.compensations import CompensationOperations
from store.plan_parts import Effect, PlanReview
from store.pool import PoolOperations
from store.records import ActionPlan, AuditEntry, Batch, TaskStatus
from store.scans import ScanOperations
from store.task_operations import TaskOperations


class OperationStore(
    TaskOperations, AlertOperations, ScanOperations, PoolOperations, CompensationOperations, Protocol
):
    """Batches, tasks, messages, alerts, plans and the audit chain. Every write is one durable transaction."""

    def save_batch(self, batch: Batch) -> None:
        """Insert or replace a batch account."""
        ...

    def batches(self, *, unfinished: bool = False) -> list[Batch]:
        """List batches, newest first; `unfinished` gives those not yet indexed."""
        ...

    def propose_plan(self, plan: ActionPlan, entry: AuditEntry | None = None) -> ActionPlan:
        """Insert a plan and audit that by `entry`; if its id exists already, change nothing and return it."""
        ...

    def set_plan_status(self, plan_id: str, status: TaskStatus, *, actor: str) -> ActionPlan:
        """Move a plan on (audited)."""
        ...

    def plans(self, *, status: TaskStatus | None = None) -> list[ActionPlan]:
        """List plans, newest first."""
        ...

    def review_plan(
        self,
        plan_id: str,
        review: PlanReview,
        effects: Sequence[Effect],
        follow_up: ActionPlan | None = None,
    ) -> ActionPlan:
        """End an open plan with its outcome and effects, and insert the plan that follows, in one go.

        A plan reviewed already is only given back.
        """
        ...

    def effects(self, *, plan_id: str | None = None) -> list[Effect]:
        """List verified effects, newest first."""
        ...

    def audit(self, entry: AuditEntry) -> None:
        """Append to the hash chain."""
        ...

    def audit_all(self, entries: Sequence[AuditEntry]) -> None:
        """Append several to the hash chain, in order and in one transaction."""
        ...

    def audit_page(
        self, *, limit: int, before: int | None = None, actor: str | None = None, action: str | None = None
    ) -> list[tuple[int, AuditEntry]]:
        """Entries with their numbers, newest first: those below number `before`, of that actor and action."""
        ...

    def audit_entries(self) -> Sequence[AuditEntry]:
        """The chain, oldest first."""
        ...

    def verify_audit(self) -> int:
        """Return the number of entries of an unbroken chain; raise StoreError naming the broken entry."""
        ...

    def close(self) -> None:
        """Release connections."""
        ...
