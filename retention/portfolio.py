"""All customers assessed in one pass: three queries whatever their number."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeVar

from retention.behaviour import load_behaviour
from retention.policy import Policy
from retention.risk import Risk, assess, gravity
from retention.rules import RuleHits, rule_hits
from retention.segments import PolicyFor, policies_for
from store.facts import FactStore, Selection, Voice, Window
from store.records import BehaviourEvent, Outcome

_T = TypeVar("_T", Voice, BehaviourEvent)


# A feed whose last item is older than this is judged as it stood then: it would all look like silence.
_STALE = timedelta(days=30)


@dataclass(frozen=True)
class Portfolio:
    """Risks, the most at risk first, and who could not or need not be judged.

    `left` are customers who have already gone; `unknown` are asked-for ids of whom nothing dated is known.
    `items` counts the feedback items looked at.
    """

    at: datetime
    risks: tuple[Risk, ...]
    left: tuple[str, ...]
    unknown: tuple[str, ...]
    items: int
    policies: PolicyFor

    def staying(self) -> "Portfolio":
        """Return the portfolio without the risks of those who have left."""
        gone = frozenset(self.left)
        return replace(self, risks=tuple(r for r in self.risks if r.customer_id not in gone))


def assess_customers(
    facts: FactStore,
    at: datetime,
    *,
    policy: Policy,
    customer_ids: Sequence[str] | None = None,
    hits: RuleHits | None = None,
) -> Portfolio:
    """Assess these customers (all, where none are named) as they stood at `at`.

    `hits` are those of the policy's rules, looked up where they are not given. Each customer is judged by the
    policy of his segments (`policies`). Who has left is assessed too, so that a question about him can be
    answered; see `staying`. Nothing after `at` is looked at.
    """
    # Half-open windows: a moment is added so that what happened at `at` itself counts.
    window = Window(at - timedelta(days=policy.health.history_days), at + timedelta(microseconds=1))
    if customer_ids is not None and not customer_ids:
        return Portfolio(at, (), (), (), 0, PolicyFor(policy, {}, {}))
    voices = facts.voices(Selection(window=window), customer_ids)
    said = _by_customer(voices)
    asked = list(said) if customer_ids is None else list(dict.fromkeys(customer_ids))
    left = gone(facts.outcomes(customer_ids), at)
    done = _by_customer(facts.events(asked, window))
    behaviour = load_behaviour()
    known = [i for i in asked if i in said or i in done]
    policies = policies_for(facts, policy, known, at)
    renewals = {one.customer_id: one.renewal_on for one in facts.customers(known)} if known else {}
    found = rule_hits(facts, policy, at, customer_ids) if hits is None else hits
    risks = [
        assess(
            one,
            said.get(one, []),
            done.get(one, []),
            policy=policies.of(one),
            behaviour=behaviour,
            now=at,
            hits=found.get(one, ()),
            renewal=renewals.get(one),
        )
        for one in known
    ]
    risks.sort(key=lambda r: (-r.health.probability, -gravity(r.tier), r.customer_id))
    return Portfolio(
        at,
        tuple(risks),
        left=tuple(i for i in known if i in left),
        unknown=tuple(i for i in asked if i not in said and i not in done),
        items=len(voices),
        policies=policies,
    )


def moment_of(last_at: datetime | None, now: datetime) -> datetime:
    """Return the moment at which customers are judged: `now`, or the last item of a feed that has ended."""
    if last_at is None or now - last_at <= _STALE:
        return now
    return last_at


def gone(outcomes: Sequence[Outcome], at: datetime) -> frozenset[str]:
    """Return who has left by `at`: the last outcome known by then is `churned`."""
    last: dict[str, Outcome] = {}
    for outcome in outcomes:
        if outcome.occurred_at <= at:
            before = last.get(outcome.customer_id)
            if before is None or outcome.occurred_at >= before.occurred_at:
                last[outcome.customer_id] = outcome
    return frozenset(i for i, outcome in last.items() if outcome.outcome == "churned")


def _by_customer(rows: Sequence[_T]) -> dict[str, list[_T]]:
    grouped: dict[str, list[_T]] = defaultdict(list)
    for row in rows:
        grouped[row.customer_id].append(row)
    return grouped
