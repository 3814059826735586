"""A lesson from verdicts as results show it: figures with intervals, and each change as a sentence."""

from collections.abc import Callable, Mapping
from typing import Any

from analytics.estimates import Estimate
from retention.learning import HeldOut, SituationFigures
from retention.learnt_weights import asked_of, times_of
from retention.lessons import PolicyLesson
from retention.policy import Policy
from retention.policy_learnt import Learnt
from retention.wording import Language, is_named, name_of, sentence


def lesson_figures(found: PolicyLesson, language: Language) -> dict[str, Any]:
    """A lesson for people and programs: what it rests on and changes, how it did on what it never saw."""
    lesson, policy = found.lesson, found.policy
    return {
        "policy_version": policy.version,
        "verdicts": lesson.verdicts,
        "accurate": lesson.accurate,
        "customers": lesson.customers,
        "learnt": lesson.learnt is not None,
        "refused": lesson.refused,
        "says": _says(found, language),
        "asked": lesson.asked,
        "held_out": None if lesson.held_out is None else _held_out(lesson.held_out),
        "changes": [] if lesson.learnt is None else _changes(lesson.learnt, policy, language),
        "situations": [_situation(one, language) for one in lesson.situations],
    }


def part_name(key: str, language: Language) -> str:
    """A part of the score, a cause or a context in words."""
    group, _, name = key.partition("/")
    if group in ("signal", "behaviour"):
        return name_of("signals", name, language)
    return name_of("contexts" if is_named("contexts", key) else "parts", key, language)


def _says(found: PolicyLesson, language: Language) -> str:
    lesson, rules = found.lesson, found.policy.learning
    key = lesson.refused or ("known" if found.text is None else "learnt")
    return sentence(
        "lessons",
        key,
        language,
        n=lesson.verdicts,
        accurate=lesson.accurate,
        wrong=lesson.verdicts - lesson.accurate,
        least=rules.minimum_verdicts,
        each=rules.minimum_each,
        target=f"{rules.target_precision:.0%}",
        lost=f"{rules.most_lost:.0%}",
    )


def _held_out(found: HeldOut) -> dict[str, Any]:
    gap = found.gap
    return {
        "since": found.since.isoformat(),
        "precision_before": _figures(found.before),
        "precision_after": _figures(found.after),
        "accurate_lost": _figures(found.lost),
        "gap": {
            "value": gap.value,
            "ci_low": gap.ci_low,
            "ci_high": gap.ci_high,
            "significant": gap.significant,
        },
    }


def _figures(found: Estimate) -> dict[str, float | int | None]:
    def short(value: float | None) -> float | None:
        return None if value is None else round(value, 4)

    return {
        "n": found.n,
        "value": short(found.value),
        "ci_low": short(found.ci_low),
        "ci_high": short(found.ci_high),
    }


def _situation(found: SituationFigures, language: Language) -> dict[str, Any]:
    known = is_named("contexts", found.name)
    told = name_of("contexts" if known else "signals", found.name, language)
    return {
        "kind": "context" if known else "cause",
        "name": found.name,
        "told": told,
        **_figures(found.precision),
        "call_at": found.call_at,
    }


def _changes(learnt: Learnt, policy: Policy, language: Language) -> list[dict[str, Any]]:
    """What is other than in the live version, in numbers and in words: weights first, then thresholds."""
    changed = policy.model_copy(update={"learnt": learnt})
    weights = {
        key: (times_of(key, policy), times_of(key, changed))
        for key in sorted({*policy.learnt.weights, *learnt.weights})
    }
    causes = {
        cause: tuple(asked_of(cause, (), one.learnt.call_at, one) for one in (policy, changed))
        for cause in sorted({*policy.learnt.call_at.causes, *learnt.call_at.causes})
    }
    shifts = {
        context: tuple(one.call_at.contexts.get(context, 0.0) for one in (policy.learnt, learnt))
        for context in sorted({*policy.learnt.call_at.contexts, *learnt.call_at.contexts})
    }
    return [
        *_told("weight", weights, language, lambda key: part_name(key, language)),
        *_told("call_at", causes, language, lambda key: name_of("signals", key, language)),
        *_told("shift", shifts, language, lambda key: name_of("contexts", key, language)),
    ]


def _told(
    what: str, found: Mapping[str, tuple[float, ...]], language: Language, name: Callable[[str], str]
) -> list[dict[str, Any]]:
    return [
        {
            "what": what,
            "key": key,
            "before": before,
            "after": after,
            "says": sentence(
                "lesson_changes", what, language, name=name(key), before=f"{before:g}", after=f"{after:g}"
            ),
        }
        for key, (before, after) in found.items()
        if before != after
    ]
