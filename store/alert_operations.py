"""What the operation store can be asked about alerts: part of `OperationStore`."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

from store.alerts import Alert, AlertStatus, Notice, NoticeKind, Verdict, VerdictKind
from store.messages import Message
from store.records import Task, Tier


class CustomerFile(NamedTuple):
    """What the store holds of one customer: alerts, newest first, and tasks."""

    alerts: tuple[Alert, ...] = ()
    tasks: tuple[Task, ...] = ()


class AlertChange(NamedTuple):
    """An alert to keep as it is here; its task and message too, where given; what observers are told."""

    alert: Alert
    notice: NoticeKind | None = None
    task: Task | None = None
    message: Message | None = None


class Assessed(NamedTuple):
    """When a customer was last looked at, and a digest of what was known then."""

    digest: str
    at: datetime


Decide = Callable[[Mapping[str, CustomerFile]], Sequence[AlertChange]]


class AlertOperations(Protocol):
    """Alerts, verdicts, and who was told. Every write is one durable transaction."""

    def revise_alerts(
        self, customer_ids: Sequence[str], decide: Decide, *, actor: str
    ) -> Sequence[AlertChange]:
        """Let `decide` see the files of these customers and keep what it returns; nobody writes in between.

        `decide` must be quick and ask no store: the write lock is held. A customer has one open alert at
        most.
        """
        ...

    def customer_files(self, customer_ids: Sequence[str]) -> Mapping[str, CustomerFile]:
        """What the store holds of these customers now."""
        ...

    def alert(self, alert_id: str) -> Alert | None:
        """The alert of that id."""
        ...

    def alerts(
        self,
        *,
        status: AlertStatus | None = None,
        tier: Tier | None = None,
        customer_id: str | None = None,
    ) -> list[Alert]:
        """List alerts: open ones first, then by deadline."""
        ...

    def record_verdict(self, alert_id: str, verdict: VerdictKind, reason: str, *, actor: str) -> Verdict:
        """Keep what a person says of an alert (audited); the same again changes nothing.

        A false alarm closes the alert and cancels its task; a later "accurate" takes that back. Raises
        ToolInputError for an unknown id.
        """
        ...

    def verdicts(self, *, alert_id: str | None = None) -> list[Verdict]:
        """List verdicts, oldest first."""
        ...

    def assessed(self) -> dict[str, Assessed]:
        """Which customers were looked at, by id."""
        ...

    def mark_assessed(self, digests: Mapping[str, str], at: datetime, *, scan: int | None = None) -> None:
        """Remember that these customers were looked at, by the scan of that number."""
        ...

    def claim_notices(
        self, observer: str, kinds: Collection[str], *, limit: int = 100, lease_s: float = 300.0
    ) -> list[Notice]:
        """What this observer has not been told yet of these kinds, oldest first, lent for `lease_s` seconds.

        An observer is told what happens from its first claim on. Nobody else is given a notice while it is
        lent; one that is not confirmed in time is given out again.
        """
        ...

    def confirm_notices(self, observer: str, notice_ids: Sequence[str]) -> None:
        """Remember that this observer has been told."""
        ...
