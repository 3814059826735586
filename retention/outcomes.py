"""What became of alerts, by tier: how soon somebody answered, how soon it was over, who stayed."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from analytics.estimates import Difference, Estimate, difference, proportion
from analytics.order_statistics import Quantile, quantile, quantile_ranks
from analytics.sums import Sums
from retention.holdout import in_holdout
from retention.policy_outcomes import OutcomeRules
from store.alerts import Alert
from store.messages import Message, MessageStatus
from store.records import Outcome, TaskStatus, Tier
from store.task_changes import TaskEvent

# What a person does about a task. That it was made, given out or woken is no answer yet.
_ANSWERS: Final = frozenset({"status", "comment", "due_at", "snoozed_until"})
_ENDED: Final = frozenset({TaskStatus.DONE.value})
_LEFT: Final = "churned"
_HOUR: Final = timedelta(hours=1)


@dataclass(frozen=True)
class Course:
    """One alert, the history of its task (oldest first), and its automatic messages."""

    alert: Alert
    events: tuple[TaskEvent, ...] = ()
    messages: tuple[Message, ...] = ()


@dataclass(frozen=True)
class TierOutcome:
    """What became of the alerts of one tier; times in hours from the alert, shares 0..1 with 95% intervals.

    `answered` alerts had a first answer, by a person or by the automatic message; `resolved` ones a task that
    was done. `on_time`: answered by the deadline, of those answered or overdue. `saved`: customers who had
    not left within `saved_days`, of the alerts that are that old (Wilson's intervals; distribution-free ones
    for the times).
    """

    tier: Tier
    alerts: int
    answered: int
    first_response: Quantile
    first_response_p90: Quantile
    on_time: Estimate
    resolved: int
    resolution: Quantile
    followed: int
    saved: Estimate


@dataclass(frozen=True)
class HoldoutOutcome:
    """Those of the automatic tiers who were written to against those held out: who was saved, and the effect.

    `effect` is saved among the written to less saved among the held out (Newcombe's interval). Drawn by
    chance, so it is the effect of the messages; without anybody held out there is none to tell.
    """

    treated: Estimate
    holdout: Estimate
    effect: Difference


def tier_outcomes(
    courses: Sequence[Course],
    outcomes: Iterable[Outcome],
    *,
    rules: OutcomeRules,
    now: datetime,
    automatic: Collection[str],
) -> list[TierOutcome]:
    """Count by tier, gravest last as in `Tier`; tiers without alerts are left out.

    `automatic` are the names under which the product itself changes tasks.
    """
    left = _left(outcomes)
    by_tier: dict[Tier, list[Course]] = {}
    for course in courses:
        by_tier.setdefault(course.alert.tier, []).append(course)
    return [_of_tier(tier, by_tier[tier], left, rules, now, automatic) for tier in Tier if tier in by_tier]


def holdout_outcome(
    courses: Sequence[Course], outcomes: Iterable[Outcome], *, rules: OutcomeRules, now: datetime
) -> HoldoutOutcome:
    """Compare the first alert of each customer who was written to, or held out."""
    left, firsts = _left(outcomes), dict[str, Course]()
    for course in sorted(courses, key=lambda one: one.alert.created_at):
        if course.alert.tier in rules.holdout.tiers and course.messages:
            firsts.setdefault(course.alert.customer_id, course)
    arms: dict[bool, list[bool]] = {True: [], False: []}
    for course in firsts.values():
        held = in_holdout(course.alert.customer_id, rules.holdout)
        sent = any(message.status is MessageStatus.SENT for message in course.messages)
        stayed = _stayed(course.alert, left, rules, now)
        if stayed is not None and (held or sent):
            arms[held].append(stayed)
    sums = {held: Sums(len(found), float(sum(found)), float(sum(found))) for held, found in arms.items()}
    return HoldoutOutcome(
        treated=proportion(sums[False].n, sums[False].total),
        holdout=proportion(sums[True].n, sums[True].total),
        effect=difference("proportion", sums[True], sums[False]),
    )


def _of_tier(
    tier: Tier,
    courses: Sequence[Course],
    left: Mapping[str, Sequence[datetime]],
    rules: OutcomeRules,
    now: datetime,
    automatic: Collection[str],
) -> TierOutcome:
    answers = [_answered_at(course, automatic) for course in courses]
    ends = [_done_at(course) for course in courses]
    waits = [_hours(course.alert, at) for course, at in zip(courses, answers, strict=True) if at]
    judged = [
        at is not None and at <= course.alert.due_at
        for course, at in zip(courses, answers, strict=True)
        if at is not None or course.alert.due_at < now
    ]
    stayed = [one for course in courses if (one := _stayed(course.alert, left, rules, now)) is not None]
    done = [_hours(course.alert, at) for course, at in zip(courses, ends, strict=True) if at]
    return TierOutcome(
        tier=tier,
        alerts=len(courses),
        answered=len(waits),
        first_response=_quantile(waits, 0.5),
        first_response_p90=_quantile(waits, 0.9),
        on_time=proportion(len(judged), sum(judged)),
        resolved=len(done),
        resolution=_quantile(done, 0.5),
        followed=len(stayed),
        saved=proportion(len(stayed), sum(stayed)),
    )


def _answered_at(course: Course, automatic: Collection[str]) -> datetime | None:
    """When somebody first did something about it, or the automatic message went out."""
    by_person = (e.at for e in course.events if e.field in _ANSWERS and e.actor not in automatic)
    written = (m.sent_at for m in course.messages if m.status is MessageStatus.SENT and m.sent_at)
    return min((*by_person, *written), default=None)


def _done_at(course: Course) -> datetime | None:
    ended = [e.at for e in course.events if e.field == "status" and e.after in _ENDED]
    return ended[-1] if ended else None


def _stayed(
    alert: Alert, left: Mapping[str, Sequence[datetime]], rules: OutcomeRules, now: datetime
) -> bool | None:
    """Whether the customer was still there `saved_days` later; None where that is not known yet."""
    until = alert.created_at + timedelta(days=rules.saved_days)
    if any(alert.created_at < at <= until for at in left.get(alert.customer_id, ())):
        return False
    return True if until <= now else None


def _left(outcomes: Iterable[Outcome]) -> Mapping[str, Sequence[datetime]]:
    found: dict[str, list[datetime]] = {}
    for one in outcomes:
        if one.outcome == _LEFT:
            found.setdefault(one.customer_id, []).append(one.occurred_at)
    return found


def _hours(alert: Alert, at: datetime) -> float:
    return max(0.0, (at - alert.created_at) / _HOUR)


def _quantile(hours: Sequence[float], share: float) -> Quantile:
    ordered = dict(enumerate(sorted(hours), start=1))
    return quantile(quantile_ranks(len(ordered), share), ordered)
