"""Groups that send more items and got worse: a local problem shows in how many speak up as well."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from analytics.cells import Pair, within
from analytics.condition_search import Candidate, ConditionSearch
from analytics.distributions import normal_two_sided
from analytics.effects import Effect
from analytics.symptoms import grew

# A narrower group must keep this part of what the wider one adds.
_KEPT = 0.8


class Surge(NamedTuple):
    """A group by what it adds to the overall change, growth included, and its effect growth aside."""

    added: Candidate
    rate: Effect


def strongest_surge(search: ConditionSearch, candidates: Sequence[Candidate], sign: int) -> Surge | None:
    """Return the grown group that adds most evidently, among those that moved in direction `sign`."""
    contrast = search.contrast
    surges = []
    for found in candidates:
        if found.effect.value * sign <= 0 or not grew(found.pair, contrast.total):
            continue
        effect = contrast.presence(found.pair)
        if effect is not None:
            score = effect.evidence - search.price(found.conditions)
            added = Candidate(found.conditions, found.pair, effect, score, found.new, added=True)
            surges.append(Surge(added, found.effect))
    return max(surges, key=lambda surge: surge.added.score, default=None)


def narrowed(search: ConditionSearch, candidates: Sequence[Candidate], wide: Candidate) -> Candidate:
    """Add conditions as long as the items they leave out did not grow.

    The growth inside must exceed that of the items left out by more than the added condition makes grow
    elsewhere, beyond chance corrected for the number of conditions that could be added; and what is kept
    must add most of what the wider group did, no less evidently, and have got worse itself.
    """
    children = [
        found
        for found in candidates
        if len(found.conditions) == len(wide.conditions) + 1 and within(found.conditions, wide.conditions)
    ]
    whole = search.contrast.presence(wide.pair)
    best: tuple[float, Candidate] | None = None
    for child in children:
        left_out = wide.pair.minus(child.pair)
        if not left_out.after.n or grew(left_out, search.contrast.total):
            continue
        growth = _excess_growth(search, child, wide, left_out)
        if growth <= 0 or normal_two_sided(growth) * len(children) >= search.limits.alpha:
            continue
        part = search.contrast.presence(child.pair)
        if whole is None or part is None or part.evidence < whole.evidence:
            continue
        if part.contribution / whole.contribution < _KEPT or not _got_worse_too(child, wide):
            continue
        if best is None or growth > best[0]:
            score = part.evidence - search.price(child.conditions)
            added = Candidate(child.conditions, child.pair, part, score, child.new, added=True)
            best = growth, added if wide.added else child
    return narrowed(search, candidates, best[1]) if best else wide


def _got_worse_too(child: Candidate, wide: Candidate) -> bool:
    """Whether the narrower group's own level moved the same way (p < 0.05), not just its size."""
    return child.effect.p_value < 0.05 and child.effect.value * wide.effect.value > 0


def _excess_growth(search: ConditionSearch, child: Candidate, wide: Candidate, left_out: Pair) -> float:
    """z of the log growth ratio of child to left out, less the same ratio outside the wider group."""
    added = tuple(condition for condition in child.conditions if condition not in wide.conditions)
    outside = search.contrast.total.minus(wide.pair)
    elsewhere = search.cells.rows(added).minus(child.pair)
    inner, inner_variance = _log_growth(child.pair, left_out)
    outer, outer_variance = _log_growth(elsewhere, outside.minus(elsewhere))
    return (inner - outer) / math.sqrt(inner_variance + outer_variance)


def _log_growth(first: Pair, second: Pair) -> tuple[float, float]:
    counts = [n + 0.5 for n in (first.after.n, first.before.n, second.after.n, second.before.n)]
    logs = [math.log(count) for count in counts]
    return (logs[0] - logs[1]) - (logs[2] - logs[3]), math.fsum(1 / count for count in counts)
