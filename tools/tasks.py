"""Retention tasks: proposed for customers at risk, opened only after approval."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

from pydantic import Field

from retention.approvals import approve_task, require_approver
from retention.portfolio import assess_customers, moment_of
from retention.risk import Risk
from retention.tasks import Draft, TaskRequest, draft_task, same_issue
from retention.wording import sentence
from store.facts import Find
from store.records import AuditEntry, Sentiment, Task, TaskStatus, Tier
from tools.arguments import Arguments, Language
from tools.context import ToolContext
from tools.refusals import Refusal
from tools.results import PeriodResult, ToolResult


class RetentionTaskArguments(Arguments):
    """For whom, and what a person has decided already."""

    customer_ids: Annotated[
        list[str], Field(min_length=1, max_length=100, description="customers that need a task each")
    ]
    tier: Annotated[Tier | None, Field(description="only to overrule the tier that the evidence gives")] = (
        None
    )
    reason: Annotated[str, Field(max_length=500, description="why, in words, beyond the evidence")] = ""
    owner: Annotated[str, Field(max_length=100, description="only to overrule the customer's own owner")] = ""
    language: Annotated[Language, Field(description="language of summary and advice")] = "zh"


def create_retention_task(args: RetentionTaskArguments, context: ToolContext) -> ToolResult:
    """Propose a retention task for each of these customers.

    Use it after churn_risk or customer_360. Each task gets a summary of the causes with evidence, the advice
    of its tier's playbook, an owner and a deadline by policy (red 2 hours, call-back 24 hours, orange 3
    working days). It awaits approval and nothing is done before. Asking again for the same issue changes
    nothing.
    """
    if context.approved:
        require_approver(context.asker.role, "create_retention_task")
    ids = list(dict.fromkeys(i.strip() for i in args.customer_ids if i.strip()))
    drafts, risks, without = _drafts(args, ids, context)
    if not drafts:
        raise Refusal("no_tier", customers=without)
    proposed = [_propose(draft, context) for draft in drafts]
    tasks = [task for task, _ in proposed]
    return ToolResult(
        tool="create_retention_task",
        args=args.model_dump(mode="json", exclude_none=True),
        period=PeriodResult(),
        filters={"customer_id": ids},
        n=len(tasks),
        data={
            "tasks": [
                _shown(task, new, risks.get(task.customer_id or ""), context) for task, new in proposed
            ],
            "created": sum(new for _, new in proposed),
            "awaiting_approval": sum(task.status is TaskStatus.PENDING_APPROVAL for task in tasks),
            "skipped": without,
        },
        evidence=_feedback_ids(tasks, context),
        caveats=_caveats(args.language, proposed, without),
    )


def _drafts(
    args: RetentionTaskArguments, ids: Sequence[str], context: ToolContext
) -> tuple[list[Draft], dict[str, Risk], list[str]]:
    """Drafts, the risks they rest on, and who gets none. Raises ToolInputError for unknown customers."""
    now, policy = context.clock.now(), context.policy
    at = moment_of(context.facts.catalogue().last_at, now)
    portfolio = assess_customers(context.facts, at, customer_ids=ids, policy=policy)
    risks = {risk.customer_id: risk for risk in portfolio.risks}
    customers = {customer.customer_id: customer for customer in context.facts.customers(ids)}
    unknown = [i for i in ids if i not in risks and i not in customers]
    if not ids:
        raise Refusal("no_customers")
    if unknown:
        raise Refusal("unknown_customers", customers=unknown)
    if args.tier and not args.reason and any(i not in risks or not risks[i].triggers for i in ids):
        raise Refusal("reason_needed")
    quotes = _quotes(risks, context)
    drafts, without = [], []
    for i in ids:
        draft = draft_task(
            TaskRequest(i, args.tier, args.reason.strip(), args.owner.strip(), args.language),
            risks.get(i),
            customers.get(i),
            policy=portfolio.policies.of(i),
            now=now,
            zone=context.zone,
            actor=context.asker.user,
            quote=quotes.get(i, ""),
        )
        if draft is None:
            without.append(i)
        else:
            drafts.append(draft)
    return drafts, risks, without


def _quotes(risks: dict[str, Risk], context: ToolContext) -> dict[str, str]:
    """The customer's own words by customer: the gravest evidence that is negative, masked."""
    wanted = {i: risk.customer_id for risk in risks.values() for i in risk.evidence}
    if not wanted:
        return {}
    found = context.facts.find(Find(feedback_ids=tuple(wanted), with_text=True, limit=len(wanted)))
    negative = {
        item.feedback.feedback_id: item.feedback.text
        for item in found
        if item.labels and (item.labels.sentiment is Sentiment.NEGATIVE or item.labels.risk_signals)
    }
    return {
        risk.customer_id: negative[first]
        for risk in risks.values()
        if (first := next((i for i in risk.evidence if i in negative), None))
    }


def _propose(draft: Draft, context: ToolContext) -> tuple[Task, bool]:
    """Store a draft unless its issue has a task already; open it where this call is approved."""
    operations, now = context.operations, context.clock.now()
    earlier = operations.tasks(customer_id=draft.task.customer_id)
    task = same_issue(draft, earlier, context.policy_of(draft.task.customer_id or ""), now)
    new = task is None
    if task is None:
        task = draft.task
        detail = {"customer_id": task.customer_id or "", "tier": task.tier or "", "issue": draft.issue}
        entry = AuditEntry(
            occurred_at=now,
            actor=context.asker.user,
            action="task.propose",
            subject=task.task_id,
            detail=detail,
        )
        task = operations.propose_task(task, entry)
    if context.approved and task.status is TaskStatus.PENDING_APPROVAL:
        task = approve_task(operations, task.task_id, actor=context.asker.user, role=context.asker.role)
    return task, new


def _shown(task: Task, new: bool, risk: Risk | None, context: ToolContext) -> dict[str, Any]:
    def local(at: datetime | None) -> str | None:
        return at.astimezone(context.zone).isoformat() if at else None

    return {
        **task.model_dump(mode="json"),
        "due_at": local(task.due_at),
        "created_at": local(task.created_at),
        "new": new,
        "health": risk.health.health if risk else None,
        "probability": risk.health.probability if risk else None,
    }


def _feedback_ids(tasks: Sequence[Task], context: ToolContext) -> list[str]:
    ids = list(dict.fromkeys(i for task in tasks for i in task.evidence))
    stored = context.facts.existing_ids(ids)
    return [i for i in ids if i in stored]


def _caveats(language: Language, proposed: Sequence[tuple[Task, bool]], without: Sequence[str]) -> list[str]:
    found = []
    if any(task.status is TaskStatus.PENDING_APPROVAL for task, _ in proposed):
        found.append(sentence("caveats", "awaits", language))
    existing = [task.customer_id or "" for task, new in proposed if not new]
    if existing:
        found.append(sentence("caveats", "exists", language, ids=", ".join(existing)))
    if without:
        found.append(sentence("caveats", "no_tier", language, ids=", ".join(without)))
    return found
