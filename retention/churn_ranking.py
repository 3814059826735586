"""Customers ranked by how likely they are to leave: by the model where there is one, by the rules otherwise.

Up to a number of customers everyone is assessed item by item; beyond it all are ranked by their figures, and
only those that look worst are assessed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from retention.behaviour import load_behaviour
from retention.churn import LearntChurn, gone_by
from retention.churn_features import aligned, features, features_question
from retention.policy import Policy
from retention.portfolio import Portfolio, assess_customers
from retention.risk import Risk, gravity
from retention.screening import screened_health
from store.customer_features import CustomerTable
from store.facts import FactStore


@dataclass(frozen=True)
class Verdict:
    """What the model says of a customer: the probability, and what each feature adds to its log-odds."""

    probability: float
    contributions: Mapping[str, float]


@dataclass(frozen=True)
class Ranking:
    """Assessed customers, the most at risk first; `verdicts` by customer id, empty without a model.

    `screened` is how many were ranked by their figures alone to find them, None where all were assessed.
    """

    portfolio: Portfolio
    learnt: LearntChurn
    verdicts: Mapping[str, Verdict] = field(default_factory=dict)
    screened: int | None = None

    def probability(self, risk: Risk) -> float:
        """The model's probability, or that of the rules."""
        verdict = self.verdicts.get(risk.customer_id)
        return verdict.probability if verdict else risk.health.probability


def rank_customers(
    facts: FactStore,
    learnt: LearntChurn,
    at: datetime,
    policy: Policy,
    customer_ids: Sequence[str] | None = None,
) -> Ranking:
    """Rank these customers (all, where none are named) as they stood at `at`; nothing later is looked at.

    Who has left is assessed where everyone is; see `Portfolio.staying`.
    """
    known = facts.catalogue().customers if customer_ids is None else len(customer_ids)
    everyone = known <= policy.churn.exact_customers
    fitted = learnt.in_use
    if (everyone and fitted is None) or known == 0:
        return Ranking(assess_customers(facts, at, customer_ids=customer_ids, policy=policy), learnt)
    just_after = at + timedelta(microseconds=1)
    asked = tuple(customer_ids) if customer_ids is not None and everyone else None
    question = features_question(facts, just_after, policy, load_behaviour(), customer_ids=asked)
    table = facts.customer_features(question)
    x, odds = np.zeros((len(table.ids), 0)), np.zeros(len(table.ids))
    if fitted is not None:
        first_at = facts.catalogue().first_at or at
        x = aligned(features(table, just_after, first_at, policy), learnt.names, len(table.ids))
        odds = fitted.model.log_odds(x)
    if everyone:
        portfolio = assess_customers(facts, at, customer_ids=customer_ids, policy=policy)
        screened = None
    else:
        badness = odds if fitted is not None else -screened_health(table, policy)
        portfolio, screened = _worst(facts, table, badness, at, policy, customer_ids)
    ranking = Ranking(portfolio, learnt, _verdicts(learnt, table, x, portfolio), screened)
    risks = sorted(portfolio.risks, key=lambda r: (-ranking.probability(r), -gravity(r.tier), r.customer_id))
    return replace(ranking, portfolio=replace(portfolio, risks=tuple(risks)))


def _worst(
    facts: FactStore,
    table: CustomerTable,
    badness: NDArray[np.float64],
    at: datetime,
    policy: Policy,
    customer_ids: Sequence[str] | None,
) -> tuple[Portfolio, int]:
    """Assess those who look worst among the customers that are still there; and how many were looked at."""
    gone = gone_by(facts.outcome_table(), at)
    wanted = None if customer_ids is None else frozenset(customer_ids)
    rows = [row for row, one in enumerate(table.ids) if wanted is None or one in wanted]
    here = np.array([row for row in rows if table.ids[row] not in gone], dtype=np.int64)
    order = here[np.argsort(-badness[here], kind="stable")][: policy.churn.screened_to]
    worst = [table.ids[row] for row in order]
    portfolio = assess_customers(facts, at, customer_ids=worst, policy=policy)
    left = tuple(sorted(gone if wanted is None else gone & wanted))
    items = int(table.items[np.array(rows, dtype=np.int64)].sum())
    return replace(portfolio, left=left, items=items), len(here)


def _verdicts(
    learnt: LearntChurn, table: CustomerTable, x: NDArray[np.float64], portfolio: Portfolio
) -> dict[str, Verdict]:
    fitted = learnt.in_use
    if fitted is None:
        return {}
    assessed = {risk.customer_id for risk in portfolio.risks}
    rows = np.array([row for row, one in enumerate(table.ids) if one in assessed], dtype=np.int64)
    probability, parts = fitted.model.probability(x[rows]), fitted.model.contributions(x[rows])
    return {
        table.ids[row]: Verdict(
            round(float(probability[at]), 4),
            dict(zip(fitted.model.names, np.round(parts[at], 3).tolist(), strict=True)),
        )
        for at, row in enumerate(rows)
    }
