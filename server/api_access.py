"""Who asks: a key, a session, the command line's local token, or the one person of a machine without keys."""

import hmac
import ipaddress
from dataclasses import dataclass
from typing import Annotated, Final, Literal

from fastapi import Depends, Security, params
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.requests import HTTPConnection

from server.api_problems import Unauthenticated
from server.api_state import ServerState, state_of
from store.errors import NotPermitted
from store.sessions import WebSession
from tools.context import Asker, Role
from tools.registry import RANK

Language = Literal["zh", "en"]
COOKIE: Final = "vl_session"
_SAFE: Final = ("GET", "HEAD", "OPTIONS")
_KEY_HINT: Final = "send `Authorization: Bearer vl_...`; `voiceloop keys create` makes a key"
# Set by proxies: behind one, whoever asks is not on this machine.
_FORWARDED: Final = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip")
_bearer = HTTPBearer(auto_error=False, description="An API key, `vl_...`", bearerFormat="vl_<id>_<secret>")


@dataclass(frozen=True)
class Caller:
    """On whose behalf a request is served, by which key (None: no key is needed) and in which language."""

    asker: Asker
    key_id: str | None
    language: Language


def caller(
    connection: HTTPConnection,
    _shown: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)] = None,
) -> Caller:
    """Find out who asks, else Unauthenticated. Reads the store: never call it on the event loop."""
    state = state_of(connection)
    language = language_of(connection, state)
    token = bearer_of(connection)
    if token is not None:
        asker, key_id = _of_token(token, state)
        return Caller(asker, key_id, language)
    session = session_of(connection, state)
    if session is not None:
        check_same_site(connection)
        _check_csrf(connection, session)
        state.rates.take("session", session.session_id)
        return Caller(Asker(session.user, session.role, session.scope), session.key_id, language)
    if single_user(state):
        check_local(connection)
        return Caller(local_asker(state), None, language)
    raise Unauthenticated("this needs an API key", hint=_KEY_HINT)


CallerNow = Annotated[Caller, Depends(caller)]


def needs(role: Role) -> params.Depends:
    """A dependency for routes that only this role, or one above it, may call."""

    def check(caller: CallerNow) -> Caller:
        require(caller, role)
        return caller

    dependency: params.Depends = Depends(check)
    return dependency


def require(caller: Caller, role: Role) -> None:
    """NotPermitted where the caller's role is below this one."""
    if RANK[caller.asker.role] < RANK[role]:
        raise NotPermitted(
            f"not permitted: this needs the role {role}, and yours is {caller.asker.role}",
            hint="ask an administrator for a key with that role",
        )


def single_user(state: ServerState) -> bool:
    """Whether nobody ever made a key: then the person at this machine is the only user."""
    return not state.keys.any()


def local_asker(state: ServerState) -> Asker:
    """Who the settings say sits at this machine."""
    settings = state.app.settings
    return Asker(settings.user, settings.role, settings.scope)


def bearer_of(connection: HTTPConnection) -> str | None:
    """The token of the Authorization header."""
    scheme, _, token = connection.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" and token.strip() else None


def from_command_line(connection: HTTPConnection, state: ServerState) -> bool:
    """Whether the token is the one that only who may read the data folder knows."""
    token = bearer_of(connection)
    return token is not None and hmac.compare_digest(token.encode(), state.local_token.encode())


def check_local(connection: HTTPConnection) -> None:
    """NotPermitted unless the request comes from this machine, by its own name and from no foreign page.

    A page elsewhere may point a name of its own at 127.0.0.1 (DNS rebinding), or post to it: Host and
    Origin tell.
    """
    client = connection.client.host if connection.client else ""
    if not is_loopback(client) or any(name in connection.headers for name in _FORWARDED):
        raise Unauthenticated(
            "this needs an API key: the request does not come from this machine", hint=_KEY_HINT
        )
    host = connection.headers.get("host", "")
    if not is_loopback(_hostname(host)):
        raise NotPermitted(
            f"not permitted: this server is not called {host!r}",
            hint="without keys it answers to localhost and 127.0.0.1 only",
        )
    check_same_site(connection)


def check_same_site(connection: HTTPConnection) -> None:
    """NotPermitted where a page of another site made the browser send this request."""
    origin, host = connection.headers.get("origin"), connection.headers.get("host", "")
    foreign = connection.headers.get("sec-fetch-site") in ("cross-site", "same-site")
    if foreign or (origin is not None and origin.partition("://")[2] != host):
        raise NotPermitted("not permitted: the request was made by a page of another site")


def session_of(connection: HTTPConnection, state: ServerState) -> WebSession | None:
    """The session that the cookie stands for; None without one, or once its key is of no more use."""
    secret = connection.cookies.get(COOKIE)
    session = state.app.sessions.find(secret) if secret else None
    if session is None or session.key_id is None:
        return session
    key = state.keys.get(session.key_id)
    return session if key is not None and key.usable(state.app.clock.now()) else None


def _check_csrf(connection: HTTPConnection, session: WebSession) -> None:
    if connection.scope.get("method") in _SAFE:
        return
    said = connection.headers.get("x-csrf-token", "")
    if not hmac.compare_digest(said.encode(), session.csrf.encode()):
        raise NotPermitted(
            "not permitted: the header X-CSRF-Token is missing or wrong", hint="GET /v1/me gives it as csrf"
        )


def language_of(connection: HTTPConnection, state: ServerState) -> Language:
    """`?lang`, else the cookie `lang`, else the first of ours in Accept-Language, else the settings'."""
    for said in (connection.query_params.get("lang"), connection.cookies.get("lang")):
        if said in ("zh", "en"):
            return "zh" if said == "zh" else "en"
    for part in connection.headers.get("accept-language", "").split(","):
        primary = part.partition(";")[0].strip().lower().partition("-")[0]
        if primary in ("zh", "en"):
            return "zh" if primary == "zh" else "en"
    return state.app.settings.language


def _of_token(token: str, state: ServerState) -> tuple[Asker, str | None]:
    if hmac.compare_digest(token.encode(), state.local_token.encode()):
        return local_asker(state), None
    key = state.keys.find(token)
    if key is None:
        raise Unauthenticated("this API key is not known", hint=_KEY_HINT)
    if not key.usable(state.app.clock.now()):
        why = "revoked" if key.revoked_at else "past its time"
        raise Unauthenticated(f"this API key is {why}", hint=_KEY_HINT)
    state.rates.take("key", key.key_id)
    state.key_uses.note(key.key_id)
    return Asker(key.name, key.role, key.scope), key.key_id


def _hostname(host: str) -> str:
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]


def is_loopback(host: str) -> bool:
    """Whether an address or a name means this machine and cannot be reached from another."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
