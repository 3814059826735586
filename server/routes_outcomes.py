"""What became of alerts: how soon they were answered and done, and who stayed."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from server.api_access import CallerNow, needs
from server.api_problems import problems
from server.api_state import StateNow
from store.records import Tier
from tools.outcomes import outcome_figures
from tools.periods import resolve

router = APIRouter(prefix="/v1/outcomes", tags=["alerts"])


class ShareView(BaseModel):
    """A share (0..1) of `n` with its 95% interval; null where there is nothing to count."""

    value: float | None = Field(examples=[0.91])
    ci_low: float | None
    ci_high: float | None
    n: int


class TimeView(BaseModel):
    """Hours, with their 95% interval; its ends are null where there are too few for one."""

    value: float | None = Field(examples=[1.6])
    ci_low: float | None
    ci_high: float | None


class ResponseView(BaseModel):
    """Hours from the alert to the first answer."""

    median: TimeView
    p90: TimeView


class ResolutionView(BaseModel):
    """Hours from the alert to the task done."""

    median: TimeView


class TierView(BaseModel):
    """One tier. `saved` is of alerts at least `saved_days` old."""

    tier: Tier
    alerts: int
    answered: int
    first_response_hours: ResponseView
    on_time: ShareView
    done: int
    resolution_hours: ResolutionView
    saved: ShareView


class RateView(BaseModel):
    """The share of all customers whose outcome is known who stayed."""

    value: float | None
    n: int


class EffectView(BaseModel):
    """Saved among the treated less saved among the held out, with its 95% interval."""

    value: float | None
    ci_low: float | None
    ci_high: float | None
    significant: bool


class HoldoutView(BaseModel):
    """What automatic messages did, against customers held out of them by chance."""

    treated: ShareView
    held_out: ShareView
    effect: EffectView
    evidence_grade: str = Field(examples=["quasi-experimental"])


class Outcomes(BaseModel):
    """By tier; `holdout` is null where the policy holds nobody out."""

    saved_days: int
    alerts: int
    tiers: list[TierView]
    retention_rate: RateView
    holdout: HoldoutView | None


@router.get(
    "",
    operation_id="get_outcomes",
    summary="What became of alerts",
    responses=problems(400, 401, 403, 503),
    dependencies=[needs("viewer")],
)
def get_outcomes(
    caller: CallerNow,
    state: StateNow,
    period: Annotated[
        str | None, Query(max_length=100, description="alerts raised in it", examples=["last 90 days"])
    ] = None,
) -> Outcomes:
    """First response, resolution, answers on time and customers saved by tier, with intervals."""
    context = state.app.context(caller.asker)
    now = state.app.clock.now()
    span = resolve(period, now=now, zone=context.zone, language=caller.language)
    return Outcomes.model_validate(outcome_figures(span, context))
