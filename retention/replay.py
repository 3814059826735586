"""The time machine: the scans of a span done again, each over what was known then, by any policy.

It is the scan itself that runs, over the facts as of the mark that each live scan recorded and into a store
of its own. What people did in between (tasks that ended, verdicts) happens to the alerts of the same id here
too, at the same place among the scans. An alert that was never raised in life is taken to be dealt with by
its deadline. Where no scan was recorded yet, one a day is done over what had occurred by then.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from retention.alert_scan import AlertScan
from retention.alert_tasks import task_of
from retention.policy import Policy
from retention.replay_load import LoadBook
from retention.task_tending import TaskTending
from retention.wording import Language
from store.alert_operations import AlertChange, CustomerFile
from store.alerts import Alert
from store.clock import MovableClock
from store.facts import FactStore, Horizon
from store.operations import OperationStore
from store.scans import AlertEvent, Scan

ACTOR: Final = "replay"
_BY_SCAN: Final = ("opened", "raised", "joined")
# Scans of days of which none was recorded.
_DAILY_AT: Final = time(8)

Policies = Callable[["Moment"], Policy]
Tell = Callable[[int, int], None]


@dataclass(frozen=True)
class Moment:
    """One scan to do again: when, over what, and (of a recorded one) by which version and of whom."""

    at: datetime
    horizon: Horizon
    version: int | None = None
    only: frozenset[str] | None = None


@dataclass(frozen=True)
class World:
    """Where the scans were: the facts and operations of life, and how they are read."""

    facts: FactStore
    operations: OperationStore
    zone: ZoneInfo
    topic_names: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    language: Language = "zh"


@dataclass(frozen=True)
class Passage:
    """Scans done again, from `since` on, and the load that they made, by owner and week."""

    since: datetime
    until: datetime
    recorded: int
    daily: int
    load: LoadBook


@dataclass(frozen=True)
class Replay:
    """Does scans again into `store`, whose clock it moves; a store that it has begun is continued."""

    world: World
    store: OperationStore
    clock: MovableClock
    policies: Policies

    def run(
        self, since: datetime, until: datetime, *, every: timedelta | None = None, tell: Tell | None = None
    ) -> Passage:
        """Do all scans with since <= at < until that `store` has not seen yet; of each `every`, the last."""
        moments = thinned(moments_of(self.world, since, until), every)
        span = self.store.scan_span()
        if span is None and moments:
            self._seed(since, moments[0])
        todo = moments if span is None else [one for one in moments if one.at > span.last]
        begun = since if span is None else span.last
        deeds = _Deeds(self.world.operations.alert_events(begun, until), [one.at for one in todo])
        load, facts = LoadBook(self.world.zone, self.world.language), _Past(self.world.facts)
        for at, moment in enumerate(todo):
            for event in deeds.before(at):
                self.store.repeat_event(event)
            self._step(moment, facts.of(moment.horizon), load, since)
            if tell is not None:
                tell(at + 1, len(todo))
        for event in deeds.before(len(todo)):
            self.store.repeat_event(event)
        recorded = sum(one.version is not None for one in todo)
        return Passage(since, until, recorded, len(todo) - recorded, load)

    def _step(self, moment: Moment, facts: FactStore, load: LoadBook, since: datetime) -> None:
        self.clock.at = moment.at
        policy = self.policies(moment)
        self._handle_overdue(moment.at, since)
        scan = AlertScan(
            facts=facts,
            operations=self.store,
            clock=self.clock,
            zone=self.world.zone,
            topic_names=self.world.topic_names,
            policies=lambda: policy,
            language=self.world.language,
            only=moment.only,
        )
        scan.run(actor=ACTOR)
        TaskTending(self.store, lambda: policy, self.clock, self.world.zone, self.world.language).run()
        load.note(self.store, policy, moment.at)

    def _handle_overdue(self, now: datetime, since: datetime) -> None:
        """End what was never raised in life, once its deadline has passed."""
        overdue = [alert for alert in self.store.alerts(status="open") if alert.due_at <= now]
        for alert in overdue:
            if self.world.operations.alert(alert.alert_id) is None:
                closed = {"status": "closed", "closed_because": "resolved", "closed_at": alert.due_at}
                ended = alert.model_copy(update=closed)
                self.store.repeat_event(
                    AlertEvent(
                        number=0,
                        alert_id=alert.alert_id,
                        customer_id=alert.customer_id,
                        kind="closed",
                        at=alert.due_at,
                        alert=ended,
                    )
                )

    def _seed(self, since: datetime, first: Moment) -> None:
        """Begin with the alerts as they stood, and whom the scans before had dealt with."""
        self.clock.at = since
        policy = self.policies(first)
        for alert in self.world.operations.alerts_as_of(since):
            self.store.revise_alerts([alert.customer_id], self._standing(alert, policy), actor=ACTOR)
        before = self.world.operations.scans(since - timedelta(hours=policy.alerts.reassess_hours), since)
        last = next((scan for scan in reversed(before) if scan.ended_at is not None), None)
        if last is None:
            return
        digests = AlertScan(
            facts=self.world.facts.as_of(Horizon(last.mark)),
            operations=self.store,
            clock=self.clock,
            zone=self.world.zone,
            topic_names={},
            policies=lambda: self.policies(_moment(last)),
        ).digests()
        for scan in before:
            dealt = {one: digests[one] for one in scan.customers if one in digests}
            self.store.mark_assessed(dealt, scan.at)

    def _standing(
        self, alert: Alert, policy: Policy
    ) -> Callable[[Mapping[str, CustomerFile]], list[AlertChange]]:
        def decide(files: Mapping[str, CustomerFile]) -> list[AlertChange]:
            task = None
            if alert.status == "open":
                task = task_of(
                    alert,
                    files[alert.customer_id].tasks,
                    None,
                    policy=policy,
                    language=self.world.language,
                    now=alert.raised_at,
                    actor=ACTOR,
                )
            return [AlertChange(alert, None, task)]

        return decide


def moments_of(world: World, since: datetime, until: datetime) -> list[Moment]:
    """The recorded scans of a span; one a day before the first of all."""
    span = world.operations.scan_span()
    begin = until if span is None else min(max(span.first, since), until)
    recorded = [_moment(scan) for scan in world.operations.scans(since, until)]
    said = world.facts.catalogue().first_at if since < begin else None
    daily = [] if said is None else _daily(max(since, said), begin, world.zone)
    return [*daily, *recorded]


def thinned(moments: Sequence[Moment], every: timedelta | None) -> list[Moment]:
    """Of each span of that length the last scan; all where none is given."""
    if every is None:
        return list(moments)
    last = {int(one.at.timestamp() // every.total_seconds()): one for one in moments}
    return list(last.values())


def _moment(scan: Scan) -> Moment:
    only = None if scan.ended_at is not None else frozenset(scan.customers)
    return Moment(scan.at, Horizon(scan.mark), scan.policy_version, only)


def _daily(since: datetime, until: datetime, zone: ZoneInfo) -> Iterator[Moment]:
    day = since.astimezone(zone).date()
    while True:
        at = datetime.combine(day, _DAILY_AT, zone).astimezone(UTC)
        if at >= until:
            return
        if at >= since:
            yield Moment(at, Horizon(occurred=at))
        day += timedelta(days=1)


class _Past:
    """The facts at a horizon; the last one is kept, with what it remembers."""

    def __init__(self, facts: FactStore) -> None:
        self._facts = facts
        self._kept: tuple[Horizon, FactStore] | None = None

    def of(self, horizon: Horizon) -> FactStore:
        if self._kept is None or self._kept[0] != horizon:
            self._kept = (horizon, self._facts.as_of(horizon))
        return self._kept[1]


class _Deeds:
    """What people did to alerts, each at its place among the scans.

    By its time, but never after a scan that found its customer in a later commit, nor before one that did in
    an earlier commit: a deed may have waited for the write lock while a scan held it.
    """

    def __init__(self, events: Sequence[AlertEvent], scans: Sequence[datetime]) -> None:
        place = {at: index for index, at in enumerate(scans)}
        found = {
            event.number: place[event.at] for event in events if event.kind in _BY_SCAN and event.at in place
        }
        self._places: dict[int, list[AlertEvent]] = {}
        last: dict[str, int] = {}
        following: dict[int, int] = {}
        ahead: dict[str, int] = {}
        for event in reversed(events):
            if event.number in found:
                ahead[event.customer_id] = found[event.number]
            following[event.number] = ahead.get(event.customer_id, len(scans))
        for event in events:
            if event.number in found:
                last[event.customer_id] = found[event.number]
            elif event.kind not in _BY_SCAN:
                at = max(bisect_left(scans, event.at), last.get(event.customer_id, -1) + 1)
                self._places.setdefault(min(at, following[event.number]), []).append(event)

    def before(self, index: int) -> list[AlertEvent]:
        """Deeds since the scan before the one of that index, in order."""
        return self._places.get(index, [])
