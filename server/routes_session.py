"""Who I am, and signing in to the web page by an API key."""

from datetime import timedelta

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from server.api_access import (
    COOKIE,
    CallerNow,
    Language,
    check_same_site,
    language_of,
    session_of,
    single_user,
)
from server.api_problems import Unauthenticated, problems
from server.api_state import ServerState, StateNow
from store.keys import Role
from store.sessions import NewSession

router = APIRouter(prefix="/v1", tags=["access"])


class Me(BaseModel):
    """Who asks, what that may do and see, and what unsafe requests of a page must send back."""

    user: str = Field(examples=["wang"])
    role: Role = Field(examples=["analyst"])
    scope: list[str] = Field(description="org units; empty is everything", examples=[["总部/华南"]])
    language: Language = Field(examples=["zh"])
    single_user: bool = Field(description="no key was ever made: whoever sits at this machine")
    timezone: str = Field(description="in which days begin and times are shown", examples=["Asia/Shanghai"])
    csrf: str | None = Field(
        default=None,
        description="in a session: send it as X-CSRF-Token with POST, PUT, PATCH and DELETE",
        examples=["pV3m0kq0cX0"],
    )


class SignIn(BaseModel):
    """What signs in."""

    key: str = Field(max_length=200, examples=["vl_0123456789ab_..."])


@router.get("/me", operation_id="get_me", summary="Who I am", responses=problems(401, 403))
def get_me(request: Request, caller: CallerNow, state: StateNow) -> Me:
    """Role, scope and language of whoever asks."""
    session = session_of(request, state)
    asker = caller.asker
    return Me(
        user=asker.user,
        role=asker.role,
        scope=list(asker.scope),
        language=caller.language,
        single_user=single_user(state),
        timezone=state.app.settings.timezone,
        csrf=session.csrf if session else None,
    )


@router.post(
    "/session", operation_id="open_session", summary="Sign in by an API key", responses=problems(401, 403)
)
def open_session(body: SignIn, request: Request, response: Response, state: StateNow) -> Me:
    """Sets an HttpOnly cookie that stands for the key until it ends; `DELETE` signs out."""
    check_same_site(request)
    state.rates.take("sign-in", request.client.host if request.client else "")
    key = state.keys.find(body.key.strip())
    if key is None or not key.usable(state.app.clock.now()):
        raise Unauthenticated("this API key is not known, revoked or past its time")
    expires_at = state.app.clock.now() + timedelta(hours=state.app.settings.session_hours)
    if key.expires_at is not None:
        expires_at = min(expires_at, key.expires_at)
    opened = state.app.sessions.open(
        key_id=key.key_id, user=key.name, role=key.role, scope=key.scope, expires_at=expires_at
    )
    keep_signed_in(request, response, state, opened)
    one = opened.session
    language = language_of(request, state)
    return Me(
        user=one.user,
        role=one.role,
        scope=list(one.scope),
        language=language,
        single_user=False,
        timezone=state.app.settings.timezone,
        csrf=one.csrf,
    )


@router.delete(
    "/session",
    operation_id="end_session",
    summary="Sign out",
    status_code=204,
    responses=problems(401, 403),
)
def end_session(request: Request, response: Response, caller: CallerNow, state: StateNow) -> None:
    """Ends the session that the cookie stands for; without one nothing happens."""
    session = session_of(request, state)
    if session is not None:
        state.app.sessions.end(session.session_id)
    response.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict")


def keep_signed_in(request: Request, response: Response, state: ServerState, opened: NewSession) -> None:
    """Set the cookie of a session."""
    lasts = opened.session.expires_at - state.app.clock.now()
    response.set_cookie(
        COOKIE,
        opened.secret,
        max_age=int(lasts.total_seconds()),
        path="/",
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )
