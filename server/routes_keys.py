"""API keys over the API, for administrators."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from server.api_access import CallerNow, needs
from server.api_pages import Cursor, Limit, page
from server.api_problems import Conflict, NotFound, problems
from server.api_state import StateNow
from store.errors import NotPermitted, ToolInputError
from store.keys import Role
from store.units import within

router = APIRouter(prefix="/v1/keys", tags=["access"], dependencies=[needs("admin")])


class KeyView(BaseModel):
    """A key without its secret."""

    model_config = ConfigDict(from_attributes=True)

    key_id: str = Field(examples=["0123456789ab"])
    name: str = Field(examples=["wang"])
    role: Role = Field(examples=["analyst"])
    scope: list[str] = Field(examples=[["总部/华南"]])
    created_at: AwareDatetime
    created_by: str
    expires_at: AwareDatetime | None
    last_used_at: AwareDatetime | None = Field(description="to the minute")
    revoked_at: AwareDatetime | None


class KeyPage(BaseModel):
    """Keys, newest first."""

    keys: list[KeyView]
    next_cursor: str | None = None


class KeyWanted(BaseModel):
    """What a new key is to be. Its name is on whose behalf it asks."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=100, pattern=r"\S", examples=["wang"])
    role: Role = Field(default="viewer", examples=["analyst"])
    scope: list[Annotated[str, Field(max_length=200, pattern=r"[^\s/\x1c-\x1f\x85]")]] = Field(
        default=[],
        max_length=100,
        description="org units, each with all below; empty: everything",
        examples=[["总部/华南"]],
    )
    days: int | None = Field(
        default=None, ge=1, le=3_650, description="valid for so many days; null: until revoked"
    )


class KeyMade(BaseModel):
    """A new key with its token, which is shown this once."""

    key: KeyView
    token: str = Field(examples=["vl_0123456789ab_..."])


@router.get("", operation_id="list_keys", summary="List API keys", responses=problems(401, 403))
def list_keys(caller: CallerNow, state: StateNow, limit: Limit = 50, cursor: Cursor = None) -> KeyPage:
    """Those revoked or past their time too; a scoped administrator sees those within the scope."""
    scope = caller.asker.scope
    seen = [key for key in state.keys.all() if _may_manage(key.scope, scope)]
    some, next_cursor = page(seen, limit, cursor)
    return KeyPage(keys=[KeyView.model_validate(one) for one in some], next_cursor=next_cursor)


@router.post(
    "",
    operation_id="create_key",
    summary="Make an API key",
    status_code=201,
    responses=problems(401, 403, 409),
)
def create_key(body: KeyWanted, caller: CallerNow, state: StateNow) -> KeyMade:
    """The token is in this answer and nowhere else."""
    if not _may_manage(tuple(body.scope), caller.asker.scope):
        raise NotPermitted("not permitted: a key may not see more than whoever makes it")
    expires_at = state.app.clock.now() + timedelta(days=body.days) if body.days else None
    try:
        made = state.keys.create(
            name=body.name.strip(),
            role=body.role,
            scope=tuple(body.scope),
            created_by=caller.asker.user,
            expires_at=expires_at,
        )
    except ToolInputError as error:
        raise Conflict(error.message, hint=error.hint) from error
    return KeyMade(key=KeyView.model_validate(made.key), token=made.token)


@router.delete(
    "/{key_id}", operation_id="revoke_key", summary="Revoke an API key", responses=problems(401, 403, 404)
)
def revoke_key(key_id: str, caller: CallerNow, state: StateNow) -> KeyView:
    """For good, and with it whoever is signed in by it."""
    key = state.keys.get(key_id)
    if key is None:
        raise NotFound(f"no key {key_id!r}", hint="GET /v1/keys gives the ids")
    if not _may_manage(key.scope, caller.asker.scope):
        raise NotPermitted("not permitted: this key is not within your scope")
    return KeyView.model_validate(state.keys.revoke(key_id, revoked_by=caller.asker.user))


def _may_manage(scope: tuple[str, ...], own: tuple[str, ...]) -> bool:
    """Whether a scope lies within one's own; an empty one is everything."""
    return not own or (bool(scope) and all(within(unit, own) for unit in scope))
