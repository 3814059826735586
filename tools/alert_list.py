"""Alerts as they stand: who, how grave, why, due when; and how often alerts have been right."""

from collections import Counter
from typing import Annotated, Any, Literal

from pydantic import Field

from retention.alert_words import alert_reasons
from retention.precision import Precision, precision
from retention.wording import name_of
from store.alerts import Alert
from store.records import Tier
from tools.alert_records import feedback_evidence
from tools.arguments import Arguments, Language
from tools.caveats import caveat
from tools.context import ToolContext
from tools.customer_conversations import shown
from tools.due import Due, due_when, is_due
from tools.results import PeriodResult, ToolResult

_EVIDENCE = 20
# Parts that add up and tell nothing of the customer.
_NO_REASON = frozenset({"base", "limit"})

Standing = Literal["open", "closed", "all"]


class AlertListArguments(Arguments):
    """Which alerts."""

    status: Annotated[Standing, Field(description="open (default), closed or all")] = "open"
    tiers: Annotated[
        list[Tier], Field(default_factory=list, description="only these tiers; empty: every tier")
    ]
    due: Annotated[
        Due | None, Field(description="overdue: deadline past; today: deadline before midnight, or past")
    ] = None
    customer_ids: Annotated[list[str], Field(description="only alerts on these customers")] = Field(
        default_factory=list
    )
    limit: Annotated[int, Field(ge=1, le=200)] = 20
    language: Annotated[Language, Field(description="language of caveats and words")] = "zh"


def list_alerts(args: AlertListArguments, context: ToolContext) -> ToolResult:
    """Alerts on customers about to leave, those due first: tier, likely cause, deadline, who must act.

    Use for "any red alerts", "which alerts are open or overdue", "how precise are the alerts". Counts are
    over all that fit, not only those listed. `verdicts` tells how many alerts judged were accurate, by tier
    and by cause, with intervals. churn_risk ranks every customer; this is what has been raised.
    """
    every = [
        alert
        for alert in context.operations.alerts()
        if not args.customer_ids or alert.customer_id in args.customer_ids
    ]
    now = context.clock.now()
    fits = [alert for alert in every if _fits(alert, args) and is_due(alert.due_at, args.due, now, context)]
    fits.sort(key=lambda alert: (alert.status != "open", alert.due_at, alert.alert_id))
    page = fits[: args.limit]
    standing = [alert for alert in every if alert.status == "open"]
    tasks = {task.alert_id: task for task in context.operations.tasks() if task.alert_id}
    rows = [
        {**alert_row(alert, args.language, context), "task": _task(tasks.get(alert.alert_id))}
        for alert in page
    ]
    return ToolResult(
        tool="list_alerts",
        args=args.model_dump(mode="json", exclude_none=True),
        period=PeriodResult(),
        filters={"customer_id": args.customer_ids} if args.customer_ids else {},
        n=len(fits),
        data={
            "alerts": rows,
            "by_tier": {tier.value: sum(alert.tier is tier for alert in fits) for tier in Tier},
            "by_status": dict(Counter(alert.status for alert in every)),
            "open": len(standing),
            "overdue": sum(alert.due_at < now for alert in standing),
            "all": len(every),
            "verdicts": _verdicts(context, args.language),
        },
        evidence=feedback_evidence(page, context)[:_EVIDENCE],
        caveats=[caveat("alerts_here", args.language)],
    )


def alert_row(alert: Alert, language: Language, context: ToolContext) -> dict[str, Any]:
    """One alert as results show it, in words of one language; times in the configured zone."""
    now, parts = context.clock.now(), alert_reasons(alert, language, context.zone)
    return {
        "alert_id": alert.alert_id,
        "customer_id": alert.customer_id,
        "tier": alert.tier.value,
        "status": alert.status,
        "score": alert.score,
        "summary": alert.summary[language],
        "causes": list(alert.causes),
        "reasons": [one["text"] for one in parts if one["points"] > 0 and one["signal"] not in _NO_REASON],
        "parts": parts,
        "evidence": list(alert.evidence),
        "owner_role": alert.owner_role,
        "owner": name_of("roles", alert.owner_role, language),
        "due_at": shown(alert.due_at, context.zone),
        "due": due_when(alert.due_at, now, context),
        "overdue": alert.status == "open" and alert.due_at < now,
        "created_at": shown(alert.created_at, context.zone),
        "raised_at": shown(alert.raised_at, context.zone),
        "closed_at": shown(alert.closed_at, context.zone),
        "closed_because": alert.closed_because,
        "verdict": alert.verdict,
    }


def _fits(alert: Alert, args: AlertListArguments) -> bool:
    return args.status in ("all", alert.status) and (not args.tiers or alert.tier in args.tiers)


def _task(task: Any) -> dict[str, Any] | None:
    return task and {"task_id": task.task_id, "status": task.status.value, "owner": task.owner}


def _verdicts(context: ToolContext, language: Language) -> dict[str, Any]:
    judged = precision(context.operations.verdicts())
    return {
        **_precise(judged.overall),
        "by_tier": [
            {"tier": tier.value, **_precise(judged.by_tier[tier.value])}
            for tier in Tier
            if tier.value in judged.by_tier
        ],
        "by_cause": [
            {"cause": cause, "name": name_of("signals", cause, language), **_precise(found)}
            for cause, found in sorted(judged.by_cause.items(), key=lambda one: (-one[1].n, one[0]))
        ],
    }


def _precise(found: Precision) -> dict[str, Any]:
    def rounded(value: float | None) -> float | None:
        return None if value is None else round(value, 4)

    return {
        "judged": found.n,
        "accurate": found.accurate,
        "false_alarms": found.n - found.accurate,
        "value": rounded(found.value),
        "ci_low": rounded(found.ci_low),
        "ci_high": rounded(found.ci_high),
    }
