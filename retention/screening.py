"""Health guessed from figures alone, for ranking more customers than can be assessed item by item."""

import numpy as np

from analytics.churn_model import Floats
from retention.policy import Policy
from store.customer_features import CustomerTable

_SIGNAL, _DEED = "signal:", "deed:"


def screened_health(table: CustomerTable, policy: Policy) -> Floats:
    """Health 0..100 of each row, shape (n,): the rules of health on means instead of single items.

    Level and change of the scores, the recent negative share, recent signals in words and in deeds; a signal
    counts as if it had been given in the middle of the recent days.
    """
    rules, n, total = policy.health, table.n, table.total
    level = (rules.score_level.neutral + total["score_all"]) / (1 + n["score_all"])
    above = level - rules.score_level.neutral
    points = np.where(
        above > 0,
        rules.score_level.best * above / (1 - rules.score_level.neutral),
        -rules.score_level.worst * above / rules.score_level.neutral,
    )
    points = points + _change(table, policy) + _negative(table, policy) + _signals(table, policy)
    for name, rule in policy.behaviour.items():
        if f"{_DEED}{name}" in n:
            points = points + rule.points * (n[f"{_DEED}{name}"] >= rule.minimum)
    return np.clip(rules.base + points, 0.0, 100.0)


def _change(table: CustomerTable, policy: Policy) -> Floats:
    rule, n, total = policy.health.score_trend, table.n, table.total
    before = n["score_all"] - n["score_recent"]
    both = (n["score_recent"] > 0) & (before >= rule.minimum_history)
    recent = total["score_recent"] / np.maximum(1, n["score_recent"])
    change = np.where(
        both, recent - (total["score_all"] - total["score_recent"]) / np.maximum(1, before), 0.0
    )
    points = np.clip(rule.points_per_unit * change, rule.worst, rule.best)
    return np.where(np.abs(change) > rule.dead_band, points, 0.0)


def _negative(table: CustomerTable, policy: Policy) -> Floats:
    rule = policy.health.negative_share
    share = (table.total["negative_recent"] + rule.prior * rule.expected) / (
        table.n["negative_recent"] + rule.prior
    )
    excess = np.maximum(0.0, share - rule.expected) / (1 - rule.expected)
    return np.asarray((rule.excess + rule.level) * excess)


def _signals(table: CustomerTable, policy: Policy) -> Floats:
    rule = policy.health.signals
    fresh = 0.5 ** (policy.churn.recent_days / 2 / policy.health.half_life_days)
    points = np.zeros(len(table.ids))
    for name, seen in table.total.items():
        if name.startswith(_SIGNAL):
            repeats = np.clip(seen - 1, 0, rule.most_repeats)
            worth = policy.signal(name.removeprefix(_SIGNAL)).points
            points += np.where(seen > 0, worth * fresh * (1 + rule.repeat * repeats), 0.0)
    return np.maximum(points, rule.worst)
