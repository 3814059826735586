"""Signing in to the web page by single sign-on."""

from datetime import timedelta
from typing import Annotated, Final

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.concurrency import run_in_threadpool

from server.api_problems import NotFound, Unauthenticated, problems
from server.api_state import ServerState, StateNow
from server.oidc import Oidc
from server.routes_session import keep_signed_in

router = APIRouter(prefix="/v1/session/oidc", tags=["access"])
_COOKIE: Final = "vl_oidc"
_PATH: Final = "/v1/session/oidc"
# A redirect would belong to the provider's navigation, with which a browser does not send a strict cookie.
_HOME: Final = '<!doctype html><title>VoiceLoop</title><meta http-equiv="refresh" content="0; url=/">'


@router.get(
    "",
    operation_id="begin_oidc",
    summary="Sign in by single sign-on",
    response_class=RedirectResponse,
    status_code=303,
    responses=problems(404),
)
async def begin_oidc(request: Request, state: StateNow) -> RedirectResponse:
    """Sends the browser to the provider."""
    oidc = _provider(state)
    state.rates.take("sign-in", request.client.host if request.client else "")
    base = (state.app.settings.public_url or str(request.base_url)).rstrip("/")
    departure = await oidc.depart(f"{base}{_PATH}/callback")
    response = RedirectResponse(departure.url, 303)
    response.set_cookie(
        _COOKIE,
        departure.cookie,
        max_age=600,
        path=_PATH,
        httponly=True,
        samesite="lax",
        secure=base.startswith("https:"),
    )
    return response


@router.get(
    "/callback",
    operation_id="end_oidc",
    summary="Come back from single sign-on",
    response_class=HTMLResponse,
    responses=problems(401, 403, 404),
)
async def end_oidc(
    request: Request,
    state: StateNow,
    sent: Annotated[str, Query(alias="state", max_length=200)] = "",
    code: Annotated[str, Query(max_length=4_000)] = "",
) -> HTMLResponse:
    """Sets the cookie of a session and goes to the page."""
    oidc = _provider(state)
    if not code:
        raise Unauthenticated("the provider did not confirm this sign-in", hint="begin again")
    who = await oidc.arrive(sent, code, request.cookies.get(_COOKIE, ""))
    expires_at = state.app.clock.now() + timedelta(hours=state.app.settings.session_hours)
    opened = await run_in_threadpool(
        state.app.sessions.open,
        key_id=None,
        user=who.user,
        role=who.role,
        scope=who.scope,
        expires_at=expires_at,
    )
    response = HTMLResponse(_HOME)
    keep_signed_in(request, response, state, opened)
    response.delete_cookie(_COOKIE, path=_PATH, httponly=True, samesite="lax")
    return response


def _provider(state: ServerState) -> Oidc:
    if state.oidc is None:
        raise NotFound("there is no single sign-on here", hint="sign in by an API key")
    return state.oidc
