"""What the section `learnt` of a policy does to one customer: points weighed anew, causes that call or not.

A part's points are multiplied, so the parts of a score still add up to it. Afterwards a cause calls only from
the score that its situation asks for. Bounds hold here, whatever stands in the section: a signal that calls
for red keeps most of its points, what is protected always calls, and red is lowered to a call-back rather
than dropped.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Final

from analytics.health import Health, Part, churn_probability
from retention.contexts import addends, contexts_of, part_key
from retention.policy_learnt import CallAt
from store.records import Tier

if TYPE_CHECKING:
    from retention.policy import Policy
    from retention.risk import Trigger

TIMES: Final = "times"


def times_of(key: str, policy: "Policy") -> float:
    """What the points of a part are multiplied by: 1 where nothing was learnt of it; always within bounds."""
    low, high = bounds_of(key, policy)
    return min(high, max(low, policy.learnt.weights.get(key, 1.0)))


def bounds_of(key: str, policy: "Policy") -> tuple[float, float]:
    """The least and the most that may be learnt of a part."""
    kind, _, name = key.partition("/")
    red = kind == "signal" and policy.signal(name).tier is Tier.RED
    return policy.learning.red_times if red else policy.learning.times


def reweighed(health: Health, policy: "Policy") -> Health:
    """The same health with what was learnt; a part whose points changed says by how much (`figures`)."""
    if not policy.learnt.weights:
        return health
    parts = [_weighed(part, policy) for part in health.parts if part.name != "limit"]
    total = health.base + sum(part.points for part in parts)
    kept = min(100.0, max(0.0, total))
    if abs(kept - total) >= 0.05:
        parts.append(Part("limit", round(kept - total, 1)))
    return replace(
        health,
        health=round(kept, 1),
        probability=churn_probability(kept, policy.health),
        parts=tuple(sorted(parts, key=lambda part: part.points)),
    )


def calling(
    triggers: Sequence["Trigger"], health: Health, policy: "Policy", customer_id: str, now: datetime
) -> list["Trigger"]:
    """Those of `triggers` that call, red ones perhaps lowered; all of them where nothing was learnt."""
    at = policy.learnt.call_at
    if not at.causes or explored(customer_id, now, policy.learning.explored):
        return list(triggers)
    score, contexts = 100 - health.health, contexts_of(addends(health.parts))
    found: list[Trigger] = []
    for trigger in triggers:
        if score >= asked_of(trigger.cause, contexts, at, policy):
            found.append(trigger)
        elif trigger.tier is Tier.RED:
            found.append(replace(trigger, tier=Tier.CALLBACK))
    return found


def asked_of(cause: str, contexts: Iterable[str], at: CallAt, policy: "Policy") -> float:
    """The score from which a cause calls in these contexts: 0 where it always does."""
    if cause not in at.causes or always_calls(cause, policy):
        return 0.0
    asked = at.causes[cause] + sum(at.contexts.get(context, 0.0) for context in contexts)
    return min(policy.learning.call_at_most, max(0.0, asked))


def always_calls(cause: str, policy: "Policy") -> bool:
    """Whether no threshold is ever learnt of a cause: protected, or a rule that a person wrote."""
    return cause in policy.learning.protected or policy.rule(cause) is not None


def explored(customer_id: str, now: datetime, share: float) -> bool:
    """Whether this customer is called for this month whatever was learnt: the same answer all month."""
    key = f"{customer_id}\x1f{now:%Y-%m}".encode("utf-8", "surrogatepass")
    drawn = int.from_bytes(hashlib.blake2b(key, digest_size=8).digest(), "big")
    return drawn < share * 2**64


def _weighed(part: Part, policy: "Policy") -> Part:
    times = times_of(part_key(part.name, part.detail), policy)
    if times == 1:
        return part
    return replace(part, points=round(part.points * times, 1), figures={**part.figures, TIMES: times})
