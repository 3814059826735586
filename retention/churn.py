"""The churn model of a store: learnt from outcomes where there are enough, kept until the next write."""

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from analytics.churn_model import LEAST_CUTOFFS, ChurnRows, FittedChurn, Floats, fit_churn, held_out_rows
from analytics.estimates import Difference, Estimate
from analytics.ranking import auc, auc_difference
from retention.behaviour import load_behaviour
from retention.churn_features import aligned, features, features_question
from retention.policy import Policy
from retention.portfolio import assess_customers
from retention.risk import gravity
from store.customer_features import OutcomeTable
from store.facts import FactStore

Refusal = Literal["no_outcomes", "short_history", "few_outcomes", "rules_are_better", "no_better_than_chance"]
# Customers learnt from where there are more, and how many who left the draw should hold.
_CUSTOMERS = 20_000
_LEAVERS = 1500
# Held-out rows of each kind that the rules are tried on: they look at every item of a customer.
_TRIED = 400
_KEPT = 4


@dataclass(frozen=True)
class RulesBeside:
    """The rules on the same held-out rows: their AUC, the model's, and model minus rules (DeLong)."""

    rules: Estimate
    model: Estimate
    difference: Difference


@dataclass(frozen=True)
class LearntChurn:
    """A model in use, or why there is none. `known_until` is the last outcome looked at."""

    fitted: FittedChurn | None
    refusal: Refusal | None
    names: tuple[str, ...] = ()
    horizon_days: int = 0
    cutoffs: tuple[datetime, ...] = ()
    share: float = 1.0
    beside: RulesBeside | None = None
    known_until: datetime | None = None
    learnt_at: datetime | None = None

    @property
    def in_use(self) -> FittedChurn | None:
        """The model where it may be used."""
        return None if self.refusal else self.fitted


class ChurnModels:
    """The models of one process, learnt when first asked for and again after a write. Safe under threads."""

    def __init__(self) -> None:
        self._kept: OrderedDict[object, LearntChurn] = OrderedDict()
        self._lock = threading.Lock()

    def learnt(self, facts: FactStore, at: datetime, *, now: datetime, policy: Policy) -> LearntChurn:
        """The model as it could be learnt at `at`: nothing later is looked at. `now` is noted down."""
        outcomes = facts.outcome_table()
        before = outcomes.at <= at.timestamp()
        if not before.any():
            return LearntChurn(None, "no_outcomes")
        until = datetime.fromtimestamp(float(outcomes.at[before].max()), UTC)
        # An id may be that of a store that is gone: with the scope it is at least of the same rows.
        key = (id(facts), facts.scope, str(facts.version()), until, policy.model_dump_json())
        with self._lock:
            if key not in self._kept:
                self._kept[key] = replace(learn_churn(facts, outcomes, until, policy), learnt_at=now)
                while len(self._kept) > _KEPT:
                    self._kept.popitem(last=False)
            self._kept.move_to_end(key)
            return self._kept[key]


def learn_churn(facts: FactStore, outcomes: OutcomeTable, until: datetime, policy: Policy) -> LearntChurn:
    """Learn with the longest horizon of the policy that leaves enough cutoffs and enough who left.

    A cutoff's horizon ends by `until`, the last outcome known: whoever might still leave within it is not
    counted as having stayed.
    """
    first_at = facts.catalogue().first_at
    refused = LearntChurn(None, "short_history", known_until=until)
    for days in policy.churn.horizon_days:
        cutoffs = () if first_at is None else _cutoffs(first_at, until, days, policy)
        if first_at is None or len(cutoffs) < LEAST_CUTOFFS:
            continue
        refused = LearntChurn(None, "few_outcomes", horizon_days=days, known_until=until)
        if not _may_be_enough(outcomes, cutoffs, days, policy):
            continue
        share = _share(facts.catalogue().customers, outcomes, cutoffs, days)
        rows, ids = _rows(facts, outcomes, cutoffs, days, share, policy)
        if not _enough(rows, policy):
            continue
        fitted = fit_churn(rows)
        beside = _beside(facts, rows, ids, fitted, cutoffs[-1], policy)
        judged, gain = fitted.judged, beside.difference.value
        refusal: Refusal | None = None
        if gain is None or gain <= 0:
            refusal = "rules_are_better"
        elif (judged.auc.ci_low or 0.0) <= 0.5 or judged.brier >= judged.brier_same:
            refusal = "no_better_than_chance"
        return LearntChurn(fitted, refusal, rows.names, days, cutoffs, share, beside, until)
    return refused


def gone_by(outcomes: OutcomeTable, at: datetime) -> frozenset[str]:
    """Who has left by `at`: the last outcome known by then is that of leaving."""
    last = {}
    for one, when, churned in zip(outcomes.ids, outcomes.at.tolist(), outcomes.churned.tolist(), strict=True):
        if when <= at.timestamp():
            last[one] = churned
    return frozenset(one for one, churned in last.items() if churned)


