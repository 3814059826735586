"""Shadow mode: the shadow policy does each live scan too, into a store of its own, and nothing is sent."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from pydantic import AwareDatetime

from retention.policy import Policy
from retention.policy_book import PolicyBook
from retention.replay import Replay, World
from retention.replay_report import Change, changes, raised
from store.clock import Clock, MovableClock
from store.operations import OperationStore
from store.record import Record
from store.records import Tier

ShadowStores = Callable[[int, MovableClock], AbstractContextManager[OperationStore]]
_MOMENT: Final = timedelta(microseconds=1)


class ShadowReport(Record):
    """What the shadow policy would have done since it began, beside what was done, over `scans` scans."""

    policy_version: int
    since: AwareDatetime
    scans: int
    live: dict[str, int]
    shadow: dict[str, int]
    same: int
    appear: tuple[Change, ...]
    vanish: tuple[Change, ...]
    tier_changes: tuple[Change, ...]


@dataclass(frozen=True)
class ShadowWatch:
    """Follows the live scans with the shadow policy. What a process missed, the next one makes up for."""

    world: World
    book: PolicyBook
    clock: Clock
    stores: ShadowStores

    def follow(self) -> int:
        """Do the live scans that the shadow policy has not done yet; return how many."""
        policy = self.book.shadow()
        if policy is None:
            return 0
        clock = MovableClock(self.clock.now())
        with self.stores(policy.version, clock) as store:
            passage = Replay(self.world, store, clock, lambda moment: policy).run(*self._span(policy))
        return passage.recorded

    def report(self) -> ShadowReport | None:
        """What it found so far; None without a shadow policy."""
        policy = self.book.shadow()
        if policy is None:
            return None
        since, until = self._span(policy)
        with self.stores(policy.version, MovableClock(until)) as store:
            after, span = raised(store.alert_events(since, until)), store.scan_span()
        # Up to where both have come.
        end = since if span is None else min(until, span.last + _MOMENT)
        before = raised(self.world.operations.alert_events(since, end))
        appear, vanish, moved = changes(before, after)
        return ShadowReport(
            policy_version=policy.version,
            since=since,
            scans=0 if span is None else span.scans,
            live=_tiers([one.tier for one in before.values()]),
            shadow=_tiers([one.tier for one in after.values()]),
            same=len(before.keys() & after.keys()),
            appear=tuple(appear),
            vanish=tuple(vanish),
            tier_changes=tuple(moved),
        )

    def _span(self, policy: Policy) -> tuple[datetime, datetime]:
        # Only scans that were recorded: days before the first one belong to no live policy.
        begun, now = self.book.version(policy.version).at, self.clock.now()
        span = self.world.operations.scan_span()
        return max(begun, begun if span is None else span.first), now + _MOMENT


def _tiers(found: list[Tier]) -> dict[str, int]:
    return {tier.value: found.count(tier) for tier in Tier}
