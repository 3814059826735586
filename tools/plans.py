"""Action plans: the root cause, then measures against it, ranked by figures; proposed, never carried out."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import Field

from retention.approvals import approve_plan, require_approver
from retention.measures import load_measures
from retention.plans import Problem, Ranked, build_plan, hypothesis, plan_id, rank_measures
from store.facts import Aggregate, Selection, Window
from store.records import ActionPlan, AuditEntry, TaskStatus
from tools.answers import answer, evidence_ids
from tools.arguments import Filters
from tools.causes import RootCauseArguments, root_cause
from tools.context import ToolContext
from tools.measures import Measure, figure, find_measure, pooled
from tools.periods import ResolvedPeriod, comparable
from tools.plan_reach import count_reach, ranking_figures, reach_figures
from tools.refusals import Refusal
from tools.results import ToolResult
from tools.selection import Chosen, choose, normalise

_EVIDENCE = 10


class ActionPlanArguments(RootCauseArguments):
    """What the plan is to solve; as in root_cause."""

    problem: Annotated[
        str, Field(max_length=300, description="the problem in words; default: the metric and the period")
    ] = ""
    conditions: Annotated[
        Filters,
        Field(description="conditions of one cause that root_cause found; default: the first cause found"),
    ] = Field(default_factory=dict)
    limit: Annotated[int, Field(ge=1, le=10, description="how many measures")] = 5


def create_action_plan(args: ActionPlanArguments, context: ToolContext) -> ToolResult:
    """Propose an action plan against the root cause of a change or a poor level of a metric.

    Use it for "what should we do about it". Finds the cause itself (as root_cause does), then gives measures
    ranked by reach x severity x trend / cost, each with owner department, metric, target, window, cost and
    first step, and a hypothesis, risks and the evidence grade. The plan awaits approval. Where no cause
    stands out it says so and addresses what is complained of most.
    """
    if context.approved:
        require_approver(context.asker.role, "create_action_plan")
    chosen = choose(args, context)
    measure = find_measure(args.metric, context, args.language)
    asked = {name: getattr(args, name) for name in RootCauseArguments.model_fields if name != "limit"}
    found = root_cause(RootCauseArguments.model_validate({**asked, "limit": 10}), context)
    if not found.n:
        raise Refusal("nothing_to_plan", hint=" ".join(found.caveats))
    cause = _cause(args, found, context)
    before = _before(args, chosen, found, context)
    narrowed = chosen.also(_as_filters(cause["conditions"])) if cause else chosen.selection
    overall, topics = count_reach(chosen, narrowed, before, cause, args.language, context)
    problem = _problem(args, measure, chosen, narrowed, before, cause, found, context)
    book = load_measures()
    dimensions = list(cause["conditions"]) if cause else []
    ranked = rank_measures(
        problem, topics, overall, dimensions, book, language=args.language, limit=args.limit
    )
    evidence = list(cause["evidence"]) if cause else []
    negative = Chosen(narrowed, chosen.period).also({"sentiment": ("negative",)})
    evidence += evidence_ids(negative, context, order="lowest_score", limit=_EVIDENCE)
    plan = build_plan(
        problem,
        ranked,
        book,
        plan_id=_id(args, measure, chosen, before, cause, ranked, context),
        evidence=list(dict.fromkeys(evidence))[:_EVIDENCE],
        language=args.language,
        now=context.clock.now(),
        actor=context.asker.user,
    )
    stored, new = _propose(plan, context)
    return answer(
        "create_action_plan",
        args,
        chosen,
        n=found.n,
        data={
            "plan": _shown(stored, context),
            "new": new,
            "hypothesis": hypothesis(problem, book, args.language),
            "cause": cause,
            "verdict": found.data["verdict"],
            "reason": found.data["reason"],
            "ranking": [ranking_figures(r) for r in ranked],
            "topics": [reach_figures(r) for r in topics],
            "overall": reach_figures(overall),
        },
        evidence=stored.evidence,
        caveats=[*found.caveats, *([] if cause else [book.risks["no_cause"].of(args.language)])],
    )


def _cause(args: ActionPlanArguments, found: ToolResult, context: ToolContext) -> dict[str, Any] | None:
    """The cause the plan is about: the one asked for, else the first found; None where none stands out.

    Conditions that the search did not find itself are taken as an association without figures.
    """
    causes: list[dict[str, Any]] = found.data["causes"]
    if not args.conditions:
        return causes[0] if causes else None
    _, wanted = normalise(args.conditions, context)
    for cause in causes:
        if cause["conditions"] == wanted:
            return cause
    label = ", ".join(f"{name}={value}" for name, value in wanted.items())
    return {
        "conditions": wanted,
        "label": label,
        "theme": None,
        "topic": None,
        "evidence_grade": "association",
        "evidence": [],
        "assumed": True,
    }


def _as_filters(conditions: Mapping[str, Any]) -> dict[str, tuple[str | None, ...]]:
    return {name: tuple(value) if isinstance(value, list) else (value,) for name, value in conditions.items()}


def _before(
    args: ActionPlanArguments, chosen: Chosen, found: ToolResult, context: ToolContext
) -> ResolvedPeriod | None:
    """The period that the root cause was compared with; None where a level was explained."""
    if found.data["mode"] != "change":
        return None
    return comparable(
        args.compare_to, chosen.period, now=context.clock.now(), zone=context.zone, language=args.language
    )


def _problem(
    args: ActionPlanArguments,
    measure: Measure,
    chosen: Chosen,
    narrowed: Selection,
    before: ResolvedPeriod | None,
    cause: Mapping[str, Any] | None,
    found: ToolResult,
    context: ToolContext,
) -> Problem:
    book = load_measures()
    now = _level(measure, narrowed, chosen.period.window, context)
    rest = cause.get("rest_after") if cause else None
    options = [
        ("target_before", _level(measure, narrowed, before.window, context) if before else None),
        ("target_rest", rest),
    ]
    better = [(basis, value) for basis, value in options if _better(measure, value, now)]
    basis, target = better[0] if better else (None, None)
    theme = cause["theme"] if cause else None
    label = cause["label"] if cause else book.say("cause_overall", args.language)
    return Problem(
        text=args.problem.strip() or f"{chosen.period.label} {measure.title}",
        cause=f"{label}（{theme}）"
        if theme and args.language == "zh"
        else f"{label} ({theme})"
        if theme
        else label,
        metric=measure.name,
        metric_title=measure.title,
        grade=cause["evidence_grade"] if cause else "association",
        found=cause is not None,
        n=found.n,
        now=_words(measure, now),
        target=_words(measure, target),
        basis=basis,
    )


def _level(measure: Measure, selection: Selection, window: Window, context: ToolContext) -> float | None:
    """The metric in a place and window; None for a volume, which is no level to aim at, or without items."""
    if measure.kind == "count":
        return None
    groups = context.facts.aggregate(Aggregate(measure.name, selection, (window,)))
    value = figure(measure, pooled(groups))["value"]
    return None if value is None else float(value)


def _better(measure: Measure, value: float | None, now: float | None) -> bool:
    """Whether a value is nearer to the metric's best; a metric whose best is not known has no better."""
    if value is None or now is None or measure.best is None:
        return False
    return value > now if measure.best > 0 else value < now


