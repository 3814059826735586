"""Tasks and plans from within a scope of org units; batches and the audit chain belong to no unit."""

from collections.abc import Sequence
from typing import NoReturn

from store.errors import NotPermitted
from store.facts import Aggregate, FactStore, Selection
from store.operations import OperationStore
from store.plan_parts import Effect, PlanReview
from store.records import ActionPlan, AuditEntry, Batch, Task, TaskStatus
from store.units import Scope, within


class ScopedOperations:
    """An OperationStore over what may be seen from within the scope of a fact store.

    A plan may be seen where it was drawn up from units within the scope, a task also where nothing is known
    of its customer outside the scope: else its words and figures may rest on what may not be seen.
    """

    def __init__(self, whole: OperationStore, everything: FactStore, facts: FactStore) -> None:
        """`facts` is the part of `everything` within the scope."""
        self._whole = whole
        self._everything = everything
        self._facts = facts

    def save_batch(self, batch: Batch) -> None:
        """Refused."""
        self._refuse("batches")

    def batches(self, *, unfinished: bool = False) -> list[Batch]:
        """None: a file may hold rows of any unit."""
        return []

    def propose_task(self, task: Task, entry: AuditEntry | None = None) -> Task:
        """Insert a task of this scope; NotPermitted where its id is that of one that may not be seen."""
        stored = self._whole.propose_task(task.model_copy(update={"scope": self._facts.scope}), entry)
        if not self._sees([stored]):
            self._refuse("the task")
        return stored

    def set_task_status(self, task_id: str, status: TaskStatus, *, actor: str) -> Task:
        """Move a task on; NotPermitted for one that may not be seen or is not there."""
        if all(task.task_id != task_id for task in self.tasks()):
            self._refuse(f"task {task_id!r}")
        return self._whole.set_task_status(task_id, status, actor=actor)

    def tasks(self, *, status: TaskStatus | None = None, customer_id: str | None = None) -> list[Task]:
        """List the tasks that may be seen, nearest deadline first."""
        return self._sees(self._whole.tasks(status=status, customer_id=customer_id))

    def propose_plan(self, plan: ActionPlan, entry: AuditEntry | None = None) -> ActionPlan:
        """Insert a plan of this scope; NotPermitted where its id is that of one that may not be seen."""
        stored = self._whole.propose_plan(plan.model_copy(update={"scope": self._facts.scope}), entry)
        if not self._drawn_up(stored.scope):
            self._refuse("the plan")
        return stored

    def set_plan_status(self, plan_id: str, status: TaskStatus, *, actor: str) -> ActionPlan:
        """Move a plan on; NotPermitted for one that may not be seen or is not there."""
        if all(plan.plan_id != plan_id for plan in self.plans()):
            self._refuse(f"plan {plan_id!r}")
        return self._whole.set_plan_status(plan_id, status, actor=actor)

    def plans(self, *, status: TaskStatus | None = None) -> list[ActionPlan]:
        """List the plans that may be seen, newest first."""
        return [plan for plan in self._whole.plans(status=status) if self._drawn_up(plan.scope)]

    def review_plan(
        self,
        plan_id: str,
        review: PlanReview,
        effects: Sequence[Effect],
        follow_up: ActionPlan | None = None,
    ) -> ActionPlan:
        """End a plan; NotPermitted for one that may not be seen or is not there."""
        if all(plan.plan_id != plan_id for plan in self.plans()):
            self._refuse(f"plan {plan_id!r}")
        own = None if follow_up is None else follow_up.model_copy(update={"scope": self._facts.scope})
        return self._whole.review_plan(plan_id, review, effects, own)

    def effects(self, *, plan_id: str | None = None) -> list[Effect]:
        """List the effects of the plans that may be seen, newest first."""
        seen = {plan.plan_id for plan in self.plans()}
        return [effect for effect in self._whole.effects(plan_id=plan_id) if effect.plan_id in seen]

    def audit(self, entry: AuditEntry) -> None:
        """Append to the hash chain."""
        self._whole.audit(entry)

    def audit_all(self, entries: Sequence[AuditEntry]) -> None:
        """Append several to the hash chain."""
        self._whole.audit_all(entries)

    def audit_entries(self) -> Sequence[AuditEntry]:
        """Refused."""
        self._refuse("the audit chain")

    def verify_audit(self) -> int:
        """Refused."""
        self._refuse("the audit chain")

    def close(self) -> None:
        """Nothing: the connections belong to the whole store."""

    def _sees(self, tasks: Sequence[Task]) -> list[Task]:
        owned = self._owned({task.customer_id for task in tasks if not task.scope and task.customer_id})
        return [task for task in tasks if self._drawn_up(task.scope) or task.customer_id in owned]

    def _owned(self, customer_ids: set[str]) -> frozenset[str]:
        """Those of whom nothing is known outside the scope."""
        ids = sorted(customer_ids)
        if not ids:
            return frozenset()
        said, said_here = (_items(store, ids) for store in (self._everything, self._facts))
        known, known_here = (
            {one.customer_id for one in store.customers(ids)} for store in (self._everything, self._facts)
        )
        here = {*said_here, *known_here}
        return frozenset(
            one
            for one in ids
            if one in here and said.get(one) == said_here.get(one) and (one in known) == (one in known_here)
        )

    def _drawn_up(self, scope: Scope) -> bool:
        return bool(scope) and all(within(unit, self._facts.scope) for unit in scope)

    def _refuse(self, what: str) -> NoReturn:
        scope = ", ".join(self._facts.scope)
        raise NotPermitted(f"not permitted: {what} cannot be seen from within your scope ({scope})")


def _items(store: FactStore, customer_ids: Sequence[str]) -> dict[str | None, int]:
    """How many items of each customer a store holds, agents' turns among them."""
    filters = {"customer_id": tuple(customer_ids), "speaker": ("customer", "agent", None)}
    found = store.aggregate(Aggregate("volume", Selection(filters=filters), group_by=("customer_id",)))
    return {group.key[0]: group.n for group in found}
