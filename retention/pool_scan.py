"""Finds who belongs in the high-risk pool: open alerts of its tiers, and last scores that are low."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from retention.high_risk_pool import Reasons, revised
from retention.policy import Policy
from retention.policy_pool import PoolRules
from retention.portfolio import gone, moment_of
from retention.wording import Language, name_of
from store.alerts import Alert
from store.clock import Clock
from store.facts import Aggregate, FactStore, Selection, Voice, Window
from store.operations import OperationStore
from store.pool import PoolEntry, PoolReason

ACTOR = "care"


@dataclass(frozen=True)
class PoolReport:
    """How many customers are in the pool, how many entered and left, and for how many nobody has room."""

    customers: int
    entered: int
    left: int
    without_carer: int


@dataclass(frozen=True)
class PoolScan:
    """Keeps the pool of one store as the facts and alerts have it; safe to repeat, in several processes."""

    facts: FactStore
    operations: OperationStore
    policy: Callable[[], Policy]
    clock: Clock
    language: Language = "zh"

    def run(self, *, actor: str = ACTOR) -> PoolReport:
        """Scan once. NotPermitted within a scope: a stay rests on all that is known of a customer."""
        rules, now = self.policy().pool, self.clock.now()
        at = moment_of(self.facts.catalogue().last_at, now)
        candidates = _reasons(self.operations.alerts(), low_scores(self.facts, rules, at), rules, now)
        stays = self.operations.pool()
        left = gone(self.facts.outcomes(sorted({*candidates, *(one.customer_id for one in stays)})), at)

        def decide(every: Sequence[PoolEntry]) -> list[PoolEntry]:
            return revised(
                every,
                candidates,
                left,
                team=rules.team,
                role_name=name_of("roles", rules.team.role, self.language),
                now=now,
            )

        changed = decide(self.operations.pool(past=True))
        if changed:
            changed = list(self.operations.revise_pool(decide, actor=actor))
            stays = self.operations.pool()
        return PoolReport(
            customers=len(stays),
            entered=sum(one.entered_at == now and one.left_at is None for one in changed),
            left=sum(one.left_at is not None for one in changed),
            without_carer=sum(not one.carer for one in stays),
        )


def low_scores(facts: FactStore, rules: PoolRules, at: datetime) -> list[tuple[str, PoolReason]]:
    """By customer, each kind of score whose last value is low."""
    window = Window(at - timedelta(days=rules.days), at + timedelta(microseconds=1))
    known = facts.catalogue().metrics
    found = []
    for name, at_most in rules.low_scores.items():
        if name not in known:
            continue
        groups = facts.aggregate(Aggregate("volume", Selection(window=window), group_by=(name,)))
        values = tuple(group.key[0] for group in groups if group.key[0] is not None)
        low = tuple(value for value in values if float(value) <= at_most)
        if not low:
            continue
        scorers = sorted(
            {one.customer_id for one in facts.voices(Selection(window=window, filters={name: low}))}
        )
        given = facts.voices(Selection(window=window, filters={name: values}), scorers)
        found += [
            (
                one.customer_id,
                PoolReason(
                    kind="low_score",
                    name=name,
                    value=one.scores[name],
                    subject=one.feedback_id,
                    at=one.occurred_at,
                ),
            )
            for one in _last(given)
            if one.scores[name] <= at_most
        ]
    return found


def _last(given: Sequence[Voice]) -> list[Voice]:
    last: dict[str, Voice] = {}
    for one in sorted(given, key=lambda voice: (voice.occurred_at, voice.feedback_id)):
        last[one.customer_id] = one
    return list(last.values())


def _reasons(
    alerts: Sequence[Alert], scores: Sequence[tuple[str, PoolReason]], rules: PoolRules, now: datetime
) -> dict[str, Reasons]:
    found: dict[str, list[PoolReason]] = defaultdict(list)
    since = now - timedelta(days=rules.aftercare_days)
    for alert in alerts:
        cared_for = (
            alert.closed_because == "resolved" and alert.closed_at is not None and alert.closed_at > since
        )
        if alert.tier in rules.tiers and (alert.status == "open" or cared_for):
            reason = PoolReason(
                kind="alert", name=alert.tier.value, subject=alert.alert_id, at=alert.raised_at
            )
            found[alert.customer_id].append(reason)
    for customer, reason in scores:
        found[customer].append(reason)
    return {customer: tuple(reasons) for customer, reasons in found.items()}
