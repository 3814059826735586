"""Did a plan work: once its window is over, its effects and outcome; where missed, the cause anew."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final, Literal

from retention.approvals import require_verifier
from retention.plans import said_in, window
from store.errors import ToolInputError
from store.plan_parts import Effect, Judgement, PlanDesign, PlanReview
from store.records import ActionPlan, TaskStatus
from tools.arguments import Language, PeriodArg
from tools.context import ToolContext
from tools.plan_arguments import ActionPlanArguments
from tools.plan_design import judged_title
from tools.plan_draft import Draft, draft_plan
from tools.plans import stored_plan
from tools.refusals import Refusal
from tools.verification import EffectArguments, verify_effect

State = Literal[
    "verified", "already", "not_due", "not_approved", "ended", "no_data", "no_design", "not_judged"
]
REOPENING: Final = ("missed", "worse")
_DAYS_BEFORE = 60
_CAUSE: Final = ("conditions", "label", "theme", "topic", "share", "effect", "ci_low", "ci_high")


@dataclass(frozen=True)
class Verification:
    """Where the verification of one plan stands. `due_on` is the first day on which it can be verified.

    `reason` says why one could not be judged, such as a metric that the data do not have any more.
    """

    plan: ActionPlan
    state: State
    due_on: date
    effects: Sequence[Effect] = ()
    follow_up: ActionPlan | None = None
    reason: str | None = None


def verify_plans(
    context: ToolContext, plan_id: str | None = None, *, language: Language = "en"
) -> list[Verification]:
    """Verify every open plan whose window is over, or say of one plan where it stands; oldest first.

    Safe to run again and to be killed: each plan is ended in one transaction, and one ended before is only
    read. Raises NotPermitted for a role that may not verify, ToolInputError (in `language`) for
    an unknown id, NotPermitted for one that may not be seen.
    """
    require_verifier(context.asker.role)
    if plan_id is not None:
        return [_verified(stored_plan(plan_id, context, language), context)]
    chosen = context.operations.plans(status=TaskStatus.OPEN)
    return [_verified(plan, context) for plan in reversed(chosen)]


def _verified(plan: ActionPlan, context: ToolContext) -> Verification:
    first, due = window(plan, context.zone)
    if plan.review is not None:
        return _stored(plan, "already", context)
    waiting = _waiting(plan, due, context)
    if waiting is not None:
        return Verification(plan, waiting, due)
    assert plan.design is not None
    try:
        effects = [
            _effect(plan, plan.design, judged, ids, context) for judged, ids in _judgements(plan).items()
        ]
    except ToolInputError as error:
        # One plan that cannot be judged must not keep the others waiting.
        if isinstance(error, Refusal):
            error.speak(plan.language)
        return Verification(plan, "not_judged", due, reason=error.message)
    main = effects[0]
    if not main.n_after:
        return Verification(plan, "no_data", due, effects)
    reopened, draft = None, None
    if main.verdict in REOPENING:
        reopened, draft = _reopened(plan, plan.design, main, effects, context)
    review = PlanReview(
        outcome=main.verdict,
        verified_at=context.clock.now(),
        verified_by=context.asker.user,
        starts_on=first,
        ends_on=due - timedelta(days=1),
        reopened=reopened,
        follow_up=draft.plan.plan_id if draft else None,
    )
    ended = context.operations.review_plan(plan.plan_id, review, effects, draft.plan if draft else None)
    return _stored(ended, "verified" if ended.review == review else "already", context)


def _waiting(plan: ActionPlan, due: date, context: ToolContext) -> State | None:
    """Why a plan cannot be verified now; None where it can."""
    if plan.status is TaskStatus.PENDING_APPROVAL:
        return "not_approved"
    if plan.status is not TaskStatus.OPEN:
        return "ended"
    if plan.design is None:
        return "no_design"
    today = context.clock.now().astimezone(context.zone).date()
    return "not_due" if today < due else None


def _stored(plan: ActionPlan, state: State, context: ToolContext) -> Verification:
    operations, review = context.operations, plan.review
    follow_up = None
    if review is not None and review.follow_up is not None:
        follow_up = next((p for p in operations.plans() if p.plan_id == review.follow_up), None)
    effects = operations.effects(plan_id=plan.plan_id)
    return Verification(plan, state, window(plan, context.zone)[1], effects, follow_up)


def _judgements(plan: ActionPlan) -> dict[Judgement, list[str]]:
    """Each figure once, the plan's own first, with the ids of the measures judged by it."""
    assert plan.design is not None
    by_figure: dict[tuple[str, str | None], tuple[Judgement, list[str]]] = {}
    own = plan.design.judged_by
    by_figure[own.metric, own.topic] = (own, [])
    for measure in plan.measures:
        judged = measure.judged_by
        if judged is not None:
            by_figure.setdefault((judged.metric, judged.topic), (judged, []))[1].append(measure.id)
    return dict(by_figure.values())