def _words(measure: Measure, value: float | None) -> str | None:
    if value is None:
        return None
    return f"{value:.1%}" if measure.kind == "proportion" else f"{value:.1f}"


def _id(
    args: ActionPlanArguments,
    measure: Measure,
    chosen: Chosen,
    before: ResolvedPeriod | None,
    cause: Mapping[str, Any] | None,
    ranked: Sequence[Ranked],
    context: ToolContext,
) -> str:
    """What the plan is about and what it says: new figures make a new plan, asking again does not."""
    conditions = [f"{name}={value}" for name, value in sorted(cause["conditions"].items())] if cause else []
    filters = [f"{name}={value}" for name, value in sorted(chosen.filters.items(), key=str)]
    spans = [str(chosen.period.window), str(before.window if before else None)]
    measures = [f"{r.template.id}:{r.score}" for r in ranked]
    scope = [f"scope={unit}" for unit in context.asker.scope]
    return plan_id(
        args.language, measure.name, *scope, *spans, *filters, "cause", *conditions, "measures", *measures
    )


def _propose(plan: ActionPlan, context: ToolContext) -> tuple[ActionPlan, bool]:
    """Store a plan unless it is there already; open it where this call is approved."""
    operations = context.operations
    new = all(each.plan_id != plan.plan_id for each in operations.plans())
    entry = AuditEntry(
        occurred_at=plan.created_at,
        actor=context.asker.user,
        action="plan.propose",
        subject=plan.plan_id,
        detail={"problem": plan.problem, "evidence_grade": plan.evidence_grade},
    )
    stored = operations.propose_plan(plan, entry)
    if context.approved and stored.status is TaskStatus.PENDING_APPROVAL:
        stored = approve_plan(operations, stored.plan_id, actor=context.asker.user, role=context.asker.role)
    return stored, new


def _shown(plan: ActionPlan, context: ToolContext) -> dict[str, Any]:
    local = plan.created_at.astimezone(context.zone).isoformat()
    return {**plan.model_dump(mode="json"), "created_at": local}
