"""What was said: values of symptom dimensions, over all items and inside one group."""

import math
from collections.abc import Sequence
from dataclasses import replace

from analytics.cells import CellTable, Conditions, Pair
from analytics.condition_search import Candidate, Contrast, Limits
from analytics.distributions import normal_two_sided
from analytics.sums import Sums

# Symptoms of a cause that was found already need not pass for all cells examined, only for this level.
_ALPHA_INSIDE = 0.01


def scan_symptoms(
    cells: CellTable, dims: Sequence[str], contrast: Contrast, limits: Limits
) -> tuple[list[Candidate], int]:
    """Measure what each symptom value adds to the overall figure; also return how many were tested."""
    found = []
    for name in dims:
        for key, cell in cells.table((name,)).items():
            value, pair = key[0], cell.pair
            if value is None or max(cell.n0, cell.n1) < limits.min_support:
                continue
            effect = contrast.presence(pair)
            if effect is not None:
                found.append(Candidate(((name, value),), pair, effect, effect.evidence, added=True))
    return found, len(found)


def grew(pair: Pair, of: Pair) -> bool:
    """Whether a symptom's share of items is larger after than before."""
    return pair.after.n * of.before.n > pair.before.n * of.after.n


def inside_symptoms(
    cells: CellTable,
    dims: Sequence[str],
    contrast: Contrast,
    group: Candidate,
    *,
    sign: int,
    min_support: int,
    limit: int = 3,
) -> list[tuple[Conditions, Pair, float]]:
    """Symptoms that set a group apart from the rest: (condition, items in the group, contribution to it).

    A symptom shifts the mean of a group by w (m - M), w its share of items, m its mean and M the level the
    group comes from; its contribution is the change of that shift beyond its change in the rest, in units
    of x. Largest first, only those beyond chance (p < 0.01).
    """
    names = {name for name, _ in group.conditions}
    # All of its items, those that other causes hit as well included: the symptoms are counted over these.
    group = replace(group, pair=cells.rows(group.conditions))
    rest = contrast.total.minus(group.pair)
    found: list[tuple[Conditions, Pair, float]] = []
    for dimension in dims:
        if dimension in names:
            continue
        for value, pair in _split(cells, group.conditions, dimension):
            if pair.after.n < min(min_support, 5):
                continue
            elsewhere = cells.rows(((dimension, value),)).minus(pair)
            gap, se = _gap(contrast, pair, group, elsewhere, rest)
            if gap * sign > 0 and normal_two_sided(gap / se) < _ALPHA_INSIDE:
                found.append((((dimension, value),), pair, gap))
    return sorted(found, key=lambda one: -abs(one[2]))[:limit]


def _split(cells: CellTable, conditions: Conditions, dimension: str) -> list[tuple[str, Pair]]:
    names = sorted({dimension, *(name for name, _ in conditions)})
    wanted = dict(conditions)
    found = []
    for key, cell in cells.table(names).items():
        place = dict(zip(names, key, strict=True))
        value = place.pop(dimension)
        if value is not None and place == wanted:
            found.append((value, cell.pair))
    return found


def _gap(
    contrast: Contrast, pair: Pair, group: Candidate, elsewhere: Pair, rest: Pair
) -> tuple[float, float]:
    """Change of the symptom's shift in the group less that in the rest, and its standard error."""
    # A group without a past is held against the rest as it is now.
    single = group.new or contrast.mode == "level"
    value = variance = 0.0
    for sign, symptom, items in ((1, pair, group.pair), (-1, elsewhere, rest)):
        level = (rest.after if single else items.before).mean
        shift = _shift(symptom.after, items.after, level, contrast.variance)
        past = (0.0, 0.0) if single else _shift(symptom.before, items.before, level, contrast.variance)
        value += sign * (shift[0] - past[0])
        variance += shift[1] + past[1]
    return value, math.sqrt(variance)


def _shift(symptom: Sums, items: Sums, level: float, variance: float) -> tuple[float, float]:
    """By how much a symptom shifts the mean of its group from `level`, and the variance of that."""
    if not symptom.n:
        return 0.0, variance / items.n**2
    share, distance = symptom.n / items.n, symptom.mean - level
    return share * distance, share**2 * variance / symptom.n + distance**2 * share * (1 - share) / items.n
