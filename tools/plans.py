"""Action plans: the root cause, then measures against it, ranked by figures; proposed, never carried out."""

from datetime import timedelta
from typing import Any

from retention.approvals import approve_plan, require_approver
from retention.measures import load_measures
from retention.plans import said_in, window
from store.records import ActionPlan, AuditEntry, TaskStatus
from tools.answers import answer
from tools.arguments import Language
from tools.context import ToolContext
from tools.plan_arguments import ActionPlanArguments
from tools.plan_draft import draft_plan
from tools.plan_reach import ranking_figures, reach_figures
from tools.refusals import Refusal
from tools.results import ToolResult
from tools.scope import beyond_scope


def create_action_plan(args: ActionPlanArguments, context: ToolContext) -> ToolResult:
    """Propose an action plan against the root cause of a change or a poor level of a metric.

    Use it for "what should we do about it". Finds the cause itself (as root_cause does), then gives measures
    ranked by reach x severity x trend / cost, each with owner department, metric, target, window, cost,
    expected effect (its range from verified effects of the past, else "not known") and first step, and a
    hypothesis, control group, risks and the evidence grade. The plan awaits approval. Where no cause
    stands out it says so and addresses what is complained of most.
    """
    if context.approved:
        require_approver(context.asker.role, "create_action_plan")
    draft = draft_plan(args, context, context.operations.effects())
    stored, new = _propose(draft.plan, context)
    shown = said_in(stored, args.language)
    cause, found = draft.cause, draft.found
    doubts = [*(["improved"] if draft.improved else []), *([] if cause else ["no_cause"])]
    risks = load_measures().risks
    return answer(
        "create_action_plan",
        args,
        draft.chosen,
        n=found.n,
        data={
            "plan": plan_figures(shown, context),
            "new": new,
            "hypothesis": shown.hypothesis,
            "cause": cause,
            "verdict": found.data["verdict"],
            "reason": found.data["reason"],
            "ranking": [ranking_figures(r) for r in draft.ranked],
            "topics": [reach_figures(r) for r in draft.topics],
            "overall": reach_figures(draft.overall),
        },
        evidence=stored.evidence,
        caveats=[*found.caveats, *(risks[key].of(args.language) for key in doubts)],
    )


def _propose(plan: ActionPlan, context: ToolContext) -> tuple[ActionPlan, bool]:
    """Store a plan unless it is there already; open it where this call is approved."""
    operations = context.operations
    new = all(each.plan_id != plan.plan_id for each in operations.plans())
    stored = operations.propose_plan(plan)
    if new:
        operations.audit(
            AuditEntry(
                occurred_at=plan.created_at,
                actor=context.asker.user,
                action="plan.propose",
                subject=plan.plan_id,
                detail={"problem": plan.problem, "evidence_grade": plan.evidence_grade},
            )
        )
    if context.approved and stored.status is TaskStatus.PENDING_APPROVAL:
        stored = approve_plan(operations, stored.plan_id, actor=context.asker.user, role=context.asker.role)
    return stored, new


def stored_plan(plan_id: str, context: ToolContext, language: Language) -> ActionPlan:
    """The plan of that id.

    Raises ToolInputError where there is none, and NotPermitted to a scoped asker who sees none.
    """
    for plan in context.operations.plans():
        if plan.plan_id == plan_id:
            return plan
    unknown = Refusal("unknown_plan", plan=plan_id)
    unknown.speak(language)
    raise beyond_scope(unknown, language, context) or unknown


def plan_figures(plan: ActionPlan, context: ToolContext, language: Language | None = None) -> dict[str, Any]:
    """A plan as results show it: times in the configured zone, its window, texts in the language asked."""
    told = plan if language is None else said_in(plan, language)
    first, after = window(told, context.zone)
    shown = told.model_dump(mode="json", exclude={"translation"})
    for name in ("created_at", "approved_at"):
        at = getattr(told, name)
        shown[name] = at.astimezone(context.zone).isoformat() if at else None
    return {
        **shown,
        "window": {
            "starts_on": first.isoformat(),
            "ends_on": (after - timedelta(days=1)).isoformat(),
            "days": told.window_days,
            "from_approval": told.approved_at is not None,
        },
    }