def _effect(
    plan: ActionPlan, design: PlanDesign, judged: Judgement, ids: Sequence[str], context: ToolContext
) -> Effect:
    first, due = window(plan, context.zone)
    found = verify_effect(_question(plan, design, judged, context), context).data
    key = "\x1f".join((plan.plan_id, judged.metric, judged.topic or ""))
    same = ("kind", "evidence_grade", "effect", "ci_low", "ci_high", "level_before", "level_after", "design")
    return Effect(
        effect_id="effect-" + hashlib.blake2b(key.encode(), digest_size=8).hexdigest(),
        plan_id=plan.plan_id,
        main=judged == design.judged_by,
        measures=tuple(ids),
        metric=judged.metric,
        topic=judged.topic,
        title=judged_title(judged, context, plan.language),
        **{name: found[name] for name in same},
        target=judged.change,
        n_before=found["n_before"],
        n_after=found["n_after"],
        starts_on=first,
        ends_on=due - timedelta(days=1),
        verdict=found["verdict"],
        reason=found["reason"],
        verified_at=context.clock.now(),
        verified_by=context.asker.user,
    )


def _question(
    plan: ActionPlan, design: PlanDesign, judged: Judgement, context: ToolContext
) -> EffectArguments:
    """The plan as verify_effect is asked about it: against the days since the problem began, not before.

    The days before it were better: with them the measures would be judged by a level that was lost already.
    """
    first, due = window(plan, context.zone)
    before = (first - design.since).days if design.since else _DAYS_BEFORE
    return EffectArguments(
        metric=judged.metric,
        topic=judged.topic,
        start=first.isoformat(),
        days_before=max(1, min(730, before)),
        days_after=min(730, (due - first).days),
        filters=_listed(design.filters),
        exclude=_listed(design.exclude),
        control=_listed(design.control.filters),
        target=judged.change,
        plan_id=plan.plan_id,
        language=plan.language,
    )


def _listed(values: Mapping[str, Sequence[str | None]]) -> dict[str, Any]:
    return {name: list(each) for name, each in values.items()}


def _reopened(
    plan: ActionPlan, design: PlanDesign, main: Effect, effects: Sequence[Effect], context: ToolContext
) -> tuple[dict[str, Any], Draft | None]:
    """Search the cause anew over the window of the plan, and draft a plan without what did not work.

    Where it got worse, why it changed; where it merely stayed, which groups are worse than the rest.
    """
    first, due = window(plan, context.zone)
    length = due - first
    span = PeriodArg(from_=first.isoformat(), to=due.isoformat())
    earlier = PeriodArg(from_=(first - length).isoformat(), to=first.isoformat())
    change = main.verdict == "worse" or design.metric == "volume"
    args = ActionPlanArguments(
        metric=design.metric,
        period=span,
        compare_to=earlier if change else None,
        mode="change" if change else "level",
        filters=_listed(design.asked),
        exclude=_listed(design.left_out),
        language=plan.language,
    )
    period = {"from": first.isoformat(), "to": due.isoformat()}
    past = [*effects, *context.operations.effects()]
    tried = _failed(effects) | _failed_before(plan, context)
    try:
        draft = draft_plan(args, context, past, tried=tried, follows=(plan.plan_id, main.verdict))
    except ToolInputError as error:
        if isinstance(error, Refusal):
            error.speak(plan.language)
        return {"period": period, "verdict": "not_searched", "reason": error.message, "causes": []}, None
    found = draft.found.data
    causes = [{name: cause[name] for name in (*_CAUSE, "evidence_grade")} for cause in found["causes"]]
    reopened = {
        "period": period,
        "mode": found["mode"],
        "verdict": found["verdict"],
        "reason": found["reason"],
        "causes": causes,
    }
    return reopened, draft if draft.plan.measures else None


def _failed(effects: Sequence[Effect]) -> set[str]:
    return {one for effect in effects if effect.verdict in REOPENING for one in effect.measures}


def _failed_before(plan: ActionPlan, context: ToolContext) -> set[str]:
    """The measures that failed in the plans that this one follows."""
    by_id = {each.plan_id: each for each in context.operations.plans()}
    failed: set[str] = set()
    earlier = by_id.get(plan.follows or "")
    while earlier is not None:
        failed |= _failed(context.operations.effects(plan_id=earlier.plan_id))
        earlier = by_id.get(earlier.follows or "")
    return failed


def verification_figures(found: Verification, language: Language) -> dict[str, Any]:
    """Where a plan stands, its effects and what follows, as results show it."""
    plan = said_in(found.plan, language)
    review = plan.review
    return {
        "plan_id": plan.plan_id,
        "state": found.state,
        "due_on": found.due_on.isoformat(),
        "reason": found.reason,
        "status": plan.status.value,
        "problem": plan.problem,
        "cause": plan.cause,
        "outcome": review.outcome if review else None,
        "review": review.model_dump(mode="json") if review else None,
        "effects": [effect.model_dump(mode="json") for effect in found.effects],
        "follow_up": said_in(found.follow_up, language).model_dump(mode="json", exclude={"translation"})
        if found.follow_up
        else None,
    }