def _cutoffs(first_at: datetime, until: datetime, days: int, policy: Policy) -> tuple[datetime, ...]:
    """Moments a horizon apart, the newest a horizon before `until`, oldest first."""
    earliest = first_at + timedelta(days=2 * policy.churn.recent_days)
    found: list[datetime] = []
    cutoff = until - timedelta(days=days)
    while cutoff >= earliest and len(found) < policy.churn.most_cutoffs:
        found.append(cutoff)
        cutoff -= timedelta(days=days)
    return tuple(reversed(found))


def _share(customers: int, outcomes: OutcomeTable, cutoffs: Sequence[datetime], days: int) -> float:
    """How large a share of the customers to learn from: enough of them, and enough who left."""
    inside = outcomes.churned & (outcomes.at >= cutoffs[0].timestamp())
    leavers = int(inside.sum())
    wanted = max(_CUSTOMERS / max(1, customers), _LEAVERS / max(1, leavers))
    return min(1.0, wanted)


def _rows(
    facts: FactStore,
    outcomes: OutcomeTable,
    cutoffs: Sequence[datetime],
    days: int,
    share: float,
    policy: Policy,
) -> tuple[ChurnRows, list[str]]:
    """A row a customer and cutoff, of those known and not gone by then; and whose row each is."""
    first_at = facts.catalogue().first_at or cutoffs[0]
    behaviour = load_behaviour()
    parts: list[tuple[list[tuple[str, Floats]], NDArray[np.bool_], NDArray[np.bool_]]] = []
    ids: list[str] = []
    for cutoff in cutoffs:
        question = features_question(facts, cutoff, policy, behaviour, share=share)
        table = facts.customer_features(question)
        gone, leaving = gone_by(outcomes, cutoff), _leaving(outcomes, cutoff, days)
        staying = np.array([one not in gone for one in table.ids], dtype=np.bool_)
        left = np.array([one in leaving for one in table.ids], dtype=np.bool_)
        parts.append((features(table, cutoff, first_at, policy), staying, left))
        ids += [one for one, stays in zip(table.ids, staying, strict=True) if stays]
    names = tuple(dict.fromkeys(name for found, _, _ in parts for name, _ in found))
    x = [aligned(found, names, len(staying))[staying] for found, staying, _ in parts]
    cutoff_of = [np.full(len(part), at, dtype=np.int64) for at, part in enumerate(x)]
    left = np.concatenate([left[staying] for _, staying, left in parts])
    return ChurnRows(names, np.vstack(x), left, np.concatenate(cutoff_of)), ids


def _leaving(outcomes: OutcomeTable, cutoff: datetime, days: int) -> frozenset[str]:
    """Who left from the cutoff on and before the horizon's end."""
    start = cutoff.timestamp()
    inside = outcomes.churned & (outcomes.at >= start) & (outcomes.at < start + days * 86400)
    return frozenset(outcomes.ids[at] for at in np.flatnonzero(inside))


def _may_be_enough(outcomes: OutcomeTable, cutoffs: Sequence[datetime], days: int, policy: Policy) -> bool:
    """Whether enough left at all, before anything is read of them."""
    rule = policy.churn
    *earlier, choosing, judging = (len(_leaving(outcomes, cutoff, days)) for cutoff in cutoffs)
    return sum(earlier) >= rule.minimum_left and min(choosing, judging) >= rule.minimum_left_held_out


def _enough(rows: ChurnRows, policy: Policy) -> bool:
    """Whether enough customers left, and stayed, among those learnt from and in each part held out."""
    rule = policy.churn
    newest = int(rows.cutoff.max(initial=0))
    least = (
        (rows.cutoff < newest - 1, rule.minimum_left),
        *((rows.cutoff == at, rule.minimum_left_held_out) for at in (newest - 1, newest)),
    )
    return all(min(int(rows.left[part].sum()), int((~rows.left[part]).sum())) >= n for part, n in least)


def _beside(
    facts: FactStore,
    rows: ChurnRows,
    ids: Sequence[str],
    fitted: FittedChurn,
    cutoff: datetime,
    policy: Policy,
) -> RulesBeside:
    """The rules and the model on a draw of the held-out rows, as many of each kind at most.

    An AUC does not depend on how many of each kind there are.
    """
    held = held_out_rows(rows)
    left = rows.left[held]
    drawn = np.random.default_rng(0)
    kinds = [np.flatnonzero(left), np.flatnonzero(~left)]
    picked = np.concatenate([drawn.permutation(kind)[:_TRIED] for kind in kinds])
    asked = [ids[held[at]] for at in picked]
    just_before = cutoff - timedelta(microseconds=1)
    portfolio = assess_customers(facts, just_before, customer_ids=asked, policy=policy)
    risks = {risk.customer_id: risk for risk in portfolio.risks}
    # As the rules rank: by probability, then by the tier.
    ruled = np.array([risks[one].health.probability + 1e-6 * gravity(risks[one].tier) for one in asked])
    truth, given = left[picked], fitted.held_out[picked]
    return RulesBeside(auc(truth, ruled), auc(truth, given), auc_difference(truth, ruled, given))
