"""What became of alerts: times, deadlines, who stayed, and what messages did against those held out."""

from datetime import UTC, datetime, timedelta

import pytest

from retention.holdout import in_holdout
from retention.outcomes import Course, holdout_outcome, tier_outcomes
from retention.policy_outcomes import HoldoutRule, OutcomeRules
from store.alerts import Alert
from store.messages import Message, MessageStatus
from store.records import Outcome, Tier
from store.task_changes import TaskEvent, TaskField

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
RULES = OutcomeRules(saved_days=30)
HOUR = timedelta(hours=1)


def alert(number: int, *, tier: Tier = Tier.RED, days_ago: float = 60) -> Alert:
    at = NOW - timedelta(days=days_ago)
    return Alert(
        alert_id=f"alert-{number}",
        customer_id=f"c{number}",
        tier=tier,
        score=60,
        parts=(),
        causes=("cancel",),
        summary={"zh": "", "en": ""},
        owner_role="service_director",
        due_at=at + 2 * HOUR,
        created_at=at,
        raised_at=at,
        updated_at=at,
        evidence_until=at,
        policy_version=1,
    )


def event(one: Alert, hours: float, field: TaskField, after: str, *, actor: str = "wang") -> TaskEvent:
    at = one.created_at + hours * HOUR
    return TaskEvent(number=1, task_id="t", at=at, actor=actor, field=field, after=after)


def message(one: Alert, status: MessageStatus) -> Message:
    sent = status is MessageStatus.SENT
    return Message(
        message_id=f"m-{one.alert_id}",
        customer_id=one.customer_id,
        alert_id=one.alert_id,
        tier=one.tier,
        playbook="apologise_and_guide",
        language="zh",
        text="您好",
        translation="Hello",
        status=status,
        created_at=one.created_at,
        created_by="scan",
        sent_at=one.created_at + HOUR if sent else None,
    )


def churned(one: Alert, days: float) -> Outcome:
    at = one.created_at + timedelta(days=days)
    return Outcome(customer_id=one.customer_id, occurred_at=at, outcome="churned")


def test_times_and_deadlines_count_what_people_did() -> None:
    quick, late, never, young = (alert(n, days_ago=1 if n == 4 else 60) for n in (1, 2, 3, 4))
    courses = [
        Course(
            quick,
            (
                event(quick, 0.1, "status", "open", actor="routing"),
                event(quick, 1, "status", "open"),
                event(quick, 9, "status", "done"),
            ),
        ),
        Course(late, (event(late, 5, "comment", "已回电"),)),
        Course(never, (event(never, 1, "owner", "李", actor="routing"),)),
        Course(young),
    ]
    (red,) = tier_outcomes(courses, (), rules=RULES, now=NOW, automatic={"routing"})
    assert (red.alerts, red.answered, red.resolved) == (4, 2, 1)
    assert red.first_response.value == pytest.approx(3.0)
    assert red.resolution.value == pytest.approx(9.0)
    # One of the four is in time: one was late, two are overdue without an answer.
    assert (red.on_time.n, red.on_time.value) == (4, 0.25)


def test_saved_is_known_once_the_days_are_over_or_the_customer_has_left() -> None:
    stayed, left, left_later, young, young_left = (
        alert(n, days_ago=5 if n > 3 else 60) for n in (1, 2, 3, 4, 5)
    )
    courses = [Course(one) for one in (stayed, left, left_later, young, young_left)]
    gone = [churned(left, 10), churned(left_later, 40), churned(young_left, 2)]
    (red,) = tier_outcomes(courses, gone, rules=RULES, now=NOW, automatic=())
    assert red.followed == 4
    assert red.saved.value == 0.5


def test_the_message_of_an_automatic_tier_is_its_answer() -> None:
    one = alert(1, tier=Tier.YELLOW)
    (yellow,) = tier_outcomes(
        [Course(one, messages=(message(one, MessageStatus.SENT),))], (), rules=RULES, now=NOW, automatic=()
    )
    assert yellow.first_response.value == pytest.approx(1.0)
    assert yellow.on_time.value == 1.0


def test_messages_are_judged_against_customers_held_out_by_chance() -> None:
    rules = OutcomeRules(saved_days=30, holdout=HoldoutRule(share=0.5))
    every = [alert(n, tier=Tier.YELLOW) for n in range(1, 401)]
    held = {one.customer_id for one in every if in_holdout(one.customer_id, rules.holdout)}
    assert 160 < len(held) < 240
    courses = [
        Course(
            one,
            messages=(
                message(one, MessageStatus.CANCELLED if one.customer_id in held else MessageStatus.SENT),
            ),
        )
        for one in every
    ]
    # One in four of those held out leaves, one in twenty of the others.
    gone = [
        churned(one, 10)
        for number, one in enumerate(every)
        if number % (4 if one.customer_id in held else 20) == 0
    ]
    found = holdout_outcome(courses, gone, rules=rules, now=NOW)
    assert found.effect.value is not None and found.effect.value > 0.1 and found.effect.significant
    assert found.treated.n + found.holdout.n == 400


def test_nobody_is_held_out_unless_the_policy_says_so() -> None:
    assert not any(in_holdout(f"c{n}", HoldoutRule()) for n in range(1000))
    rule = HoldoutRule(share=0.1)
    assert [in_holdout(f"c{n}", rule) for n in range(50)] == [in_holdout(f"c{n}", rule) for n in range(50)]
