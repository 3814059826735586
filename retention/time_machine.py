"""Replays of policies over one data folder's past: on demand, before a change goes live, and in shadow."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from retention.policy import Policy
from retention.policy_book import PolicyBook
from retention.policy_change import refusals_of
from retention.replay import Moment, Passage, Replay, Tell, World
from retention.replay_report import (
    Known,
    Raised,
    ReplayReport,
    Side,
    changes,
    differing,
    raised,
    side_of,
)
from store.clock import Clock, MovableClock
from store.errors import ToolInputError
from store.operations import OperationStore

# A feed that ended longer ago is replayed up to its end.
_STALE: Final = timedelta(days=30)
_NAMED: Final = 3

Workshop = Callable[[MovableClock], AbstractContextManager[OperationStore]]


@dataclass(frozen=True)
class TimeMachine:
    """Replays a policy beside the one that was live. `workshop` gives a fresh store with that clock."""

    world: World
    book: PolicyBook
    clock: Clock
    workshop: Workshop

    def replay(
        self,
        candidate: Policy,
        since: datetime | None = None,
        until: datetime | None = None,
        *,
        every: timedelta | None = None,
        tell: Tell | None = None,
    ) -> ReplayReport:
        """Do the scans of a span again, once as they were and once by `candidate`.

        `every`: only the last scan of each such span. ToolInputError for a span that ends before it begins.
        """
        live = self.book.live()
        begin, end = self._span(candidate, since, until)
        tried = candidate.model_copy(update={"version": self._number(candidate)})
        before_tell, after_tell = _halves(tell)
        passed, before = self._pass(self._as_live(live), begin, end, every, before_tell)
        again, after = self._pass(lambda moment: tried, begin, end, every, after_tell)
        known, rules = self._known(begin, end), candidate.replay
        return self._compared(
            passed,
            (before, side_of(live.version, before, passed.load.weeks(), known, rules)),
            (after, side_of(tried.version, after, again.load.weeks(), known, rules)),
            exact=every is None and passed.daily == 0 and passed.recorded > 0,
        )

    def redo(self, since: datetime, until: datetime) -> tuple[str, ...]:
        """Do the recorded scans of a span again as they were; the ids of alerts that are not as they were."""
        span = self.world.operations.scan_span()
        begin = until if span is None else max(since, span.first)
        _, again = self._pass(self._as_live(self.book.live()), begin, until, None, None)
        return differing(raised(self.world.operations.alert_events(begin, until)), again)

    def gate(self, candidate: Policy, *, forced: bool = False) -> Mapping[str, Any]:
        """Replay a change before it goes live. ToolInputError where it exceeds capacity, unless `forced`."""
        rules = candidate.replay
        _, end = self._span(candidate, None, None)
        since = end - timedelta(days=rules.gate_days)
        report = self.replay(candidate, since, end, every=timedelta(hours=rules.gate_hours))
        if report.refusals and not forced:
            more = len(report.refusals) - _NAMED
            named = "; ".join(report.refusals[:_NAMED]) + (f"; and {more} more" if more > 0 else "")
            raise ToolInputError(
                f"the change makes more tasks than people can take on: {named}",
                hint="change the caps or the policy, watch it in shadow mode, or force it",
            )
        return {**report.model_dump(mode="json"), "forced": bool(report.refusals)}

    def _pass(
        self,
        policies: Callable[[Moment], Policy],
        since: datetime,
        until: datetime,
        every: timedelta | None,
        tell: Tell | None,
    ) -> tuple[Passage, dict[str, Raised]]:
        clock = MovableClock(since)
        with self.workshop(clock) as store:
            passage = Replay(self.world, store, clock, policies).run(since, until, every=every, tell=tell)
            return passage, raised(store.alert_events(since, until))

    def _as_live(self, live: Policy) -> Callable[[Moment], Policy]:
        """Each recorded scan by the version that was live then; the others by the one that is live now."""
        known = {live.version: live}

        def policy(moment: Moment) -> Policy:
            version = live.version if moment.version is None else moment.version
            if version not in known:
                known[version] = self.book.policy(version)
            return known[version]

        return policy

    def _span(
        self, candidate: Policy, since: datetime | None, until: datetime | None
    ) -> tuple[datetime, datetime]:
        """The span asked for; else the last days there are, up to now or the end of a feed that has ended."""
        end = until or self._end()
        begin = since or end - timedelta(days=candidate.replay.days)
        if begin >= end:
            raise ToolInputError("the span of a replay must end after it begins")
        return begin, end

    def _end(self) -> datetime:
        now, last = self.clock.now(), self.world.facts.last_at()
        if self.world.operations.scan_span() is None and last is not None and now - last > _STALE:
            return last + timedelta(days=1)
        return now

    def _number(self, candidate: Policy) -> int:
        """That of a version as it was kept, else one of its own: then everybody is looked at again."""
        versions = self.book.versions()
        kept = next((one for one in versions if one.number == candidate.version), None)
        if kept is not None and self.book.policy(kept.number) == candidate:
            return candidate.version
        return max(one.number for one in versions) + 1

    def _known(self, since: datetime, until: datetime) -> Known:
        operations = self.world.operations
        verdicts = operations.verdicts()
        judged = {one.alert_id for one in verdicts}
        raised_then = raised(operations.alert_events(since, until))
        alerts = {one: found.alert for one, found in raised_then.items() if one in judged}
        outcomes = [one for one in self.world.facts.outcomes() if since <= one.occurred_at < until]
        return Known(verdicts, outcomes, alerts, until)

    def _compared(
        self,
        passage: Passage,
        before: tuple[dict[str, Raised], Side],
        after: tuple[dict[str, Raised], Side],
        *,
        exact: bool,
    ) -> ReplayReport:
        events = self.world.operations.alert_events(passage.since, passage.until)
        unfaithful = differing(raised(events), before[0]) if exact else ()
        appear, vanish, moved = changes(before[0], after[0])
        report = ReplayReport(
            since=passage.since,
            until=passage.until,
            recorded=passage.recorded,
            daily=passage.daily,
            faithful=not unfaithful if exact else None,
            unfaithful=unfaithful,
            forgotten=self._forgotten(raised(events)),
            before=before[1],
            after=after[1],
            same=len(before[0].keys() & after[0].keys()),
            appear=tuple(appear),
            vanish=tuple(vanish),
            tier_changes=tuple(moved),
        )
        return report.model_copy(update={"refusals": refusals_of(report)})

    def _forgotten(self, live: Mapping[str, Raised]) -> int:
        """What live alerts rest on and is no longer stored: a replay cannot see it."""
        rests = {one for found in live.values() for one in found.alert.evidence}
        facts = self.world.facts
        customers = sorted({found.alert.customer_id for found in live.values()})
        there = facts.existing_ids(sorted(rests))
        missing = rests - there
        return len(missing - {event.event_id for event in facts.events(customers)}) if missing else 0


def _halves(tell: Tell | None) -> tuple[Tell | None, Tell | None]:
    """Progress of two passes as one."""
    if tell is None:
        return None, None
    return lambda done, total: tell(done, 2 * total), lambda done, total: tell(total + done, 2 * total)
