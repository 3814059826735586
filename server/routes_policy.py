"""The retention policy over the API: read, explained, checked, put, taken back."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from agent.policy_desk import CheckedPolicy, require_admin
from retention.policy import Policy
from retention.policy_diff import PolicyDifference
from retention.wording import Language
from server.api_access import CallerNow, needs
from server.api_problems import NotFound, problems
from server.api_state import ServerState, StateNow
from store.errors import ConfigError, ToolInputError
from store.policy_versions import PolicyState, PolicyVersion

router = APIRouter(prefix="/v1/settings/policy", tags=["settings"])
LanguageParam = Annotated[Language, Query(description="language of the sentences")]
Why = Annotated[str, Field(max_length=2000, examples=["big customers are called within four hours"])]


class PolicyWarningView(BaseModel):
    """What makes no sense, where, and what will happen."""

    at: str = Field(examples=["health.threshold"])
    kind: str = Field(examples=["everybody"])
    text: str


class PolicySentence(BaseModel):
    """What will happen, in plain words; `section` is the part of the policy that says so."""

    section: str = Field(examples=["tiers"])
    text: str


class PolicyVersionView(BaseModel):
    """A version without its text; `report` is what a replay or the verdicts say of it."""

    number: int
    state: PolicyState
    made_by: str
    why: str
    at: AwareDatetime
    reverts: int | None = Field(description="the earlier version whose text it brought back")
    live_from: AwareDatetime | None
    live_until: AwareDatetime | None
    report: dict[str, Any] | None


class PolicyVersions(BaseModel):
    """Newest first; one is live, one at most in shadow mode."""

    versions: list[PolicyVersionView]


class PolicyInEffect(BaseModel):
    """A policy as YAML and as it is read, what it means in plain sentences, and what makes no sense in it."""

    version: PolicyVersionView
    text: str
    policy: dict[str, Any]
    sentences: list[PolicySentence]
    warnings: list[PolicyWarningView]


class PolicyDifferenceView(BaseModel):
    """A value that would change; `at` its keys joined by dots."""

    at: str = Field(examples=["tiers.red.deadline.clock_hours"])
    before: Any
    after: Any


class PolicyPut(BaseModel):
    """A whole policy as YAML; `made_from`: the live version it was made from, so that no change is lost.

    `state` shadow only watches. `force` puts it although it makes more tasks than people can take on.
    """

    model_config = ConfigDict(extra="forbid")

    text: str = Field(max_length=1_000_000)
    made_from: int
    why: Why = ""
    state: Literal["live", "shadow"] = "live"
    force: bool = False
    dry_run: bool = Field(default=False, description="check only")


class PolicyChecked(BaseModel):
    """Whether it counts. `problem` names each wrong key; the rest is empty then."""

    ok: bool
    problem: str
    differences: list[PolicyDifferenceView] = Field(default_factory=list)
    sentences: list[PolicySentence] = Field(default_factory=list)
    warnings: list[PolicyWarningView] = Field(default_factory=list)
    version: PolicyVersionView | None = Field(default=None, description="what it became; none: checked only")


class PolicyRevert(BaseModel):
    """Which version to go back to."""

    model_config = ConfigDict(extra="forbid")

    number: int = Field(examples=[1])
    why: Why = ""


class ShadowDecision(BaseModel):
    """What becomes of the policy in shadow mode; `number`: only where it is still that version."""

    model_config = ConfigDict(extra="forbid")

    decision: Literal["promote", "withdraw"]
    number: int | None = None
    why: Why = ""
    force: bool = False


@router.get("", operation_id="get_policy", summary="The policy", responses=problems(401, 403))
def get_policy(caller: CallerNow, state: StateNow, language: LanguageParam = "zh") -> PolicyInEffect:
    """Which signals make which tier, who answers by when, and with what."""
    return _shown(state, state.app.policy_book.live_version(), language)


@router.put(
    "",
    operation_id="put_policy",
    summary="Change the policy",
    responses=problems(400, 401, 403, 412),
    dependencies=[needs("admin")],
)
def put_policy(
    caller: CallerNow, state: StateNow, body: PolicyPut, language: LanguageParam = "zh"
) -> PolicyChecked:
    """Checked as a whole; where nothing is wrong it decides from the next scan on, or only watches."""
    app, desk = state.app, state.app.policy_desk
    require_admin(caller.asker)
    try:
        checked = desk.check(body.text, language)
    except ConfigError as error:
        return PolicyChecked(ok=False, problem=error.message)
    put = None
    differences = desk.differences(app.policy_book.live(), checked.policy)
    if not body.dry_run:
        put = desk.apply(
            body.text,
            caller.asker,
            why=body.why,
            state=body.state,
            forced=body.force,
            made_from=body.made_from,
        )
    return PolicyChecked(
        ok=True,
        problem="",
        differences=_differences(differences),
        version=None if put is None else _version(put),
        **_explained(checked, language),
    )


@router.get(
    "/versions", operation_id="list_policy_versions", summary="Policy history", responses=problems(401, 403)
)
def list_versions(caller: CallerNow, state: StateNow) -> PolicyVersions:
    """Every policy there has been: by whom, when and why."""
    return PolicyVersions(versions=[_version(one) for one in state.app.policy_book.versions()])


@router.get(
    "/versions/{number}",
    operation_id="get_policy_version",
    summary="An earlier policy",
    responses=problems(401, 403, 404),
)
def get_version(
    caller: CallerNow, state: StateNow, number: int, language: LanguageParam = "zh"
) -> PolicyInEffect:
    """One version as it was put."""
    try:
        version = state.app.policy_book.version(number)
    except ToolInputError as error:
        raise NotFound(error.message) from error
    return _shown(state, version, language)


@router.post(
    "/revert",
    operation_id="revert_policy",
    summary="Go back to a policy",
    responses=problems(400, 401, 403),
    dependencies=[needs("admin")],
)
def revert_policy(caller: CallerNow, state: StateNow, body: PolicyRevert) -> PolicyVersionView:
    """The text of an earlier version becomes a new version that is live."""
    return _version(state.app.policy_desk.revert(body.number, caller.asker, why=body.why))


@router.post(
    "/shadow",
    operation_id="decide_policy_shadow",
    summary="End shadow mode",
    responses=problems(400, 401, 403, 412),
    dependencies=[needs("admin")],
)
def decide_shadow(caller: CallerNow, state: StateNow, body: ShadowDecision) -> PolicyVersionView:
    """Lets the policy in shadow mode decide from now on, or stops watching it."""
    desk = state.app.policy_desk
    if body.decision == "promote":
        done = desk.promote(caller.asker, why=body.why, number=body.number, forced=body.force)
    else:
        done = desk.withdraw(caller.asker, why=body.why, number=body.number)
    return _version(done)


def _shown(state: ServerState, version: PolicyVersion, language: Language) -> PolicyInEffect:
    checked = state.app.policy_desk.check(version.text, language, name=f"policy version {version.number}")
    return PolicyInEffect(
        version=_version(version),
        text=version.text,
        policy=_content(checked.policy),
        **_explained(checked, language),
    )


def _content(policy: Policy) -> dict[str, Any]:
    return policy.model_dump(mode="json")


def _explained(checked: CheckedPolicy, language: Language) -> dict[str, Any]:
    return {
        "sentences": [PolicySentence(section=one.section, text=one.text) for one in checked.sentences],
        "warnings": [
            PolicyWarningView(at=one.at, kind=one.key, text=one.text(language)) for one in checked.warnings
        ],
    }


def _differences(found: list[PolicyDifference]) -> list[PolicyDifferenceView]:
    return [PolicyDifferenceView(**one._asdict()) for one in found]


def _version(version: PolicyVersion) -> PolicyVersionView:
    return PolicyVersionView.model_validate(version.model_dump(exclude={"text"}))
