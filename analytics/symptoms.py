"""What was said: values of symptom dimensions, over all items and inside one group."""

import math
from collections.abc import Sequence

from analytics.cells import NOTHING, CellTable, Conditions, Pair
from analytics.condition_search import Candidate, Contrast, Limits
from analytics.distributions import normal_two_sided
from analytics.effects import Effect

# Symptoms of a cause that was found already need not pass for all cells examined, only for this level.
_ALPHA_INSIDE = 0.01


def scan_symptoms(
    cells: CellTable, dims: Sequence[str], contrast: Contrast, limits: Limits
) -> tuple[list[Candidate], int]:
    """Measure what each symptom value adds to the overall figure; also return how many were tested."""
    found = []
    for name in dims:
        for key, pair in cells.table((name,)).items():
            value = key[0]
            if value is None or max(pair.after.n, pair.before.n) < limits.min_support:
                continue
            effect = contrast.presence(pair)
            if effect is not None:
                found.append(Candidate(((name, value),), pair, effect, effect.evidence))
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

    The contribution is what the symptom adds to the group's change (or level) beyond what it adds to the
    rest's, in units of x of the group; largest first, only those beyond chance (p < 0.01).
    """
    names = {name for name, _ in group.conditions}
    rest = contrast.total.minus(group.pair)
    found: list[tuple[Conditions, Pair, float]] = []
    for dimension in dims:
        if dimension in names:
            continue
        everywhere = cells.table((dimension,))
        for value, pair in _split(cells, group.conditions, dimension):
            if pair.after.n < min(min_support, 5):
                continue
            effects = _contrast(contrast, pair, group, everywhere.get((value,), NOTHING).minus(pair), rest)
            if effects is None:
                continue
            gap = effects[0].value - effects[1].value
            se = math.hypot(effects[0].se, effects[1].se)
            if gap * sign > 0 and normal_two_sided(gap / se) < _ALPHA_INSIDE:
                found.append((((dimension, value),), pair, gap))
    return sorted(found, key=lambda one: -abs(one[2]))[:limit]


def _split(cells: CellTable, conditions: Conditions, dimension: str) -> list[tuple[str, Pair]]:
    names = sorted({dimension, *(name for name, _ in conditions)})
    wanted = dict(conditions)
    found = []
    for key, pair in cells.table(names).items():
        place = dict(zip(names, key, strict=True))
        value = place.pop(dimension)
        if value is not None and place == wanted:
            found.append((value, pair))
    return found


def _contrast(
    contrast: Contrast, pair: Pair, group: Candidate, elsewhere: Pair, rest: Pair
) -> tuple[Effect, Effect] | None:
    if group.new:
        # A group without a past is held against the rest as it is now.
        past = Pair(before=NOTHING.before, after=pair.after), Pair(NOTHING.before, elsewhere.after)
        inside = contrast.presence(past[0], of=Pair(NOTHING.before, group.pair.after), one_window=True)
        outside = contrast.presence(past[1], of=Pair(NOTHING.before, rest.after), one_window=True)
    else:
        inside = contrast.presence(pair, of=group.pair)
        outside = contrast.presence(elsewhere, of=rest)
    return (inside, outside) if inside is not None and outside is not None else None
