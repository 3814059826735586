"""Retention tasks: for whom, why, by when, by whom, and how; one task for one issue."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from retention.playbooks import playbook
from retention.policy import Policy
from retention.risk import Risk, reasons
from retention.wording import Language, name_of, sentence, shortened
from store.records import Customer, Task, TaskStatus, Tier

MANUAL = "manual"
UNDONE = frozenset({TaskStatus.PENDING_APPROVAL, TaskStatus.OPEN})
_REASONS = 3
_EVIDENCE = 10


@dataclass(frozen=True)
class TaskRequest:
    """What was asked for: `tier`, `reason` and `owner` where a person decides them, else the policy does."""

    customer_id: str
    tier: Tier | None = None
    reason: str = ""
    owner: str = ""
    language: Language = "zh"


@dataclass(frozen=True)
class Draft:
    """A task and the issue it is about (a key of `wording.yaml: signals`)."""

    task: Task
    issue: str


def draft_task(
    request: TaskRequest,
    risk: Risk | None,
    customer: Customer | None,
    *,
    policy: Policy,
    now: datetime,
    zone: ZoneInfo,
    actor: str,
    quote: str = "",
) -> Draft | None:
    """Draft a task that awaits approval; None where neither the evidence nor the request gives a tier.

    The issue is the gravest trigger of that tier, else the gravest of all, else a person's judgement.
    The owner is the one asked for, else the customer's own, else the role that the tier names.
    """
    tier = request.tier or (risk.tier if risk else None)
    if tier is None:
        return None
    rule = policy.tiers[tier]
    issue = _issue(risk, tier)
    cause = (
        request.reason if issue == MANUAL and request.reason else name_of("signals", issue, request.language)
    )
    owner = request.owner or (customer.owner if customer else None)
    task = Task(
        task_id=task_id(request.customer_id, issue, tier, now, rule.cooldown_days),
        customer_id=request.customer_id,
        tier=tier,
        status=TaskStatus.PENDING_APPROVAL,
        owner=owner or name_of("roles", rule.owner_role, request.language),
        due_at=policy.deadline(tier, now, zone),
        summary=_summary(request, risk, tier, zone, quote),
        advice=playbook(rule.playbook).advice(request.language, cause=cause),
        evidence=risk.evidence[:_EVIDENCE] if risk else (),
        created_at=now,
        created_by=actor,
        placed_at=now,
    )
    return Draft(task, issue)


def same_issue(draft: Draft, earlier: Iterable[Task], policy: Policy, now: datetime) -> Task | None:
    """Return an earlier task about the same issue that is still within its cooldown.

    What a customer has open by an alert is one issue, so its task is always the same one.

    Ids change with each cooldown window, so the id of the window before is compared as well: a task made
    just before a window's end still counts.
    """
    task, earlier = draft.task, list(earlier)
    assert task.tier is not None and task.customer_id is not None
    of_alert = next((each for each in earlier if each.alert_id and each.status in UNDONE), None)
    if of_alert is not None:
        return of_alert
    cooldown = policy.tiers[task.tier].cooldown_days
    since = now - timedelta(days=cooldown)
    before = task_id(task.customer_id, draft.issue, task.tier, since, cooldown)
    recent = {each.task_id: each for each in earlier if each.created_at > since}
    return recent.get(task.task_id) or recent.get(before)


def task_id(customer_id: str, issue: str, tier: Tier, at: datetime, cooldown_days: int) -> str:
    """Derive the id from customer, issue, tier and the cooldown window that `at` lies in."""
    window = int(at.timestamp()) // (cooldown_days * 86_400)
    key = "\x1f".join((customer_id, issue, tier.value, str(cooldown_days), str(window)))
    return "task-" + hashlib.blake2b(key.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def _issue(risk: Risk | None, tier: Tier) -> str:
    if risk is None or not risk.triggers:
        return MANUAL
    return next((t.cause for t in risk.triggers if t.tier is tier), risk.triggers[0].cause)


def _summary(request: TaskRequest, risk: Risk | None, tier: Tier, zone: ZoneInfo, quote: str) -> str:
    language = request.language
    stop, comma = ("。", "；") if language == "zh" else (". ", "; ")
    lost = [r for r in reasons(risk.health, language, zone) if r["points"] < 0] if risk else []
    causes = [f"{r['text']} ({r['date']}, {r['points']:+g})" for r in lost[:_REASONS] if r["part"] != "limit"]
    said = ([request.reason] if request.reason else []) + causes
    values = {
        "tier": name_of("tiers", tier.value, language),
        "customer_id": request.customer_id,
        "reasons": comma.join(said) or name_of("signals", _issue(risk, tier), language),
    }
    if risk is None:
        summary = sentence("task", "summary_bare", language, **values)
    else:
        summary = sentence(
            "task",
            "summary",
            language,
            health=f"{risk.health.health:g}",
            probability=f"{risk.health.probability:.0%}",
            **values,
        )
    if quote:
        summary += stop + sentence("task", "quote", language, text=shortened(quote))
    return summary
