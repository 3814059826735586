"""From scored conditions to causes: shortest first, one by one, each on the items the ones before leave."""

import itertools
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from analytics.adjustment import Adjusted, level_spread, stratified_effect
from analytics.cells import NOTHING, CellTable, Conditions, Pair, within
from analytics.condition_search import Candidate, ConditionSearch
from analytics.surges import narrowed, strongest_surge
from analytics.symptoms import grew

# What part of the error allowed the conditions of each length may spend: short ones deserve more.
_ALPHA_SPENT: Mapping[int, float] = {1: 0.5, 2: 0.25, 3: 0.25}
# How many of the best candidates are held against each cause found.
_POOL = 12
# Jaccard index from which a fallen candidate counts as another name for the cause.
_ALIAS_OVERLAP = 0.5
# How many other dimensions an effect is adjusted for, the ones whose mix could do most harm.
_STRATIFIERS = 3
# Part of all items that must lack a dimension for them to tell growth from replacement.
_LEAST_WITHOUT = 0.05


@dataclass(frozen=True)
class Chosen:
    """A cause: the candidate measured on its own items, whether it is a symptom or a surge, how adjusted."""

    candidate: Candidate
    symptom: bool
    adjusted: tuple[Adjusted, ...] = ()
    surge: bool = False


@dataclass(frozen=True)
class Alias:
    """A candidate that a cause (by number) explains away while naming mostly the same items."""

    candidate: Candidate
    of: int
    overlap: float


