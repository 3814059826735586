"""How well a score ranks: the area under the ROC curve, its interval, and the difference of two.

DeLong, DeLong and Clarke-Pearson, Biometrics 44 (1988), with midranks after Sun and Xu, IEEE Signal
Processing Letters 21 (2014).
"""

import math

import numpy as np
from numpy.typing import NDArray

from analytics.distributions import normal_quantile
from analytics.estimates import Difference, Estimate

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


def auc(truth: Bools, score: Floats) -> Estimate:
    """Chance that one of `truth` scores above one who is not (ties half), with its 95% interval; shapes (n,).

    The interval is taken on the log-odds of the area, so that it stays within 0..1.
    """
    if not truth.any() or truth.all():
        return Estimate(None, None, None, len(truth), "both kinds are needed")
    yes, no = _placements(truth, score)
    value = float(yes.mean())
    deviation = math.sqrt(_variance(yes, no))
    if not 0 < value < 1:
        return Estimate(value, value, value, len(truth))
    reach = normal_quantile(0.975) * deviation / (value * (1 - value))
    middle = math.log(value / (1 - value))
    low, high = (1 / (1 + math.exp(-middle - side * reach)) for side in (-1, 1))
    return Estimate(value, low, high, len(truth))


def auc_difference(truth: Bools, first: Floats, second: Floats) -> Difference:
    """Area of `second` minus that of `first` over the same rows, with its 95% interval; shapes (n,)."""
    if not truth.any() or truth.all():
        return Difference(None, None, None, significant=False, reason="both kinds are needed")
    (yes_a, no_a), (yes_b, no_b) = _placements(truth, first), _placements(truth, second)
    value = float(yes_b.mean() - yes_a.mean())
    reach = normal_quantile(0.975) * math.sqrt(_variance(yes_b - yes_a, no_b - no_a))
    return Difference(value, value - reach, value + reach, significant=abs(value) > reach)


def _placements(truth: Bools, score: Floats) -> tuple[Floats, Floats]:
    """For each row of one kind, the share of the other kind that it is ranked rightly against."""
    from scipy.stats import rankdata

    yes, no = score[truth], score[~truth]
    together = rankdata(np.concatenate([yes, no]))
    above = (together[: len(yes)] - rankdata(yes)) / len(no)
    below = 1 - (together[len(yes) :] - rankdata(no)) / len(yes)
    return above, below


def _variance(yes: Floats, no: Floats) -> float:
    return sum(float(side.var(ddof=1)) / len(side) if len(side) > 1 else 0.0 for side in (yes, no))
