"""Tasks, alerts, messages and plans from within a scope of org units; the audit chain belongs to no unit."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import NoReturn, TypeVar

from store.alert_operations import AlertChange, Assessed, CustomerFile, Decide
from store.alerts import Alert, AlertStatus, Notice, Verdict, VerdictKind
from store.compensations import Compensation, DecideCompensation
from store.errors import NotPermitted
from store.facts import Aggregate, FactStore, Selection
from store.messages import Message, MessageStatus
from store.operations import OperationStore
from store.plan_parts import Effect, PlanReview
from store.pool import DecidePool, PoolEntry
from store.records import ActionPlan, AuditEntry, Batch, Task, TaskStatus, Tier
from store.scans import AlertEvent, Scan, ScanSpan
from store.task_changes import TaskChange, TaskEvent
from store.task_lines import DecideTasks, TaskBoard, TaskRevision
from store.units import Scope, within

_Owned = TypeVar("_Owned", Task, Message)


class ScopedOperations:
    """An OperationStore over what may be seen from within the scope of a fact store.

    A plan may be seen where it was drawn up from units within the scope, a task or message also where nothing
    is known of its customer outside the scope: else its words and figures may rest on what may not be seen.
    An alert rests on all that is known of its customer, so only the latter opens it.
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
        return self.change_task(task_id, TaskChange(status=status), actor=actor)

    def change_task(self, task_id: str, change: TaskChange, *, actor: str) -> Task:
        """Change a task; NotPermitted for one that may not be seen or is not there."""
        if self.task(task_id) is None:
            self._refuse(f"task {task_id!r}")
        return self._whole.change_task(task_id, change, actor=actor)

    def task(self, task_id: str) -> Task | None:
        """The task, where it may be seen."""
        found = self._whole.task(task_id)
        return found if found is not None and self._sees([found]) else None

    def task_events(self, task_id: str) -> list[TaskEvent]:
        """The history of a task that may be seen."""
        return self._whole.task_events(task_id) if self.task(task_id) is not None else []

    def task_histories(self, task_ids: Sequence[str]) -> Mapping[str, Sequence[TaskEvent]]:
        """The history of each of these tasks that may be seen."""
        seen = {task.task_id for task in self.tasks()}
        return self._whole.task_histories([one for one in task_ids if one in seen])

    def tasks(self, *, status: TaskStatus | None = None, customer_id: str | None = None) -> list[Task]:
        """List the tasks that may be seen, nearest deadline first."""
        return self._sees(self._whole.tasks(status=status, customer_id=customer_id))

    def task_board(self, since: datetime) -> TaskBoard:
        """Refused: whether an owner has room depends on tasks of every unit."""
        self._refuse("the load of owners")

    def revise_tasks(self, decide: DecideTasks, *, since: datetime, actor: str) -> Sequence[TaskRevision]:
        """Refused."""
        self._refuse("the load of owners")

    def propose_message(self, message: Message, entry: AuditEntry | None = None) -> Message:
        """Insert a message of this scope; NotPermitted where its id is that of one that may not be seen."""
        own = message.model_copy(update={"scope": self._facts.scope})
        stored = self._whole.propose_message(own, entry)
        if not self._sees([stored]):
            self._refuse("the message")
        return stored

    def set_message_status(
        self, message_id: str, status: MessageStatus, *, actor: str, reason: str = ""
    ) -> Message:
        """Move a message on; NotPermitted for one that may not be seen or is not there."""
        if all(message.message_id != message_id for message in self.messages()):
            self._refuse(f"message {message_id!r}")
        return self._whole.set_message_status(message_id, status, actor=actor, reason=reason)

    def messages(
        self, *, status: MessageStatus | None = None, customer_id: str | None = None
    ) -> list[Message]:
        """List the messages that may be seen, newest first."""
        return self._sees(self._whole.messages(status=status, customer_id=customer_id))

    def revise_alerts(
        self, customer_ids: Sequence[str], decide: Decide, *, actor: str
    ) -> Sequence[AlertChange]:
        """Refused: an alert rests on all that is known of a customer."""
        self._refuse("a scan for alerts")

    def customer_files(self, customer_ids: Sequence[str]) -> Mapping[str, CustomerFile]:
        """Refused."""
        self._refuse("a scan for alerts")

    def alert(self, alert_id: str) -> Alert | None:
        """The alert, where it may be seen."""
        found = self._whole.alert(alert_id)
        return found if found is not None and self._owned({found.customer_id}) else None

    def alerts(
        self, *, status: AlertStatus | None = None, tier: Tier | None = None, customer_id: str | None = None
    ) -> list[Alert]:
        """List the alerts that may be seen."""
        found = self._whole.alerts(status=status, tier=tier, customer_id=customer_id)
        owned = self._owned({alert.customer_id for alert in found})
        return [alert for alert in found if alert.customer_id in owned]

    def record_verdict(self, alert_id: str, verdict: VerdictKind, reason: str, *, actor: str) -> Verdict:
        """Judge an alert; NotPermitted for one that may not be seen or is not there."""
        if self.alert(alert_id) is None:
            self._refuse(f"alert {alert_id!r}")
        return self._whole.record_verdict(alert_id, verdict, reason, actor=actor)

    def verdicts(self, *, alert_id: str | None = None) -> list[Verdict]:
        """List the verdicts on alerts that may be seen, oldest first."""
        found = self._whole.verdicts(alert_id=alert_id)
        seen = {alert.alert_id for alert in self.alerts()} if found else set()
        return [verdict for verdict in found if verdict.alert_id in seen]

    def pool(self, *, customer_id: str | None = None, past: bool = False) -> list[PoolEntry]:
        """Who of the customers that may be seen is in the pool: a stay rests on all that is known of them."""
        found = self._whole.pool(customer_id=customer_id, past=past)
        owned = self._owned({one.customer_id for one in found})
        return [one for one in found if one.customer_id in owned]

    def revise_pool(self, decide: DecidePool, *, actor: str) -> Sequence[PoolEntry]:
        """Refused."""
        self._refuse("the pool")

    def compensations(
        self, *, customer_id: str | None = None, conversation_id: str | None = None
    ) -> list[Compensation]:
        """Offers to customers that may be seen, newest first."""
        found = self._whole.compensations(customer_id=customer_id, conversation_id=conversation_id)
        owned = self._owned({one.customer_id for one in found})
        return [one for one in found if one.customer_id in owned]

    def revise_compensation(
        self, customer_id: str, decide: DecideCompensation, *, actor: str
    ) -> Compensation | None:
        """Decide about a customer's offers; NotPermitted for a customer who may not be seen."""
        if customer_id not in self._owned({customer_id}):
            self._refuse(f"customer {customer_id!r}")
        return self._whole.revise_compensation(customer_id, decide, actor=actor)

    def assessed(self) -> dict[str, Assessed]:
        """Refused."""
        self._refuse("a scan for alerts")

    def mark_assessed(self, digests: Mapping[str, str], at: datetime, *, scan: int | None = None) -> None:
        """Refused."""
        self._refuse("a scan for alerts")

    def begin_scan(self, *, at: datetime, mark: int, policy_version: int, actor: str) -> int:
        """Refused."""
        self._refuse("a scan for alerts")

    def end_scan(self, number: int) -> None:
        """Refused."""
        self._refuse("a scan for alerts")

    def scan_span(self) -> ScanSpan | None:
        """Refused."""
        self._refuse("the record of scans")

    def scans(self, since: datetime, until: datetime) -> list[Scan]:
        """Refused."""
        self._refuse("the record of scans")

    def alert_events(self, since: datetime, until: datetime) -> list[AlertEvent]:
        """Refused."""
        self._refuse("the record of scans")

    def repeat_event(self, event: AlertEvent) -> bool:
        """Refused."""
        self._refuse("the record of scans")

    def alerts_as_of(self, moment: datetime) -> list[Alert]:
        """Refused."""
        self._refuse("the record of scans")

    def claim_notices(
        self, observer: str, kinds: Collection[str], *, limit: int = 100, lease_s: float = 300.0
    ) -> list[Notice]:
        """Refused."""
        self._refuse("the notices")

    def confirm_notices(self, observer: str, notice_ids: Sequence[str]) -> None:
        """Refused."""
        self._refuse("the notices")

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

    def audit_page(
        self, *, limit: int, before: int | None = None, actor: str | None = None, action: str | None = None
    ) -> list[tuple[int, AuditEntry]]:
        """Refused."""
        self._refuse("the audit chain")

    def audit_entries(self) -> Sequence[AuditEntry]:
        """Refused."""
        self._refuse("the audit chain")

    def verify_audit(self) -> int:
        """Refused."""
        self._refuse("the audit chain")

    def close(self) -> None:
        """Nothing: the connections belong to the whole store."""

    def _sees(self, records: Sequence[_Owned]) -> list[_Owned]:
        owned = self._owned({one.customer_id for one in records if not one.scope and one.customer_id})
        return [one for one in records if self._drawn_up(one.scope) or one.customer_id in owned]

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
