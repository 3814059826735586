"""What verified effects of the past let a plan expect of its measures; nothing where there are none."""

from collections.abc import Sequence
from typing import Literal

from analytics.estimates import Kind
from analytics.pooling import Pooled, pool
from retention.amounts import amount
from retention.measures import load_measures
from store.plan_parts import Effect, Expected, Judgement, Measure
from tools.arguments import Language
from tools.measures import DIGITS


def expectation(measure_id: str, judged: Judgement, past: Sequence[Effect]) -> Expected | None:
    """Pool the effects of the same measure on the same figure, else those of any measure on it.

    Every verified effect with an interval counts, whatever its verdict: to pool only the successes would
    promise too much. Only a topic's share of complaints is common to measures; another figure is moved by
    too many other things for a different measure to tell anything.
    """
    alike = [effect for effect in past if (effect.metric, effect.topic) == (judged.metric, judged.topic)]
    same = pool(_weighed([effect for effect in alike if measure_id in effect.measures]))
    if same is not None:
        return _expected(same, "measure")
    others = pool(_weighed(alike)) if judged.topic is not None else None
    return None if others is None else _expected(others, "topic")


def _weighed(effects: Sequence[Effect]) -> list[tuple[float, float, float]]:
    """The effects that have an interval to be weighed by."""
    return [
        (one.effect, one.ci_low, one.ci_high)
        for one in effects
        if one.effect is not None
        and one.ci_low is not None
        and one.ci_high is not None
        and one.ci_low < one.ci_high
    ]


def _expected(found: Pooled, basis: Literal["measure", "topic"]) -> Expected:
    value, low, high = (round(x, DIGITS) + 0.0 for x in (found.value, found.low, found.high))
    return Expected(value=value, low=low, high=high, n=found.n, basis=basis)


def told(effect: str, expected: Expected | None, kind: Kind, language: Language) -> str:
    """What a measure is expected to do, in words: with its range, or that the size is not known."""
    book = load_measures()
    if expected is None:
        return book.say("expected_unknown", language, effect=effect)
    shown = {name: amount(getattr(expected, name), kind, language) for name in ("value", "low", "high")}
    return book.say(f"expected_{expected.basis}", language, effect=effect, n=expected.n, **shown)


def expecting(
    measure: Measure, judged: Judgement, kind: Kind, past: Sequence[Effect], language: Language
) -> Measure:
    """The measure with how it is judged and what to expect of it."""
    expected = expectation(measure.id, judged, past)
    words = told(measure.expected_effect, expected, kind, language)
    return measure.model_copy(update={"judged_by": judged, "expected": expected, "expected_effect": words})
