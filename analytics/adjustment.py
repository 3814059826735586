"""Does an effect hold within the values of another dimension, and did the group move with the rest before?"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from analytics.cells import NOTHING, CellTable, Conditions, Pair
from analytics.condition_search import Contrast
from analytics.distributions import normal_two_sided
from analytics.effects import Effect
from analytics.sums import Sums

# A stratum with fewer items on any side says nothing.
_MIN_STRATUM = 5
# Strata that can be compared must hold this share of the group, else the dimension cannot adjust it.
_MIN_COVERAGE = 0.6


@dataclass(frozen=True)
class Adjusted:
    """The effect within strata, averaged over the group's own later mix; `t` its test."""

    dimension: str
    value: float
    se: float

    @property
    def t(self) -> float:
        """Effect over its standard error."""
        return self.value / self.se

    def confirms(self, crude: Effect) -> bool:
        """Whether at least half of the crude effect is left and it is still more than chance (p < 0.05)."""
        kept = self.value / crude.value if crude.value else 0.0
        return kept >= 0.5 and abs(self.t) > 1.96

    def refutes(self, crude: Effect) -> bool:
        """Whether the strata explain the effect away: under half is left, nothing but chance, and the loss
        itself is more than chance (so that mere lack of power refutes nothing)."""
        if abs(self.t) > 1.96 and self.value * crude.value > 0:
            return False
        return abs(crude.value - self.value) > 0.5 * abs(crude.value) and self.se < abs(crude.value) / 1.96


def stratified_effect(
    cells: CellTable, contrast: Contrast, conditions: Conditions, dimension: str
) -> Adjusted | None:
    """Direct standardisation of the effect over `dimension`, weights = the group's later items per stratum.

    Within each value of the dimension the group is held against the rest of that value (stratified
    difference in differences; Mantel and Haenszel's idea with the weights of the group itself). None where
    too few of the group's items lie in strata that can be compared.
    """
    strata = _strata(cells, conditions, dimension)
    size = sum(inside.after.n for inside, _ in strata)
    value = variance = 0.0
    covered = 0
    for inside, everything in strata:
        effect = _within(contrast, inside, everything)
        if effect is None:
            continue
        covered += inside.after.n
        value += inside.after.n * effect.value
        variance += (inside.after.n * effect.se) ** 2
    if not covered or covered < _MIN_COVERAGE * size or not variance:
        return None
    return Adjusted(dimension, value / covered, math.sqrt(variance) / covered)


def level_spread(cells: CellTable, dimension: str) -> float:
    """Variance of the level between the values of a dimension, over the items before and after.

    The dimension with the largest spread is the one whose mix can do most harm.
    """
    groups = [
        cell.pair.before + cell.pair.after
        for key, cell in cells.table((dimension,)).items()
        if key[0] is not None
    ]
    n = sum(group.n for group in groups)
    if n == 0:
        return 0.0
    mean = math.fsum(group.total for group in groups) / n
    between = math.fsum(group.n * (group.mean - mean) ** 2 for group in groups if group.n) / n
    noise = math.fsum(group.variance for group in groups if group.n > 1) / n
    return max(0.0, between - noise)


def parallel_before(history: Sequence[tuple[Sums, Sums]]) -> bool | None:
    """Whether group and rest moved in parallel before the event; None with fewer than three usable windows.

    `history` holds (group, everything) for successive windows before the event. The gaps between group and
    rest are tested for being all equal (chi-square, Cochran's Q) at 0.10, on the lenient side for a test
    whose rejection is the cautious answer.
    """
    gaps = []
    for inside, everything in history:
        outside = everything - inside
        if inside.n >= _MIN_STRATUM and outside.n >= _MIN_STRATUM:
            spread = everything.variance * (1 / inside.n + 1 / outside.n)
            if spread > 0:
                gaps.append((inside.mean - outside.mean, spread))
    if len(gaps) < 3:
        return None
    weight = math.fsum(1 / spread for _, spread in gaps)
    centre = math.fsum(gap / spread for gap, spread in gaps) / weight
    q = math.fsum((gap - centre) ** 2 / spread for gap, spread in gaps)
    return _chi_square_tail(q, len(gaps) - 1) >= 0.10


def _chi_square_tail(q: float, df: int) -> float:
    """Upper tail of chi-square by the cube-root normal approximation (Wilson and Hilferty 1931)."""
    z = ((q / df) ** (1 / 3) - (1 - 2 / (9 * df))) / math.sqrt(2 / (9 * df))
    tail = normal_two_sided(z) / 2
    return tail if z > 0 else 1 - tail


def _strata(cells: CellTable, conditions: Conditions, dimension: str) -> list[tuple[Pair, Pair]]:
    names = sorted({dimension, *(name for name, _ in conditions)})
    values = dict(conditions)
    everything = cells.table((dimension,))
    strata = []
    for key, inside in cells.table(names).items():
        place = dict(zip(names, key, strict=True))
        if all(place[name] == value for name, value in values.items()):
            whole = everything.get((place[dimension],))
            strata.append((inside.pair, whole.pair if whole else NOTHING))
    return strata


def _within(contrast: Contrast, inside: Pair, everything: Pair) -> Effect | None:
    outside = everything.minus(inside)
    sides = [inside.after.n, outside.after.n]
    if contrast.mode != "level":
        sides.append(outside.before.n)
    if min(sides) < _MIN_STRATUM:
        return None
    new = contrast.is_new(inside)
    if contrast.mode == "change" and not new and inside.before.n < _MIN_STRATUM:
        return None
    return contrast.effect(inside, baseline=everything.before if new else None, of=everything)
