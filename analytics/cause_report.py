"""Chosen causes put into the metric's unit, with shares, symptoms, rivals and the grade of the evidence."""

import math
from collections.abc import Callable, Mapping, Sequence

from analytics.adjustment import parallel_before
from analytics.cause_selection import Chosen, Selector
from analytics.causes import Cause, Grade, Rival, Symptom
from analytics.distributions import t_quantile
from analytics.estimates import Difference
from analytics.sums import Sums
from analytics.symptoms import inside_symptoms

# For a group given by its conditions: (group, everything) in successive windows before, oldest first.
History = Callable[[Mapping[str, str]], Sequence[tuple[Sums, Sums]]]


class CauseReport:
    """Turns what a selector chose into `Cause` and `Rival` records. `scale` takes x to the metric's unit."""

    def __init__(
        self,
        selector: Selector,
        symptoms: Sequence[str],
        *,
        change: Difference,
        scale: float,
        best: float | None,
        history: History | None,
    ) -> None:
        self._selector = selector
        self._symptoms = symptoms
        self._change = change
        self._scale = scale
        self._best = best
        self._history = history
        self._order = sorted(
            range(len(selector.chosen)),
            key=lambda number: -abs(selector.chosen[number].candidate.effect.contribution),
        )

    def causes(self) -> tuple[Cause, ...]:
        """Causes by the size of their contribution."""
        return tuple(self._cause(self._selector.chosen[number]) for number in self._order)

    def rivals(self) -> tuple[Rival, ...]:
        """Other names for the causes' items, by overlap; `of` indexes `causes()`."""
        rivals = [
            Rival(
                conditions=dict(alias.candidate.conditions),
                of=self._order.index(alias.of),
                overlap=alias.overlap,
                n_after=alias.candidate.pair.after.n,
                effect=self._scale * alias.candidate.effect.value,
            )
            for alias in self._selector.aliases
        ]
        return tuple(sorted(rivals, key=lambda rival: (rival.of, -rival.overlap)))

    def _cause(self, chosen: Chosen) -> Cause:
        candidate, scale = chosen.candidate, self._scale
        effect, pair = candidate.effect, candidate.pair
        margin = t_quantile(0.975, effect.df) * effect.se
        contribution = scale * effect.contribution
        return Cause(
            conditions=dict(candidate.conditions),
            symptom=chosen.symptom,
            surge=chosen.surge,
            n_before=pair.before.n,
            n_after=pair.after.n,
            before=_scaled(effect.before, scale),
            after=_scaled(effect.after, scale),
            rest_before=_scaled(effect.rest_before, scale),
            rest_after=_scaled(effect.rest_after, scale),
            effect=scale * effect.value,
            ci_low=scale * (effect.value - margin),
            ci_high=scale * (effect.value + margin),
            contribution=contribution,
            share=self._share(contribution),
            counterfactual=self._counterfactual(contribution),
            p_value=effect.p_value,
            surprise=self._surprise(chosen),
            score=abs(contribution),
            new=candidate.new,
            evidence_grade=self._grade(chosen),
            adjusted_for=tuple(a.dimension for a in chosen.adjusted if a.confirms(effect)),
            symptoms=self._symptoms_of(chosen),
        )

    def _share(self, contribution: float) -> float | None:
        contrast = self._selector.search.contrast
        if contrast.mode == "level":
            if self._best is None:
                return None
            lost = self._scale * (contrast.total.after.mean - self._best)
            return contribution / lost if lost else None
        if not self._change.significant or not self._change.value:
            return None
        return contribution / self._change.value

    def _counterfactual(self, contribution: float) -> float | None:
        return None if self._change.value is None else self._change.value - contribution

    def _surprise(self, chosen: Chosen) -> float:
        effect = chosen.candidate.effect
        tests = self._selector.tests(len(chosen.candidate.conditions))
        if effect.p_value > 1e-290:
            return max(0.0, -math.log10(min(1.0, effect.p_value * tests)))
        # The tail area underflows: the log likelihood ratio is its leading term.
        return effect.evidence / math.log(10) - math.log10(tests)

    def _grade(self, chosen: Chosen) -> Grade:
        effect = chosen.candidate.effect
        if not chosen.adjusted or not all(adjusted.confirms(effect) for adjusted in chosen.adjusted):
            return "association"
        mode = self._selector.search.contrast.mode
        if self._history is None or mode != "change" or chosen.candidate.new:
            return "adjusted"
        parallel = parallel_before(self._history(dict(chosen.candidate.conditions)))
        return "quasi-experimental" if parallel else "adjusted"

    def _symptoms_of(self, chosen: Chosen) -> tuple[Symptom, ...]:
        contrast = self._selector.search.contrast
        if chosen.symptom or contrast.mode == "volume":
            return ()
        sign = 1 if chosen.candidate.effect.value > 0 else -1
        found = inside_symptoms(
            self._selector.cells,
            self._symptoms,
            contrast,
            chosen.candidate,
            sign=sign,
            min_support=self._selector.search.limits.min_support,
        )
        return tuple(
            Symptom(
                dimension=conditions[0][0],
                value=conditions[0][1],
                n_before=pair.before.n,
                n_after=pair.after.n,
                contribution=self._scale * gap,
            )
            for conditions, pair, gap in found
        )


def _scaled(value: float | None, scale: float) -> float | None:
    return None if value is None else scale * value
