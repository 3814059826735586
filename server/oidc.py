"""Signing in by an OpenID Connect provider: code flow with PKCE, claims to role and org units."""

import secrets
import threading
import time
from collections.abc import Mapping
from typing import Any, Final, NamedTuple, cast, get_args

import httpx

from agent.settings import Settings
from server.api_problems import Busy, Unauthenticated
from store.errors import ConfigError, NotPermitted
from store.keys import Role, same_digest
from store.units import Scope, scope_of
from tools.registry import RANK

_ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "EdDSA")
_PATIENCE_S: Final = 10.0
# From leaving for the provider to coming back.
_AWAY_S: Final = 600.0
_AWAY_AT_ONCE: Final = 10_000
_LEEWAY_S: Final = 60
_UNCONFIRMED: Final = "the provider did not confirm this sign-in"


class Identity(NamedTuple):
    """Who the provider says it is, and what that may do and see here."""

    user: str
    role: Role
    scope: Scope


class Departure(NamedTuple):
    """Where the browser goes, and what it must bring back in a cookie."""

    url: str
    cookie: str


class _Away(NamedTuple):
    cookie: str
    nonce: str
    verifier: str
    redirect: str
    until: float


class Oidc:
    """One provider. Those on their way are kept in memory: after a restart they begin again."""

    def __init__(self, settings: Settings) -> None:
        try:
            import authlib  # noqa: F401
        except ImportError as error:
            raise ConfigError(
                "VOICELOOP_OIDC_ISSUER is set but what speaks it is not installed",
                hint="pip install 'voiceloop[oidc]'",
            ) from error
        assert settings.oidc_issuer is not None
        self._issuer = settings.oidc_issuer.rstrip("/")
        self._settings = settings
        self._roles = {value: _role(name) for value, name in _pairs("OIDC_ROLES", settings.oidc_roles)}
        self._units = _pairs("OIDC_UNITS", settings.oidc_units)
        if not settings.oidc_client_id or not self._roles:
            raise ConfigError("VOICELOOP_OIDC_ISSUER needs VOICELOOP_OIDC_CLIENT_ID and VOICELOOP_OIDC_ROLES")
        self._away: dict[str, _Away] = {}
        self._lock = threading.Lock()

    async def depart(self, redirect: str) -> Departure:
        """Begin: the address of the provider to send the browser to."""
        known = await self._discovered()
        away = _Away(
            cookie=secrets.token_urlsafe(32),
            nonce=secrets.token_urlsafe(32),
            verifier=secrets.token_urlsafe(48),
            redirect=redirect,
            until=time.monotonic() + _AWAY_S,
        )
        async with self._client(redirect) as client:
            url, state = client.create_authorization_url(
                known["authorization_endpoint"], code_verifier=away.verifier, nonce=away.nonce
            )
        with self._lock:
            now = time.monotonic()
            self._away = {key: one for key, one in self._away.items() if one.until > now}
            if len(self._away) >= _AWAY_AT_ONCE:
                raise Busy("too many people are signing in at once")
            self._away[state] = away
        return Departure(str(url), away.cookie)

    async def arrive(self, state: str, code: str, cookie: str) -> Identity:
        """End: who came back. Unauthenticated where that is not shown, NotPermitted without a role here."""
        with self._lock:
            away = self._away.pop(state, None)
        if away is None or away.until < time.monotonic() or not same_digest(away.cookie, cookie):
            raise Unauthenticated("this sign-in was not begun here, or too long ago", hint="begin again")
        known = await self._discovered()
        token = await self._exchanged(known["token_endpoint"], code, away)
        keys = await _document(known["jwks_uri"])
        return self.identity(self._claims(token, keys, away.nonce))

    def identity(self, claims: Mapping[str, Any]) -> Identity:
        """What claims mean here."""
        user = claims.get(self._settings.oidc_user_claim)
        if not isinstance(user, str) or not user.strip():
            raise Unauthenticated(f"the provider says no {self._settings.oidc_user_claim}")
        said = claims.get(self._settings.oidc_role_claim) or ()
        values = {said} if isinstance(said, str) else set(said)
        roles = [role for value, role in self._roles.items() if value in values]
        units = [unit for value, unit in self._units if value in values]
        if not roles or (self._units and not units):
            raise NotPermitted("not permitted: you have no role here", hint="ask your administrator for one")
        return Identity(user.strip(), max(roles, key=RANK.__getitem__), scope_of(units))

    def _claims(self, token: str, keys: Any, nonce: str) -> Mapping[str, Any]:
        from joserfc import jwt
        from joserfc.errors import JoseError
        from joserfc.jwk import KeySet

        checks = jwt.JWTClaimsRegistry(
            leeway=_LEEWAY_S,
            iss={"essential": True, "value": self._issuer},
            aud={"essential": True, "value": self._settings.oidc_client_id},
            exp={"essential": True},
            nonce={"essential": True, "value": nonce},
        )
        try:
            claims = jwt.decode(token, KeySet.import_key_set(keys), algorithms=list(_ALGORITHMS)).claims
            checks.validate(claims)
        except (JoseError, ValueError, TypeError, KeyError) as error:
            raise Unauthenticated("the provider's token does not hold", hint="begin again") from error
        audience = claims["aud"]
        if (
            not isinstance(audience, str)
            and len(audience) > 1
            and claims.get("azp") != self._settings.oidc_client_id
        ):
            raise Unauthenticated("the provider's token is another program's", hint="begin again")
        return claims

    async def _exchanged(self, endpoint: str, code: str, away: _Away) -> str:
        """The id token for a code."""
        from authlib.common.errors import AuthlibBaseError

        async with self._client(away.redirect) as client:
            try:
                token = await client.fetch_token(endpoint, code=code, code_verifier=away.verifier)
            except (AuthlibBaseError, httpx.HTTPStatusError, ValueError) as error:
                raise Unauthenticated(_UNCONFIRMED, hint="begin again") from error
            except httpx.HTTPError as error:
                raise _unreachable(error) from error
        return str(token.get("id_token", ""))

    async def _discovered(self) -> dict[str, str]:
        document = await _document(f"{self._issuer}/.well-known/openid-configuration")
        wanted = ("authorization_endpoint", "token_endpoint", "jwks_uri")
        if str(document.get("issuer", "")).rstrip("/") != self._issuer or any(
            w not in document for w in wanted
        ):
            raise Busy("the sign-in provider describes itself as another one")
        return document

    def _client(self, redirect: str) -> Any:
        from authlib.integrations.httpx_client import AsyncOAuth2Client

        return AsyncOAuth2Client(
            self._settings.oidc_client_id,
            self._settings.oidc_client_secret.get_secret_value() or None,
            scope="openid profile email",
            redirect_uri=redirect,
            code_challenge_method="S256",
            timeout=_PATIENCE_S,
        )


async def _document(url: str) -> dict[str, Any]:
    try:
        async with httpx.AsyncClient(timeout=_PATIENCE_S) as client:
            return cast(dict[str, Any], (await client.get(url)).raise_for_status().json())
    except (httpx.HTTPError, ValueError) as error:
        raise _unreachable(error) from error


def _pairs(setting: str, said: tuple[str, ...]) -> list[tuple[str, str]]:
    pairs = [tuple(part.strip() for part in one.rpartition("=")[::2]) for one in said]
    if any(not value or not meant for value, meant in pairs):
        raise ConfigError(f"VOICELOOP_{setting} is a list of value=meaning", hint="like voc-team=analyst")
    return [(value, meant) for value, meant in pairs]


def _role(name: str) -> Role:
    if name not in get_args(Role):
        raise ConfigError(f"VOICELOOP_OIDC_ROLES: there is no role {name!r}")
    return cast(Role, name)


def _unreachable(error: Exception) -> Busy:
    return Busy(f"the sign-in provider cannot be reached: {type(error).__name__}")
