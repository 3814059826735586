"""What became of alerts, as results show it."""

from collections import defaultdict
from typing import Any, Final

from analytics.estimates import Difference, Estimate
from analytics.order_statistics import Quantile
from retention.message_sender import ACTOR as SENDER
from retention.outcomes import Course, HoldoutOutcome, TierOutcome, holdout_outcome, tier_outcomes
from retention.pool_scan import ACTOR as CARE
from retention.task_tending import ACTOR as ROUTING
from store.facts import Aggregate
from store.messages import Message
from store.records import TaskStatus
from tools.context import ToolContext
from tools.measures import pooled, rounded
from tools.periods import ResolvedPeriod

# The names under which the product itself changes tasks.
_AUTOMATIC: Final = frozenset({SENDER, CARE, ROUTING, "scan", "voiceloop"})


def outcome_figures(span: ResolvedPeriod, context: ToolContext) -> dict[str, Any]:
    """By tier: answered, first response and resolution in hours, on time, saved; retention of all customers.

    `span` picks alerts by when they were raised; customers who left count until now. `holdout` tells the
    effect of automatic messages where customers are held out of them (`outcomes.holdout` of the policy).
    """
    courses = _courses(span, context)
    rules, now = context.policy.outcomes, context.clock.now()
    outcomes = context.facts.outcomes()
    rows = tier_outcomes(courses, outcomes, rules=rules, now=now, automatic=_AUTOMATIC)
    stayed = pooled(context.facts.aggregate(Aggregate("retention_rate")))
    held = holdout_outcome(courses, outcomes, rules=rules, now=now) if rules.holdout.share else None
    return {
        "saved_days": rules.saved_days,
        "alerts": len(courses),
        "tiers": [_row(one) for one in rows],
        "retention_rate": {"value": rounded(stayed.mean) if stayed.n else None, "n": stayed.n},
        "holdout": held and _holdout(held),
    }


def _courses(span: ResolvedPeriod, context: ToolContext) -> list[Course]:
    operations = context.operations
    alerts = [
        alert
        for alert in operations.alerts()
        if (span.start is None or alert.created_at >= span.start)
        and (span.end is None or alert.created_at < span.end)
    ]
    tasks = {task.alert_id: task.task_id for task in operations.tasks() if task.alert_id}
    wanted = [tasks[alert.alert_id] for alert in alerts if alert.alert_id in tasks]
    histories = operations.task_histories(wanted)
    written: dict[str, list[Message]] = defaultdict(list)
    for message in operations.messages():
        if message.alert_id is not None and message.approved_by is None:
            written[message.alert_id].append(message)
    return [
        Course(
            alert,
            tuple(histories.get(tasks.get(alert.alert_id, ""), ())),
            tuple(written.get(alert.alert_id, ())),
        )
        for alert in alerts
    ]


def _row(found: TierOutcome) -> dict[str, Any]:
    return {
        "tier": found.tier.value,
        "alerts": found.alerts,
        "answered": found.answered,
        "first_response_hours": {
            "median": _times(found.first_response),
            "p90": _times(found.first_response_p90),
        },
        "on_time": _share(found.on_time),
        TaskStatus.DONE.value: found.resolved,
        "resolution_hours": {"median": _times(found.resolution)},
        "saved": _share(found.saved),
    }


def _times(found: Quantile) -> dict[str, float | None]:
    return {name: rounded(value) for name, value in found._asdict().items()}


def _share(found: Estimate) -> dict[str, Any]:
    return {
        "value": rounded(found.value),
        "ci_low": rounded(found.ci_low),
        "ci_high": rounded(found.ci_high),
        "n": found.n,
    }


def _holdout(found: HoldoutOutcome) -> dict[str, Any]:
    effect: Difference = found.effect
    return {
        "treated": _share(found.treated),
        "held_out": _share(found.holdout),
        "effect": {
            "value": rounded(effect.value),
            "ci_low": rounded(effect.ci_low),
            "ci_high": rounded(effect.ci_high),
            "significant": effect.significant,
        },
        "evidence_grade": "quasi-experimental" if found.treated.n and found.holdout.n else "association",
    }
