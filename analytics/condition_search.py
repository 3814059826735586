"""Look for the conjunction of dimension values that departs most from the rest.

Level-wise search with pruning, as in subgroup discovery (S. Wrobel 1997; M. Atzmueller 2015): all single
values, then pairs and triples of the dimensions that look most promising. Candidates are ranked by log
likelihood ratio less a price for each condition (half its code length): a condition has to earn its length.
"""

import itertools
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from analytics.cells import CellTable, Conditions, Pair, conditions_of
from analytics.effects import Effect, Mode, change_effect, level_effect, presence_effect, volume_effect
from analytics.sums import EMPTY, Sums

# Below this p-value the items that a condition leaves out depart otherwise than those it keeps.
_SURELY_APART = 0.001


@dataclass(frozen=True)
class Limits:
    """Where the search stops.

    A condition needs `min_support` items after; a cause must survive Bonferroni at `alpha` over all cells
    examined (the single values may spend half of it, pairs and triples a quarter each), explain `min_share`
    of a significant overall change, and depart by `min_effect` standard deviations of x.
    """

    alpha: float = 0.01
    min_support: int = 12
    min_share: float = 0.1
    min_effect: float = 0.1
    max_length: int = 3
    max_dims: int = 10
    max_pairs: int = 30
    max_triples: int = 12
    max_causes: int = 5


@dataclass(frozen=True)
class Contrast:
    """The figure in question: how a group is held against the rest of `total`."""

    mode: Mode
    total: Pair
    variance: float
    span: float | None = None
    dispersion: float = 1.0

    def effect(self, inside: Pair, *, baseline: Sums | None = None, of: Pair | None = None) -> Effect | None:
        """Effect of a group against the rest of `of` (default: of everything)."""
        outside = (of or self.total).minus(inside)
        if min(inside.before.n, inside.after.n, outside.before.n, outside.after.n) < 0:
            # Items of several causes were taken out: what is left over is no group.
            return None
        if self.mode == "level":
            return level_effect(inside, outside, self.variance)
        if self.mode == "volume":
            return volume_effect(inside, outside, dispersion=self.dispersion)
        return change_effect(inside, outside, self.variance, baseline=baseline, dispersion=self.dispersion)

    def presence(self, inside: Pair, *, of: Pair | None = None) -> Effect | None:
        """What a symptom adds to the figure of `of` (default: of everything)."""
        outside = (of or self.total).minus(inside)
        if self.mode == "volume":
            return volume_effect(inside, outside, dispersion=self.dispersion)
        return presence_effect(
            inside,
            outside,
            self.variance,
            one_window=self.mode == "level",
            dispersion=self.dispersion,
        )

    def is_new(self, pair: Pair) -> bool:
        """Whether a group has (almost) no past: under a tenth of what its later size would imply."""
        if self.mode != "change":
            return False
        return pair.before.n * self.total.after.n <= 0.1 * pair.after.n * self.total.before.n


@dataclass(frozen=True)
class Candidate:
    """A condition with its items, its effect and its score.

    `new` where it had no past of its own; `added` where the effect is all that it adds, growth included.
    """

    conditions: Conditions
    pair: Pair
    effect: Effect
    score: float
    new: bool = False
    added: bool = False


