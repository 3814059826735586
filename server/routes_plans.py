"""Action plans: list, show, decide, verify, export."""

from datetime import date
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from retention.approvals import require_approver, require_verifier
from server.api_access import Caller, CallerNow
from server.api_audit import record
from server.api_pages import Cursor, Limit, page
from server.api_problems import problems
from server.api_state import ServerState, StateNow
from server.plan_files import MEDIA, PlanFormat, plan_file, plan_with_effects
from server.tool_calls import not_found
from store.plan_parts import Effect, PlanReview
from store.records import ActionPlan, TaskStatus
from tools.plan_verification import State, verification_figures, verify_plans
from tools.plans import plan_figures, stored_plan
from tools.refusals import Refusal

router = APIRouter(prefix="/v1/plans", tags=["plans"])

PlanId = Annotated[str, Path(min_length=1, max_length=100, examples=["plan-0f1e2d3c4b5a6978"])]


class PlanWindow(BaseModel):
    """The days on which a plan runs: from the day after approval, or after its proposal until then."""

    starts_on: date
    ends_on: date
    days: int
    from_approval: bool


class PlanView(ActionPlan):
    """A plan in the caller's language, with its window; times in the configured zone."""

    translation: None = None
    window: PlanWindow


class PlanWithEffects(PlanView):
    """A plan with what came of it."""

    effects: list[Effect]


class Plans(BaseModel):
    """Plans, newest first."""

    plans: list[PlanView]
    next_cursor: str | None


class PlanDecision(BaseModel):
    """What becomes of a plan: `open` approves it."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"status": "open"}]})

    status: Literal["open", "rejected", "cancelled"]


class PlanVerification(BaseModel):
    """Where the verification of a plan stands; effects and outcome once it was verified."""

    plan_id: str
    state: State
    due_on: date = Field(description="the first day on which it can be verified")
    reason: str | None = Field(description="why it could not be judged")
    status: TaskStatus
    problem: str
    cause: str
    outcome: str | None
    review: PlanReview | None
    effects: list[Effect]
    follow_up: dict[str, Any] | None = Field(description="the plan that takes a missed one up")


@router.get(
    "", operation_id="list_plans", summary="List action plans", responses=problems(400, 401, 403, 503)
)
def list_plans(
    caller: CallerNow,
    state: StateNow,
    status: Annotated[TaskStatus | None, Query(description="only those that stand so")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Plans:
    """Those that the caller may see, newest first."""
    context = state.app.context(caller.asker)
    found, following = page(context.operations.plans(status=status), limit, cursor)
    shown = [PlanView.model_validate(plan_figures(plan, context, caller.language)) for plan in found]
    record(state, caller, "plan.list", "plans", n=len(shown))
    return Plans(plans=shown, next_cursor=following)


@router.get(
    "/{plan_id}",
    operation_id="get_plan",
    summary="Show an action plan",
    responses=problems(401, 403, 404, 503),
)
def get_plan(plan_id: PlanId, caller: CallerNow, state: StateNow) -> PlanWithEffects:
    """With its measures, design, review and verified effects."""
    found = _found(plan_id, caller, state)
    record(state, caller, "plan.read", plan_id)
    return PlanWithEffects.model_validate(
        plan_with_effects(found, state.app.context(caller.asker), caller.language)
    )


@router.patch(
    "/{plan_id}",
    operation_id="decide_plan",
    summary="Approve, reject or call off an action plan",
    responses=problems(400, 401, 403, 404, 503),
)
def decide_plan(plan_id: PlanId, body: PlanDecision, caller: CallerNow, state: StateNow) -> PlanView:
    """Needs a role that may approve; `POST /v1/plans/{plan_id}/verify` ends a plan that runs."""
    require_approver(caller.asker.role, "plan")
    _found(plan_id, caller, state)
    context = state.app.context(caller.asker)
    moved = context.operations.set_plan_status(plan_id, TaskStatus(body.status), actor=caller.asker.user)
    return PlanView.model_validate(plan_figures(moved, context, caller.language))


@router.post(
    "/{plan_id}/verify",
    operation_id="verify_plan",
    summary="Verify an action plan",
    responses=problems(401, 403, 404, 503),
)
def verify_plan(plan_id: PlanId, caller: CallerNow, state: StateNow) -> PlanVerification:
    """Effect and outcome once its window is over; before that, when it can be verified. Safe to repeat."""
    require_verifier(caller.asker.role)
    _found(plan_id, caller, state)
    context = state.app.context(caller.asker)
    (verified,) = verify_plans(context, plan_id, language=caller.language)
    record(state, caller, "plan.verify", plan_id, stands=verified.state)
    return PlanVerification.model_validate(verification_figures(verified, caller.language))


@router.get(
    "/{plan_id}/export",
    operation_id="export_plan",
    summary="An action plan as a file",
    response_class=Response,
    responses={
        200: {
            "description": "the file",
            "content": {media.partition(";")[0]: {"schema": {"type": "string"}} for media in MEDIA.values()},
        },
        **problems(401, 403, 404, 503),
    },
)
def export_plan(
    plan_id: PlanId,
    caller: CallerNow,
    state: StateNow,
    format: Annotated[PlanFormat, Query(description="md to read, csv for a project tool, json")] = "md",
) -> Response:
    """The whole plan; CSV has one measure a row and a heading in the caller's language."""
    found = _found(plan_id, caller, state)
    body = plan_file(found, format, state.app.context(caller.asker), caller.language)
    record(state, caller, "plan.export", plan_id, format=format)
    headers = {"Content-Disposition": f'attachment; filename="{found.plan_id}.{format}"'}
    return Response(body, media_type=MEDIA[format], headers=headers)


def _found(plan_id: str, caller: Caller, state: ServerState) -> ActionPlan:
    """The plan; NotFound where there is none in the whole store, NotPermitted to a scope that sees none."""
    try:
        return stored_plan(plan_id, state.app.context(caller.asker), caller.language)
    except Refusal as refused:
        raise not_found(refused) from refused
