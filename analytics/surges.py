"""Groups that send more items and got worse: a local problem shows in how many speak up as well."""

from collections.abc import Sequence
from typing import NamedTuple

from analytics.cells import within
from analytics.condition_search import Candidate, ConditionSearch
from analytics.effects import Effect, volume_effect
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


def narrowed(search: ConditionSearch, candidates: Sequence[Candidate], surge: Candidate) -> Candidate:
    """Add conditions as long as the items left out did not grow.

    The growth inside must differ from that of the items left out beyond chance, corrected for the number of
    conditions that could be added, and what is kept must still add most of what the wider group did.
    """
    contrast, limits = search.contrast, search.limits
    children = [
        found
        for found in candidates
        if len(found.conditions) == len(surge.conditions) + 1 and within(found.conditions, surge.conditions)
    ]
    best: tuple[float, Candidate] | None = None
    for child in children:
        left_out = surge.pair.minus(child.pair)
        if grew(left_out, contrast.total):
            continue
        growth, effect = volume_effect(child.pair, left_out), contrast.presence(child.pair)
        if growth is None or effect is None or growth.t <= 0:
            continue
        if growth.p_value * len(children) >= limits.alpha:
            continue
        if effect.contribution / surge.effect.contribution >= _KEPT and (best is None or growth.t > best[0]):
            score = effect.evidence - search.price(child.conditions)
            best = growth.t, Candidate(child.conditions, child.pair, effect, score, child.new, added=True)
    return narrowed(search, candidates, best[1]) if best else surge
