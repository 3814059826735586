"""How likely an alert is right, by its situation: a partially pooled estimate from few verdicts.

log-odds(right) = general + cause + contexts + slope x (score + what its parts weigh too much or too little)

Every coefficient has a normal prior whose mean says that the policy is right: multipliers 1, no cause and no
context different from another, the slope that of `health.probability`. So each moves only as far as verdicts
that speak of it carry it (analytics/prior_logistic.py). Solved for the score, with odds asked for, it gives
the score from which a cause calls in its contexts: the same line read the other way round.

What is modelled is the chance of being right given the situation, and whether an alert was ever raised
depends on the situation alone. So that verdicts exist on alerts only does not bias it (selection on
regressors); of situations never raised nothing is learnt.
"""

import hashlib
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Final

import numpy as np

from analytics.prior_logistic import fit_prior_logistic
from retention.learnt_weights import always_calls, bounds_of
from retention.policy import Policy
from retention.policy_learnt import CallAt, Learnt
from retention.verdict_cases import VerdictCase

# The slope of the score never counts as less than this share of the stated one: multipliers divide by it.
_LEAST_SLOPE: Final = 0.25
_TELLING_TIMES: Final = 0.05
_TELLING_SHIFT: Final = 0.5
FOLDS: Final = 5


@dataclass(frozen=True)
class VerdictModel:
    """Posterior modes. `slope` is log-odds a point of the score, `middle` the score at which `general` holds.

    `times` are multipliers as estimated, before bounds; `causes` and `contexts` log-odds.
    """

    general: float
    slope: float
    middle: float
    times: Mapping[str, float]
    causes: Mapping[str, float]
    contexts: Mapping[str, float]

    def learnt(self, odds: float, cases: Sequence[VerdictCase], policy: Policy) -> Learnt:
        """The section of a policy that calls where alerts are right with at least these log-odds."""
        weights = {
            key: round(min(high, max(low, times)), 2)
            for key, times in self.times.items()
            for low, high in (bounds_of(key, policy),)
        }
        causes = {
            cause: round(self.middle + (odds - self.general - effect) / self.slope, 1)
            for cause, effect in self.causes.items()
            if not always_calls(cause, policy)
        }
        shifts = {context: round(-effect / self.slope, 1) for context, effect in self.contexts.items()}
        return Learnt(
            verdicts=len(cases),
            accurate=sum(case.right for case in cases),
            weights={key: times for key, times in weights.items() if abs(times - 1) >= _TELLING_TIMES},
            call_at=CallAt(
                causes=causes,
                contexts={one: shift for one, shift in shifts.items() if abs(shift) >= _TELLING_SHIFT},
            ),
        )


def fit_verdicts(cases: Sequence[VerdictCase], policy: Policy) -> VerdictModel:
    """Estimate from cases; a customer's count as one together.

    A verdict `half_life_days` older than the newest counts half: the same verdicts teach the same on any day.
    """
    rules, priors = policy.learning, policy.learning.priors
    stated = policy.health.probability.slope
    least = rules.minimum_of_cause
    parts = _often((key for case in cases for key in case.points), least)
    causes = _often((case.causes[0] for case in cases), least)
    contexts = _often((context for case in cases for context in case.contexts), least)
    scores = [case.base + sum(case.points.values()) for case in cases]
    middle = fmean(scores)
    columns = [
        np.ones(len(cases)),
        stated * (np.array(scores) - middle),
        *(stated * np.array([case.points.get(key, 0.0) for case in cases]) for key in parts),
        *(np.array([float(case.causes[0] == cause) for case in cases]) for cause in causes),
        *(np.array([float(context in case.contexts) for case in cases]) for context in contexts),
    ]
    general = math.log(priors.precision / (1 - priors.precision))
    mean = np.array([general, 1.0, *[0.0] * (len(columns) - 2)])
    spread = [priors.general, priors.score]
    spread += [priors.weights] * len(parts) + [priors.causes] * len(causes)
    spread += [priors.contexts] * len(contexts)
    right = np.array([case.right for case in cases])
    fitted = fit_prior_logistic(
        np.column_stack(columns), right, mean, np.array(spread), _weights(cases, policy)
    )
    found = [float(value) for value in fitted.mode]
    scale = max(_LEAST_SLOPE, found[1])
    first, second = 2 + len(parts), 2 + len(parts) + len(causes)
    return VerdictModel(
        general=found[0],
        slope=stated * scale,
        middle=middle,
        times={key: 1 + value / scale for key, value in zip(parts, found[2:first], strict=True)},
        causes=dict(zip(causes, found[first:second], strict=True)),
        contexts=dict(zip(contexts, found[second:], strict=True)),
    )


def fold_of(case: VerdictCase) -> int:
    """Which of the folds a case is in: all of a customer's in the same, the same in every run."""
    key = case.customer_id.encode("utf-8", "surrogatepass")
    return hashlib.blake2b(key, digest_size=8).digest()[0] % FOLDS


def _weights(cases: Sequence[VerdictCase], policy: Policy) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    of_customer = Counter(case.customer_id for case in cases)
    newest = max(case.at for case in cases)
    days = np.array([(newest - case.at).total_seconds() / 86400 for case in cases])
    alone = np.array([1 / of_customer[case.customer_id] for case in cases])
    return np.asarray(alone * 0.5 ** (days / policy.learning.half_life_days), dtype=np.float64)


def _often(names: Iterable[str], least: int) -> list[str]:
    return sorted(name for name, n in Counter(names).items() if n >= least)
