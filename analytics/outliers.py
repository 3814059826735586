"""Values far from the rest of their group."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median, quantiles
from typing import Final

# Iglewicz and Hoaglin, How to Detect and Handle Outliers (1993), propose 3.5; money and durations have long
# tails, so a value must also lie beyond Tukey's outer fences (Exploratory Data Analysis, 1977).
FAR_Z: Final = 3.5
FAR_FENCE: Final = 3.0
LEAST_VALUES: Final = 20
_NORMAL: Final = 0.6745


@dataclass(frozen=True)
class Outliers:
    """Indices of the values that are far out, and the range that is not."""

    indices: tuple[int, ...]
    low: float
    high: float
    middle: float


def find_outliers(values: Sequence[float]) -> Outliers | None:
    """Return the far values of a group; None where fewer than 20 values, or no spread, forbid a judgement.

    Far: a robust z of more than 3.5 (0.6745 x distance from the median / median absolute deviation) and more
    than 3 interquartile ranges beyond a quartile. Where half of the values are equal both are zero and
    nothing can be said.
    """
    if len(values) < LEAST_VALUES:
        return None
    middle = median(values)
    deviation = median(abs(value - middle) for value in values)
    lower, _, upper = quantiles(values, n=4, method="inclusive")
    spread = upper - lower
    if deviation == 0 or spread == 0:
        return None
    reach = FAR_Z * deviation / _NORMAL
    low = min(lower - FAR_FENCE * spread, middle - reach)
    high = max(upper + FAR_FENCE * spread, middle + reach)
    far = tuple(index for index, value in enumerate(values) if not low <= value <= high)
    return Outliers(far, low, high, middle)
