"""Which verified effects of a plan are worth money, and how many complaints a year they avoided."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from analytics.roi import Range
from store.plan_parts import Effect

_DAYS_OF_A_YEAR: Final = 365
# Figures whose unit has a price: items of feedback that were not written. NPS points have none.
_PRICED: Final = frozenset({"negative_share", "volume"})
# Why an effect is not counted. `within_another`: its items are among those of an effect that is.
Left = Literal["", "not_estimated", "not_significant", "association", "no_price", "within_another"]


@dataclass(frozen=True)
class CountedEffect:
    """One verified effect. `avoided` is the number of complaints a year, with the effect's 95% interval.

    Below zero there were more of them: what got worse counts too. None where it is not counted (`left` why).
    """

    effect: Effect
    avoided: Range | None
    left: Left


def counted_effects(effects: Sequence[Effect]) -> list[CountedEffect]:
    """Count those that are proven: their interval excludes 0, by a design beyond a plain before and after.

    Figures of one plan overlap (a topic's complaints are among all), so one of them counts: the plan's own
    where that has a price, else the first that has.
    """
    found: list[CountedEffect] = []
    taken = False
    for effect in sorted(effects, key=lambda one: (not one.main, one.effect_id)):
        left = _left(effect)
        if not left and taken:
            left = "within_another"
        taken = taken or not left
        found.append(CountedEffect(effect, None if left else _avoided(effect), left))
    return found


def _left(effect: Effect) -> Left:
    if effect.effect is None or effect.ci_low is None or effect.ci_high is None:
        return "not_estimated"
    if effect.ci_low <= 0 <= effect.ci_high:
        return "not_significant"
    if effect.evidence_grade == "association":
        return "association"
    return "" if effect.metric in _PRICED else "no_price"


def _avoided(effect: Effect) -> Range:
    """Complaints a year at the volume of the plan's window: a share times items, or items a day."""
    assert effect.effect is not None and effect.ci_low is not None and effect.ci_high is not None
    days = (effect.ends_on - effect.starts_on).days + 1
    a_day = 1.0 if effect.metric == "volume" else effect.n_after / days
    fewer = Range(-effect.effect, -effect.ci_high, -effect.ci_low)
    return fewer.times(a_day * _DAYS_OF_A_YEAR)
