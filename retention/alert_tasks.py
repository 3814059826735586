"""From an alert to the task in the right hands: one alert, one task, whatever is said later."""

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from retention.playbooks import playbook
from retention.policy import Policy
from retention.risk import gravity
from retention.tasks import UNDONE
from retention.wording import Language, name_of
from store.alerts import Alert
from store.records import Customer, Task, TaskStatus, Tier

_EVIDENCE = 10


def task_of(
    alert: Alert,
    tasks: Sequence[Task],
    customer: Customer | None,
    *,
    policy: Policy,
    language: Language,
    now: datetime,
    actor: str,
) -> Task | None:
    """The task of an alert as it should stand: a new one, or the one there is where the alert has moved on.

    A task that a person drew up for the same customer within the cooldown, and that has no alert yet,
    becomes the alert's. None where the alert's task has ended. A tier that needs no approval opens
    its task by itself.
    """
    standing = next((task for task in tasks if task.alert_id == alert.alert_id), None)
    adopted = standing or _without_alert(alert, tasks, policy, now)
    if adopted is not None:
        return _moved_on(alert, adopted, policy, language) if adopted.status in UNDONE else None
    rule = policy.tiers[alert.tier]
    named = None if rule.automatic or customer is None else customer.owner
    return Task(
        task_id=_task_id(alert.alert_id),
        alert_id=alert.alert_id,
        customer_id=alert.customer_id,
        tier=alert.tier,
        status=TaskStatus.OPEN if rule.automatic else TaskStatus.PENDING_APPROVAL,
        owner=named or _role(alert.tier, policy, language),
        due_at=alert.due_at,
        summary=alert.summary[language],
        advice=advice_of(alert, policy, language),
        evidence=alert.evidence[:_EVIDENCE],
        created_at=now,
        created_by=actor,
        placed_at=now if rule.automatic else None,
    )


def advice_of(alert: Alert, policy: Policy, language: Language) -> str:
    """What to say and do, by the playbook of the alert's tier."""
    cause = name_of("signals", alert.causes[0], language)
    return playbook(policy.tiers[alert.tier].playbook).advice(language, cause=cause)


def _moved_on(alert: Alert, task: Task, policy: Policy, language: Language) -> Task:
    """A higher tier brings a nearer deadline and its own owner, unless a person has chosen one.

    A task that opened by itself awaits approval from the first tier on that needs it. What a person has
    written of it stays.
    """
    now_is: dict[str, Any] = {"alert_id": alert.alert_id}
    if gravity(alert.tier) > gravity(task.tier):
        now_is |= {"tier": alert.tier, "due_at": min(task.due_at or alert.due_at, alert.due_at)}
        now_is["escalated_to"] = ()  # the steps of the graver tier are taken anew
        if task.tier is not None and task.owner in _names(task.tier, policy):
            now_is |= {"owner": _role(alert.tier, policy, language), "placed_at": None}
        if task.approved_by is None and not policy.tiers[alert.tier].automatic:
            now_is["status"] = TaskStatus.PENDING_APPROVAL
    if task.alert_id is not None:
        now_is |= {
            "summary": alert.summary[language],
            "advice": advice_of(alert, policy, language),
            "evidence": alert.evidence[:_EVIDENCE],
        }
    return task.model_copy(update=now_is)


def _without_alert(alert: Alert, tasks: Sequence[Task], policy: Policy, now: datetime) -> Task | None:
    since = now - timedelta(days=policy.tiers[alert.tier].cooldown_days)
    return next(
        (t for t in tasks if t.alert_id is None and t.status in UNDONE and t.created_at > since), None
    )


def _role(tier: Tier, policy: Policy, language: Language) -> str:
    return name_of("roles", policy.tiers[tier].owner_role, language)


def _names(tier: Tier, policy: Policy) -> tuple[str, str]:
    role = policy.tiers[tier].owner_role
    return name_of("roles", role, "zh"), name_of("roles", role, "en")


def _task_id(alert_id: str) -> str:
    return "task-" + hashlib.blake2b(alert_id.encode(), digest_size=8).hexdigest()