class ConditionSearch:
    """One search over the given dimensions, which must have one value an item."""

    def __init__(self, cells: CellTable, dims: Sequence[str], contrast: Contrast, limits: Limits) -> None:
        self.cells = cells
        self.contrast = contrast
        self.limits = limits
        self.examined: Counter[int] = Counter()
        self.candidates: list[Candidate] = []
        self.dims = tuple(dict.fromkeys(dims))
        self._prices: Mapping[str, float] = {}
        self._nested: set[tuple[str, ...]] = set()

    def run(self) -> None:
        """Fill `candidates`, all directions, and count the cells `examined` by length of condition."""
        singles = [found for name in self.dims for found in self._scan((name,))]
        if self.contrast.mode != "level":
            self.contrast = replace(self.contrast, dispersion=dispersion(singles))
            singles = [found for name in self.dims for found in self._scan((name,))]
        self._prices = _prices(singles)
        singles = [replace(found, score=found.score - self.price(found.conditions)) for found in singles]
        self._keep(singles)
        promise = {dims[0]: worth for dims, worth in _promise(singles).items()}
        names = sorted(promise, key=lambda name: -promise[name])[: self.limits.max_dims]
        strength = {name: promise[name] for name in names}
        if self.limits.max_length >= 2:
            self._extend_to_pairs(strength)
        if self.limits.max_length >= 3:
            self._extend_to_triples(strength)

    def baseline(self, conditions: Conditions, pair: Pair) -> Sums | None:
        """Past that stands in for that of a new group: what carried another value where its value is new.

        A release is held against the releases before it, not against items that have no version at all. Else
        the closest wider group that has a past.
        """
        if not self.contrast.is_new(pair):
            return None
        replaced = self._replaced(conditions)
        if replaced.n >= self.limits.min_support:
            return replaced
        for length in range(len(conditions) - 1, 0, -1):
            wider = [
                rows
                for clause in itertools.combinations(conditions, length)
                if self.cells.known(name for name, _ in clause)
                and not self.contrast.is_new(rows := self.cells.rows(clause))
                and rows.before.n >= self.limits.min_support
            ]
            if wider:
                return min(wider, key=lambda rows: rows.before.n).before
        return self.contrast.total.before

    def _replaced(self, conditions: Conditions) -> Sums:
        """The earlier items with any value of the dimensions whose value is new, the rest being equal."""
        new = {
            clause[0]
            for clause in conditions
            if self.cells.known((clause[0],)) and self.contrast.is_new(self.cells.rows((clause,)))
        }
        if not new:
            return EMPTY
        wanted = dict(conditions)
        names = sorted(wanted)
        past = EMPTY
        for key, cell in self.cells.table(names).items():
            place = zip(names, key, strict=True)
            if all(value is not None and (name in new or value == wanted[name]) for name, value in place):
                past += cell.pair.before
        return past

    def measure(self, conditions: Conditions, pair: Pair, *, of: Pair | None = None) -> Candidate | None:
        """Score one condition on `pair` of its items (against the rest of `of`); None without support."""
        counts = self.contrast.mode == "volume"
        # A group that vanished matters to a volume only.
        if (max(pair.before.n, pair.after.n) if counts else pair.after.n) < self.limits.min_support:
            return None
        past = self.baseline(conditions, pair)
        effect = self.contrast.effect(pair, baseline=past, of=of)
        if effect is None:
            return None
        score = effect.evidence - self.price(conditions)
        return Candidate(conditions, pair, effect, score, new=past is not None)

    def price(self, conditions: Conditions) -> float:
        """What a condition has to earn: half of what the best of so many choices gains by chance."""
        return math.fsum(self._prices.get(name, 0.0) for name, _ in conditions)

    def _keep(self, found: Iterable[Candidate]) -> None:
        for candidate in found:
            self.candidates.append(candidate)
            self.examined[len(candidate.conditions)] += 1

    def _scan(self, dims: tuple[str, ...]) -> list[Candidate]:
        """Measure all cells of a combination, except those that are a shorter condition over again."""
        found, redundant = [], 0
        for key, cell in self.cells.table(dims).items():
            if max(cell.n0, cell.n1) < self.limits.min_support or not self._can_matter(cell.n1):
                continue
            conditions = conditions_of(dims, key)
            if conditions is None:
                continue
            candidate = self.measure(conditions, cell.pair)
            if candidate is None:
                continue
            if self._redundant(candidate):
                redundant += 1
            else:
                found.append(candidate)
        if redundant > len(found):
            self._nested.add(dims)
        return found

    def _redundant(self, candidate: Candidate) -> bool:
        """Whether dropping one condition leaves (nearly) the same items: a city names its region.

        Not where the few items left out surely depart otherwise: then the condition says something.
        """
        clause, n = candidate.conditions, candidate.pair.before.n + candidate.pair.after.n
        if len(clause) == 1:
            return False
        for wider in itertools.combinations(clause, len(clause) - 1):
            if self.cells.known(name for name, _ in wider):
                rows = self.cells.rows(wider)
                if n < 0.95 * (rows.before.n + rows.after.n):
                    continue
                apart = self.contrast.effect(candidate.pair, of=rows)
                if apart is None or apart.p_value >= _SURELY_APART:
                    return True
        return False

    def _can_matter(self, n: int) -> bool:
        """Prune by the most a group of this size could add, x being bounded, to a change this large."""
        total, span = self.contrast.total, self.contrast.span
        if span is None or self.contrast.mode != "change":
            return True
        change = abs(total.after.mean - total.before.mean)
        return n / total.after.n * 2 * span >= self.limits.min_share * change

    def _extend_to_pairs(self, strength: Mapping[str, float]) -> None:
        pairs = sorted(itertools.combinations(strength, 2), key=lambda dims: -sum(strength[d] for d in dims))
        useful = 0
        for dims in pairs:
            if useful == self.limits.max_pairs:
                break
            names = tuple(sorted(dims))
            self._keep(self._scan(names))
            useful += names not in self._nested

    def _extend_to_triples(self, strength: Mapping[str, float]) -> None:
        pairs = [found for found in self.candidates if len(found.conditions) == 2]
        worth: dict[tuple[str, ...], float] = {}
        for dims, promise in _promise(pairs).items():
            for name in strength:
                triple = tuple(sorted({*dims, name}))
                if len(triple) == 3 and self._nested.isdisjoint(itertools.combinations(triple, 2)):
                    worth[triple] = max(worth.get(triple, -math.inf), promise + strength[name])
        for dims in sorted(worth, key=lambda dims: -worth[dims])[: self.limits.max_triples]:
            self._keep(self._scan(dims))


def _prices(singles: Sequence[Candidate]) -> dict[str, float]:
    """Half the code length of one condition: ln(number of dimensions) + ln(number of its values)."""
    values = Counter(found.conditions[0][0] for found in singles)
    return {name: 0.5 * (math.log(len(values)) + math.log(count)) for name, count in values.items()}


def dispersion(candidates: Sequence[Candidate]) -> float:
    """By how much the effects of single values surely vary beyond sampling, 1 to 4.

    Lower quartile of t^2 over that of chi-square with one degree of freedom (0.1015): an empirical null
    (B. Efron, JASA 99, 2004) that holds even where up to three quarters of the cells carry a real effect.
    The quartile of m values has a relative standard error of 3.6 / sqrt(m); two of them are taken off, so
    that few cells do not cost the search its power by accident.
    """
    if len(candidates) < 12:
        return 1.0
    squares = sorted(found.effect.t**2 for found in candidates)
    ratio = squares[len(squares) // 4] / 0.1015
    return min(4.0, max(1.0, ratio / (1 + 7.2 / math.sqrt(len(squares)))))


def _promise(candidates: Sequence[Candidate]) -> dict[tuple[str, ...], float]:
    """Best evidence among the cells of each combination, less what the best of so many gains by chance."""
    best: dict[tuple[str, ...], float] = {}
    cells: Counter[tuple[str, ...]] = Counter()
    for found in candidates:
        dims = tuple(name for name, _ in found.conditions)
        cells[dims] += 1
        best[dims] = max(best.get(dims, 0.0), found.effect.evidence)
    return {dims: evidence - math.log(cells[dims]) for dims, evidence in best.items()}
