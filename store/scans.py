"""What the scan for alerts did, moment by moment: enough to do it again exactly."""

from datetime import datetime
from typing import Literal, NamedTuple, Protocol

from pydantic import AwareDatetime

from store.alerts import Alert
from store.record import Record

AlertEventKind = Literal["opened", "raised", "joined", "closed", "reopened", "judged"]


class Scan(Record):
    """One scan: at which moment, by which version of the policy, over what was stored by which mark.

    `ended_at` is None where it runs or its process ended; `customers` then holds those it had dealt with.
    """

    number: int
    at: AwareDatetime
    mark: int
    policy_version: int
    actor: str
    ended_at: AwareDatetime | None = None
    customers: tuple[str, ...] = ()


class AlertEvent(Record):
    """Something that became of an alert, and the alert as it stood afterwards. Numbers follow the commits."""

    number: int
    alert_id: str
    customer_id: str
    kind: AlertEventKind
    at: AwareDatetime
    alert: Alert


class ScanSpan(NamedTuple):
    """When the first and the last recorded scan was, and how many there are."""

    first: datetime
    last: datetime
    scans: int


class ScanOperations(Protocol):
    """The record of scans and of what became of alerts. Every write is one durable transaction."""

    def begin_scan(self, *, at: datetime, mark: int, policy_version: int, actor: str) -> int:
        """Record that a scan begins; return its number."""
        ...

    def end_scan(self, number: int) -> None:
        """Record that a scan has dealt with everybody it had to."""
        ...

    def scan_span(self) -> ScanSpan | None:
        """When scans were recorded; None before the first."""
        ...

    def scans(self, since: datetime, until: datetime) -> list[Scan]:
        """Scans with since <= at < until, in the order of their moments."""
        ...

    def alert_events(self, since: datetime, until: datetime) -> list[AlertEvent]:
        """What became of alerts with since <= at < until, in the order of commits."""
        ...

    def repeat_event(self, event: AlertEvent) -> bool:
        """Let what ended, reopened or was judged elsewhere do so here too, with the task of the alert.

        For stores that do again what another did. False where the alert is not here, or another of its
        customer is open.
        """
        ...

    def alerts_as_of(self, moment: datetime) -> list[Alert]:
        """Every alert as it stood just before a moment."""
        ...
