"""What the churn model looks at: figures of each customer up to a moment, as columns.

Only what is dated counts, for the customer table is kept as it is today: a renewal date that moves on
renewal, or a value that grows with every order, would tell at a past moment what came after it.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

import numpy as np

from analytics.churn_model import Floats
from retention.behaviour import BehaviourReader
from retention.policy import OTHER_SIGNAL, Policy
from store.customer_features import CustomerQuestion, CustomerTable, Deed, Sums, Trait
from store.facts import FactStore, Selection, Window

_DAY = 86400.0
# Shares are drawn towards the usual by this many imagined items.
_PRIOR = 2.0


def features_question(
    facts: FactStore,
    at: datetime,
    policy: Policy,
    behaviour: BehaviourReader,
    *,
    share: float = 1.0,
    customer_ids: tuple[str, ...] | None = None,
) -> CustomerQuestion:
    """Ask what is known before `at`, recently and before that; `share` draws customers."""
    rule = policy.churn
    start = at - timedelta(days=rule.history_days)
    recent = Window(at - timedelta(days=rule.recent_days), at)
    whole = Window(start, at)
    traits = [Trait("recent", "volume", recent, "n")]
    for when, window in (("recent", recent), ("all", whole)):
        traits += [
            Trait(f"negative_{when}", "negative_share", window),
            Trait(f"score_{when}", "score", window),
        ]
    traits.append(Trait("complaints", "share:intent=complaint", whole, "total"))
    signals = sorted(name for name in policy.signals if name != OTHER_SIGNAL)
    traits += [Trait(f"signal:{name}", f"share:risk={name}", recent, _TOTAL) for name in signals]
    return CustomerQuestion(
        traits=tuple(traits),
        deeds=_deeds(facts, recent, whole, policy, behaviour),
        selection=Selection(whole),
        scores=policy.scores,
        customer_ids=customer_ids,
        share=share,
    )


_TOTAL: Sums = "total"


def _deeds(
    facts: FactStore, recent: Window, whole: Window, policy: Policy, behaviour: BehaviourReader
) -> tuple[Deed, ...]:
    """Use of the commonest kind, and what the policy takes for a warning, as far as either occurs."""
    texts = facts.event_texts(whole)
    used: dict[str, int] = {}
    warnings: dict[str, list[str]] = {}
    for kind, detail, n in texts:
        if kind.lower() in behaviour.usage:
            used[kind] = used.get(kind, 0) + n
        name = behaviour.read(kind, detail)
        if name in policy.behaviour:
            warnings.setdefault(str(name), []).append(f"{kind} {detail}")
    deeds = [Deed(f"deed:{name}", texts=tuple(found), window=recent) for name, found in warnings.items()]
    if used:
        kind = min(used, key=lambda one: (-used[one], one))
        deeds += [Deed("use_recent", (kind,), window=recent), Deed("use_all", (kind,), window=whole)]
    return tuple(deeds)


def features(
    table: CustomerTable, at: datetime, first_at: datetime, policy: Policy
) -> list[tuple[str, Floats]]:
    """Name and values (n,) of each feature; NaN where nothing is known. `first_at` is where the data begins.

    Changes compare the recent days with the days before them, as rates, so that a feed that is young at an
    early moment does not look like a rise.
    """
    rule = policy.churn
    known_days = min(float(rule.history_days), (at - first_at).total_seconds() / _DAY)
    span = (float(rule.recent_days), max(1.0, known_days - rule.recent_days))
    expected = policy.health.negative_share.expected
    n, total = table.n, table.total
    negative = _smoothed(total["negative_recent"], n["negative_recent"], expected)
    before = _smoothed(
        total["negative_all"] - total["negative_recent"], n["negative_all"] - n["negative_recent"], expected
    )
    score = _mean(total["score_recent"], n["score_recent"])
    earlier = _mean(total["score_all"] - total["score_recent"], n["score_all"] - n["score_recent"])
    found = [
        ("items", np.log1p(n["recent"])),
        ("items_change", _rate_change(n["recent"], table.items - n["recent"], span)),
        ("silence", np.log1p(np.maximum(0.0, at.timestamp() - table.last) / _DAY)),
        ("negative", negative),
        ("negative_change", negative - before),
        ("complaints", _smoothed(total["complaints"], n["negative_all"], expected)),
        ("score", score),
        ("score_level", _mean(total["score_all"], n["score_all"])),
        ("score_change", np.nan_to_num(score - earlier)),
        ("tenure", np.log1p(np.maximum(0.0, at.timestamp() - table.since) / _DAY)),
    ]
    if "use_all" in total:
        used, ever = total["use_recent"], total["use_all"]
        change = _rate_change(used, ever - used, span)
        found += [("use", np.log1p(used)), ("use_change", np.where(n["use_all"] > 0, change, 0.0))]
    found += [(name, np.log1p(values)) for name, values in total.items() if name.startswith("signal:")]
    return found + [(name, np.log1p(values)) for name, values in n.items() if name.startswith("deed:")]


def aligned(found: Sequence[tuple[str, Floats]], names: Sequence[str], size: int) -> Floats:
    """The columns of these names side by side, shape (size, names); one that is missing never happened: 0."""
    by_name = dict(found)
    if not names:
        return np.zeros((size, 0))
    return np.column_stack([by_name.get(name, np.zeros(size)) for name in names])


def _smoothed(part: Floats, whole: Floats, expected: float) -> Floats:
    return (part + _PRIOR * expected) / (whole + _PRIOR)


def _mean(total: Floats, n: Floats) -> Floats:
    return np.where(n > 0, total / np.maximum(n, 1.0), np.nan)


def _rate_change(recent: Floats, before: Floats, span: tuple[float, float]) -> Floats:
    """Log of the recent rate over the rate before, each with half an imagined event."""
    return np.asarray(np.log((recent + 0.5) / span[0]) - np.log((before + 0.5) / span[1]))
