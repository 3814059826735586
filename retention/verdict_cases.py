"""Verdicts as learning sees them: the situation an alert was judged in, and whether it was right."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from retention.alerts import BASE
from retention.contexts import addends, contexts_of
from retention.learnt_weights import TIMES, asked_of, times_of
from retention.policy import Policy
from store.alerts import Alert, Verdict
from store.records import Tier


@dataclass(frozen=True)
class VerdictCase:
    """One alert that was judged: what called for it, in which contexts, its points before anything learnt.

    `base` is where every customer's score starts; `points` are by part, above zero at risk.
    """

    alert_id: str
    customer_id: str
    at: datetime
    right: bool
    causes: tuple[str, ...]
    contexts: tuple[str, ...]
    points: Mapping[str, float]
    base: float


def verdict_cases(verdicts: Sequence[Verdict], alerts: Iterable[Alert]) -> list[VerdictCase]:
    """The latest verdict on each alert, oldest first; `verdicts` are oldest first too.

    Left out are verdicts that teach nothing of the policy: on alerts without a cause, and on those of which
    it is not known what their score was made of when they were judged.
    """
    latest = {verdict.alert_id: verdict for verdict in verdicts}
    found = [verdict_case(alert, latest[alert.alert_id]) for alert in alerts if alert.alert_id in latest]
    kept = [case for case in found if case.causes and case.points]
    return sorted(kept, key=lambda case: (case.at, case.alert_id))


def verdict_case(alert: Alert, verdict: Verdict) -> VerdictCase:
    """An alert as it stood when it was judged; what an earlier lesson did to its points is taken back."""
    found = addends(verdict.parts)
    return VerdictCase(
        alert_id=alert.alert_id,
        customer_id=alert.customer_id,
        at=verdict.at,
        right=verdict.verdict == "accurate",
        causes=verdict.causes,
        contexts=contexts_of(found),
        points={one.key: one.points / one.figures.get(TIMES, 1.0) for one in found},
        base=sum(part.points for part in verdict.parts if part.signal == BASE),
    )


def score_of(case: VerdictCase, policy: Policy) -> float:
    """The score, 0 to 100, that the policy with what it has learnt would give."""
    total = case.base + sum(points * times_of(key, policy) for key, points in case.points.items())
    return min(100.0, max(0.0, total))


def would_call(case: VerdictCase, policy: Policy) -> bool:
    """Whether the policy with what it has learnt would raise this alert, in whatever tier."""
    score = score_of(case, policy)
    return any(
        _is_red(cause, policy) or score >= asked_of(cause, case.contexts, policy.learnt.call_at, policy)
        for cause in case.causes
    )


def _is_red(cause: str, policy: Policy) -> bool:
    """Red is lowered, never dropped."""
    return cause in policy.signals and policy.signals[cause].tier is Tier.RED