class Selector:
    """Chooses causes greedily.

    `sign` is the direction wanted (0: either); `change` the overall change in units of x where it is
    significant, else None; `examined` the number of cells tested, by length of condition.
    """

    def __init__(
        self,
        cells: CellTable,
        search: ConditionSearch,
        *,
        sign: int,
        change: float | None,
        examined: Counter[int],
    ) -> None:
        self.chosen: list[Chosen] = []
        self.aliases: list[Alias] = []
        self.refuted_by: str | None = None
        self.examined = examined
        self.cells = cells
        self.search = search
        self._sign = sign
        self._change = change

    def choose(self, candidates: Sequence[Candidate], *, symptom: bool, worse: bool = False) -> None:
        """Add causes from `candidates`. With `worse`, a symptom must not have become rarer."""
        limits = self.search.limits
        pool = [found for found in candidates if self._stands(found) and not (worse and self._rarer(found))]
        pool.sort(key=lambda found: -found.score)
        lasting = (found for found in pool if symptom or not self._replaces(found))
        pool = list(itertools.islice(lasting, 4 * _POOL))
        pool = self._after_removal(pool) if self.chosen else pool
        while pool and len(self.chosen) < limits.max_causes:
            best = pool.pop(0)
            if not symptom:
                best = self._concise(best, candidates)
                if self._replaces(best):
                    continue
            adjusted = () if symptom else self._adjust(best)
            if adjusted is None:
                continue
            self.chosen.append(Chosen(best, symptom, adjusted))
            pool = self._after_removal(pool)

    def choose_surge(self, candidates: Sequence[Candidate]) -> None:
        """Prefer one group that sends more items and got worse, where the causes so far explain under half.

        People report what hurts them, so a local problem shows in how many items come from there as much as
        in how bad they are. The group is found by what it adds in both ways; that its own items got worse as
        well (p < 0.05, tested on that one group) tells it from a mere shift of the mix.
        """
        if self.search.contrast.mode != "change" or self._change is None or self._explained() >= 0.5:
            return
        found = strongest_surge(self.search, candidates, 1 if self._change > 0 else -1)
        if found is None or not self._stands(found.added) or found.rate.p_value >= 0.05:
            return
        surge = narrowed(self.search, candidates, found.added)
        if any(chosen.candidate.conditions == surge.conditions for chosen in self.chosen):
            return
        self.chosen = [Chosen(surge, symptom=False, surge=True)]
        self.aliases = []
        self.choose(candidates, symptom=False)

    def _explained(self) -> float:
        """Share of a significant overall change that the causes so far add up to."""
        added = math.fsum(chosen.candidate.effect.contribution for chosen in self.chosen)
        return added / self._change if self._change else 0.0

    def _stands(self, found: Candidate) -> bool:
        """Whether a candidate is beyond chance for all cells examined, and large enough to matter."""
        limits, effect = self.search.limits, found.effect
        if effect.contribution * self._sign < 0:
            return False
        if self.corrected(found) > limits.alpha:
            return False
        contrast = self.search.contrast
        if contrast.mode != "volume" and abs(effect.value) < self._floor(found):
            return False
        if self._change is None or effect.contribution * self._change < 0:
            return self._change is None or self._sign != 0
        return effect.contribution / self._change >= limits.min_share

    def corrected(self, found: Candidate) -> float:
        """P-value by weighted Bonferroni over all cells examined (may exceed 1)."""
        length = len(found.conditions)
        return found.effect.p_value * self.tests(length)

    def tests(self, length: int) -> float:
        """By how much a p-value of a condition of this length is multiplied."""
        return self.examined[length] / _ALPHA_SPENT[length]

    def _floor(self, found: Candidate) -> float:
        """Smallest departure worth naming; a symptom adds to the whole, so its share of items scales it."""
        contrast = self.search.contrast
        floor = self.search.limits.min_effect * math.sqrt(contrast.variance)
        if not found.added:
            return floor
        return floor * min(1.0, found.pair.after.n / max(1, contrast.total.after.n))

    def _rarer(self, found: Candidate) -> bool:
        contrast = self.search.contrast
        return contrast.mode == "change" and not grew(found.pair, contrast.total)

    def _concise(self, found: Candidate, candidates: Sequence[Candidate]) -> Candidate:
        """Shortest condition; a longer one only where all growth lies inside it and nothing else departs."""
        taken = [chosen.candidate.conditions for chosen in self.chosen]
        shortest = self._shortest(found, taken)
        contrast = self.search.contrast
        whole = shortest.pair == self.cells.rows(shortest.conditions)
        if contrast.mode != "change" or shortest.new or not whole or not grew(shortest.pair, contrast.total):
            return shortest
        longer = narrowed(self.search, candidates, shortest)
        return longer if self._shortest(longer, taken) is longer else shortest

    def _shortest(self, found: Candidate, taken: Sequence[Conditions]) -> Candidate:
        """Drop a condition as long as what it leaves out departs as well, beyond chance (p < 0.01).

        As well: at least half as far, or adding at least as much to the overall figure. The items of causes
        that are `taken` already count for neither.
        """
        clause = found.conditions
        aside = [other for other in taken if not within(clause, other)]
        total = self.search.contrast.total.minus(self.cells.overlap((), aside))
        for wider in itertools.combinations(clause, len(clause) - 1) if len(clause) > 1 else ():
            if wider in taken:
                continue
            rows = self.cells.rows(wider).minus(self.cells.overlap(wider, aside))
            left_out = rows.minus(found.pair)
            rest = self.search.measure(wider, left_out, of=total.minus(found.pair))
            whole = self.search.measure(wider, rows, of=total)
            if rest is None or whole is None or rest.effect.p_value >= 0.01:
                continue
            farness = rest.effect.value / found.effect.value
            weight = rest.effect.contribution / found.effect.contribution
            if (farness >= 0.5 or weight >= 1) and self._stands(whole):
                return self._shortest(whole, taken)
        return found

    def _replaces(self, found: Candidate) -> bool:
        """Whether a group only took the place of others: a release grows as the ones before it shrink.

        Asked of volume, and of dimensions that part of the items do not carry: against those, all values of
        the dimension together must have grown too, beyond chance and by at least half as much.
        """
        contrast = self.search.contrast
        if contrast.mode != "volume":
            return False
        for name, _ in found.conditions:
            others = tuple(condition for condition in found.conditions if condition[0] != name)
            around = self.cells.rows(others)
            given = NOTHING
            for key, cell in self.cells.table((name, *(other for other, _ in others))).items():
                place = dict(zip(sorted((name, *(other for other, _ in others))), key, strict=True))
                if place[name] is not None and all(place[other] == value for other, value in others):
                    given = given.plus(cell.pair)
            without = around.minus(given)
            if min(without.before.n, without.after.n) < _LEAST_WITHOUT * contrast.total.after.n:
                continue
            together = contrast.effect(given)
            if together is None or together.p_value >= 0.05:
                self.refuted_by = self.refuted_by or name
                return True
            if together.contribution < 0.5 * found.effect.contribution:
                self.refuted_by = self.refuted_by or name
                return True
        return False

    def _adjust(self, found: Candidate) -> tuple[Adjusted, ...] | None:
        """Hold the effect constant for other dimensions; None where one of them explains it away."""
        contrast = self.search.contrast
        if contrast.mode == "volume":
            return ()
        named = {name for name, _ in found.conditions}
        others = sorted(
            (name for name in self.search.dims if name not in named),
            key=lambda name: -level_spread(self.cells, name),
        )
        adjusted = []
        for name in others[: 2 * _STRATIFIERS]:
            within_strata = stratified_effect(self.cells, contrast, found.conditions, name)
            if within_strata is None:
                continue
            if within_strata.refutes(found.effect):
                self.refuted_by = self.refuted_by or name
                return None
            adjusted.append(within_strata)
            if len(adjusted) == _STRATIFIERS:
                break
        return tuple(adjusted)

    def _after_removal(self, pool: Sequence[Candidate]) -> list[Candidate]:
        """Measure the candidates again without the items of the causes found; those that fall are aliases.

        A candidate inside a cause is held against the rest of that cause instead; one inside two causes is
        bad enough by both of them.
        """
        taken = [chosen.candidate.conditions for chosen in self.chosen]
        rest = self.search.contrast.total.minus(self.cells.overlap((), taken))
        left = []
        for found in [found for found in pool if found.conditions not in taken][:_POOL]:
            # From the table, not from `found`: an earlier round may have taken items out of it already.
            whole = self.cells.rows(found.conditions)
            around = [clause for clause in taken if within(found.conditions, clause)]
            if len(around) > 1:
                continue
            if around:
                again = self._measure(found, whole, self.cells.rows(around[0]))
            else:
                remaining = whole.minus(self.cells.overlap(found.conditions, taken))
                again = self._measure(found, remaining, rest)
            if again is not None and self._stands(again):
                left.append(again)
            elif not around:
                self._alias(found, whole, taken)
        return sorted(left, key=lambda found: -found.score)

    def _measure(self, found: Candidate, remaining: Pair, of: Pair) -> Candidate | None:
        """Measure on part of the items; the contribution is still to the figure of all."""
        contrast = self.search.contrast
        part = 1.0 if contrast.mode == "volume" else of.after.n / contrast.total.after.n
        if found.added:
            effect = contrast.presence(remaining, of=of)
            if effect is None:
                return None
            score = effect.evidence - self.search.price(found.conditions)
            again: Candidate | None = replace(found, pair=remaining, effect=effect, score=score)
        else:
            again = self.search.measure(found.conditions, remaining, of=of)
        if again is None:
            return None
        return replace(again, effect=replace(again.effect, contribution=part * again.effect.contribution))

    def _alias(self, found: Candidate, whole: Pair, taken: Sequence[Conditions]) -> None:
        """Note a fallen candidate under the cause it shares most of its items with, unless it contains it."""
        overlaps = []
        for number, clause in enumerate(taken):
            if within(clause, found.conditions):
                continue
            shared = self.cells.overlap(found.conditions, [clause]).after.n
            union = whole.after.n + self.cells.rows(clause).after.n - shared
            overlaps.append((shared / union if union else 0.0, number))
        if overlaps and max(overlaps)[0] >= _ALIAS_OVERLAP:
            overlap, number = max(overlaps)
            self.aliases.append(Alias(found, number, overlap))
