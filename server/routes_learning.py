"""What verdicts teach of the policy: shown, and put as a version."""

from typing import Any, Literal

from fastapi import APIRouter
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from retention.lesson_figures import lesson_figures
from server.api_access import Caller, CallerNow, needs
from server.api_problems import problems
from server.api_state import StateNow
from server.policy_learning import put_lesson
from store.errors import NotPermitted
from store.policy_versions import PolicyState

router = APIRouter(prefix="/v1/settings/policy", tags=["settings"])


class Share(BaseModel):
    """A share with its 95% interval; `n` is what it is a share of. None where nothing was there to count."""

    n: int
    value: float | None
    ci_low: float | None
    ci_high: float | None


class Gap(BaseModel):
    """Precision of what is still raised less that of what is not, with its 80% interval."""

    value: float | None
    ci_low: float | None
    ci_high: float | None
    significant: bool


class HeldOutView(BaseModel):
    """How the lesson did on verdicts that it was not learnt from."""

    since: AwareDatetime
    precision_before: Share
    precision_after: Share
    accurate_lost: Share
    gap: Gap


class LessonChange(BaseModel):
    """One number that changes: a multiplier, the score from which a cause calls, a context's shift of it."""

    what: Literal["weight", "call_at", "shift"]
    key: str = Field(examples=["refund"])
    before: float
    after: float
    says: str


class LessonSituation(Share):
    """What verdicts say of alerts of one cause, or in one context: the share accurate."""

    kind: Literal["cause", "context"]
    name: str = Field(examples=["scores/high"])
    told: str
    call_at: float | None


class LessonView(BaseModel):
    """What verdicts teach. `refused` says why nothing is learnt, `says` the same in words."""

    policy_version: int
    verdicts: int
    accurate: int
    customers: int
    learnt: bool
    refused: str | None = Field(examples=["too_few"])
    says: str
    asked: float | None = Field(description="the chance of being right from which an alert is raised")
    held_out: HeldOutView | None
    changes: list[LessonChange]
    situations: list[LessonSituation]


class LessonWanted(BaseModel):
    """What becomes of the lesson: scanned beside the live policy, or live at once."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"state": "shadow"}]})

    state: Literal["shadow", "live"] = "shadow"
    force: bool = Field(default=False, description="although it makes more tasks than people can take on")


class LessonPut(BaseModel):
    """The version that the lesson became."""

    number: int
    state: PolicyState
    lesson: LessonView


@router.get(
    "/lesson",
    operation_id="get_policy_lesson",
    summary="What verdicts teach",
    responses=problems(401, 403),
    dependencies=[needs("manager")],
)
def get_lesson(caller: CallerNow, state: StateNow) -> LessonView:
    """Learnt anew from all verdicts; nothing is changed."""
    _require_everything(caller)
    figures: dict[str, Any] = lesson_figures(state.app.policy_lesson(), caller.language)
    return LessonView.model_validate(figures)


@router.post(
    "/lesson",
    operation_id="put_policy_lesson",
    summary="Put what verdicts teach",
    responses=problems(400, 401, 403, 409),
    dependencies=[needs("admin")],
)
def make_version(caller: CallerNow, state: StateNow, body: LessonWanted) -> LessonPut:
    """As a new version of the policy: in shadow mode, or live. Refused where the lesson is not proven."""
    _require_everything(caller)
    put, figures = put_lesson(state.app, body.state, caller.asker, forced=body.force)
    return LessonPut(number=put.number, state=put.state, lesson=LessonView.model_validate(figures))


def _require_everything(caller: Caller) -> None:
    if caller.asker.scope:
        raise NotPermitted("not permitted: verdicts teach the policy of all units, and your key is for some")
