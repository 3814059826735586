"""Verdicts to weights and thresholds: proven on verdicts that were not learnt from, or refused.

How sure of being right an alert must be is chosen on folds of the verdicts that are learnt from (customers
kept together): the least that reaches the precision aimed at, else the one that comes nearest without losing
more accurate alerts than the policy allows. What is judged is that whole procedure as it would have gone in
life: the newest verdicts, block by block, each by what the verdicts before teach, its customers left out
(A. P. Dawid's prequential principle, Journal of the Royal Statistical Society A 147, 1984). What is kept is
the same procedure over all verdicts.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Final, Literal

from analytics.estimates import Difference, Estimate, difference, proportion
from analytics.sums import Sums
from retention.policy import Policy
from retention.policy_learnt import Learnt
from retention.verdict_cases import VerdictCase, would_call
from retention.verdict_model import FOLDS, fit_verdicts, fold_of

Refusal = Literal["too_few", "one_sided", "reached", "nothing", "not_proven", "loses"]
# Chances of being right that may be asked for.
_ASKED: Final = tuple(step / 40 for step in range(2, 38))
# What is not called for must be right less often than what is, with this confidence, to both sides.
_CONFIDENCE: Final = 0.8
_BLOCKS: Final = 3


@dataclass(frozen=True)
class HeldOut:
    """Of verdicts that were not learnt from: precision (share accurate) before and after, and what it costs.

    `lost` is the share of the accurate ones no longer raised, slips of judgement taken out; `gap` the
    precision of those still raised less that of those no longer raised.
    """

    since: datetime
    before: Estimate
    after: Estimate
    lost: Estimate
    gap: Difference


@dataclass(frozen=True)
class SituationFigures:
    """What verdicts say of alerts of one cause, or in one context; `call_at` is its score or its shift."""

    name: str
    precision: Estimate
    call_at: float | None


@dataclass(frozen=True)
class Lesson:
    """What verdicts teach. `learnt` is None where it is refused, and `refused` says why.

    `asked` is the chance of being right from which an alert is raised. `situations` are by cause and context.
    """

    verdicts: int
    accurate: int
    customers: int
    learnt: Learnt | None
    refused: Refusal | None
    asked: float | None
    held_out: HeldOut | None
    situations: tuple[SituationFigures, ...]


def learn(cases: Sequence[VerdictCase], policy: Policy) -> Lesson:
    """Learn from all cases (oldest first), where verdicts that were not learnt from prove it to be better."""
    early = _too_early(cases, policy)
    if early is not None:
        return _lesson(cases, None, early, None, None)
    judged = _judged(_rehearsed(cases, policy), policy)
    learnt, asked = _learnt_from(cases, policy)
    return _lesson(cases, learnt, _refusal(cases, learnt, judged, policy), judged, asked)


def with_lesson(policy: Policy, learnt: Learnt) -> Policy:
    """The policy as it is with this section in place of its own."""
    return policy.model_copy(update={"learnt": learnt})


def _rehearsed(cases: Sequence[VerdictCase], policy: Policy) -> list[tuple[VerdictCase, bool]]:
    """The newest cases, and whether each would be raised by what those before its block teach."""
    start = len(cases) - round(policy.learning.held_out * len(cases))
    edges = [start + (len(cases) - start) * block // _BLOCKS for block in range(_BLOCKS + 1)]
    found: list[tuple[VerdictCase, bool]] = []
    for first, last in pairwise(edges):
        block = cases[first:last]
        own = {case.customer_id for case in block}
        earlier = [case for case in cases[:first] if case.customer_id not in own]
        learnt = None
        if block and len({case.right for case in earlier}) == 2:
            learnt, _ = _learnt_from(earlier, policy)
        changed = with_lesson(policy, learnt or Learnt())
        found += [(case, would_call(case, changed)) for case in block]
    return found


def _judged(decided: Sequence[tuple[VerdictCase, bool]], policy: Policy) -> HeldOut:
    called = [case for case, does in decided if does]
    left = [case for case, does in decided if not does]
    right = sum(case.right for case in called)
    every = right + sum(case.right for case in left)
    lost = truly_accurate(every - right, len(left), policy.learning.mistaken)
    return HeldOut(
        since=decided[0][0].at,
        before=proportion(len(decided), every),
        after=proportion(len(called), right),
        lost=proportion(every, min(lost, every)),
        gap=difference("proportion", _sums(left), _sums(called), confidence=_CONFIDENCE),
    )


def truly_accurate(said: int, n: int, mistaken: float) -> float:
    """How many of `n` alerts are right where `said` are said to be and a share of verdicts is mistaken.

    Rogan and Gladen's estimate (American Journal of Epidemiology 107, 1978), with sensitivity and specificity
    both 1 - mistaken; at least 0.
    """
    return min(float(n), max(0.0, (said - mistaken * n) / (1 - 2 * mistaken)))


def _sums(cases: Sequence[VerdictCase]) -> Sums:
    right = sum(case.right for case in cases)
    return Sums(len(cases), float(right), float(right))


def _too_early(cases: Sequence[VerdictCase], policy: Policy) -> Refusal | None:
    rules, right = policy.learning, sum(case.right for case in cases)
    if len(cases) < rules.minimum_verdicts:
        return "too_few"
    return "one_sided" if min(right, len(cases) - right) < rules.minimum_each else None


def _refusal(
    cases: Sequence[VerdictCase], learnt: Learnt | None, judged: HeldOut, policy: Policy
) -> Refusal | None:
    rules = policy.learning
    if learnt is None:
        precision = sum(case.right for case in cases) / len(cases)
        return "reached" if precision >= rules.target_precision else "nothing"
    if judged.gap.ci_low is None or judged.gap.ci_low <= 0:
        return "not_proven"
    return "loses" if judged.lost.ci_low is not None and judged.lost.ci_low > rules.most_lost else None


def _learnt_from(cases: Sequence[VerdictCase], policy: Policy) -> tuple[Learnt | None, float | None]:
    """The section and the chance of being right asked for; None where raising everything is as good."""
    asked = _chosen(cases, policy)
    if asked is None:
        return None, None
    return fit_verdicts(cases, policy).learnt(_odds(asked), cases, policy), asked


def _chosen(cases: Sequence[VerdictCase], policy: Policy) -> float | None:
    rules = policy.learning
    accurate = sum(case.right for case in cases)
    best, found = accurate / len(cases), None
    if best >= rules.target_precision:
        return None
    most = rules.most_lost * truly_accurate(accurate, len(cases), rules.mistaken)
    called = _called_by_folds(cases, policy)
    for asked in _ASKED:
        raised = [case for case, does in zip(cases, called[asked], strict=True) if does]
        right = sum(case.right for case in raised)
        lost = truly_accurate(accurate - right, len(cases) - len(raised), rules.mistaken)
        if not raised or lost > most:
            continue
        precision = right / len(raised)
        if precision > best + 1e-9:
            best, found = precision, asked
        if precision >= rules.target_precision:
            break
    return found


def _called_by_folds(cases: Sequence[VerdictCase], policy: Policy) -> Mapping[float, Sequence[bool]]:
    """By chance asked for: whether each case would be raised by what the other folds teach."""
    folds = [fold_of(case) for case in cases]
    called = {asked: [True] * len(cases) for asked in _ASKED}
    for fold in range(FOLDS):
        others = [case for case, own in zip(cases, folds, strict=True) if own != fold]
        if {case.right for case in others} != {True, False}:
            continue
        model = fit_verdicts(others, policy)
        for asked in _ASKED:
            changed = with_lesson(policy, model.learnt(_odds(asked), others, policy))
            for at, own in enumerate(folds):
                if own == fold:
                    called[asked][at] = would_call(cases[at], changed)
    return called


def _odds(chance: float) -> float:
    return math.log(chance / (1 - chance))


def _lesson(
    cases: Sequence[VerdictCase],
    learnt: Learnt | None,
    refused: Refusal | None,
    judged: HeldOut | None,
    asked: float | None,
) -> Lesson:
    at = learnt.call_at if learnt else None
    causes = dict.fromkeys(cause for case in cases for cause in case.causes)
    contexts = sorted({context for case in cases for context in case.contexts})
    situations = [
        SituationFigures(name, _precision([case for case in cases if name in case.causes]), asks)
        for name, asks in ((cause, at.causes.get(cause) if at else None) for cause in causes)
    ]
    situations += [
        SituationFigures(name, _precision([case for case in cases if name in case.contexts]), shift)
        for name, shift in ((one, at.contexts.get(one) if at else None) for one in contexts)
    ]
    return Lesson(
        verdicts=len(cases),
        accurate=sum(case.right for case in cases),
        customers=len({case.customer_id for case in cases}),
        learnt=None if refused else learnt,
        refused=refused,
        asked=asked,
        held_out=judged,
        situations=tuple(situations),
    )


def _precision(cases: Sequence[VerdictCase]) -> Estimate:
    return proportion(len(cases), sum(case.right for case in cases))
