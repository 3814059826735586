"""API keys: who may call the server, as what and seeing which units. The secret itself is never stored."""

import hmac
import re
import secrets
from datetime import datetime
from hashlib import sha256
from typing import Final, Literal, NamedTuple, Protocol

from pydantic import AwareDatetime, Field

from store.record import Record
from store.units import Scope

Role = Literal["viewer", "analyst", "manager", "admin", "service"]

# vl_<id>_<secret>: told apart from other tokens by people and by secret scanners.
_TOKEN: Final = re.compile(r"vl_([0-9a-f]{12})_([A-Za-z0-9_-]{43})")


class ApiKey(Record):
    """A key as it may be shown. `name` is on whose behalf it asks; an empty scope is everything."""

    key_id: str
    name: str = Field(min_length=1, max_length=100)
    role: Role
    scope: tuple[str, ...] = ()
    created_at: AwareDatetime
    created_by: str
    expires_at: AwareDatetime | None = None
    last_used_at: AwareDatetime | None = None
    revoked_at: AwareDatetime | None = None

    def usable(self, now: datetime) -> bool:
        """Whether it is neither revoked nor past its time."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


class NewKey(NamedTuple):
    """A key with its token, which is shown once and kept nowhere."""

    key: ApiKey
    token: str


class KeyStore(Protocol):
    """Keys by id. Making and revoking one is audited in the same transaction."""

    def create(
        self,
        *,
        name: str,
        role: Role,
        scope: Scope,
        created_by: str,
        expires_at: datetime | None = None,
    ) -> NewKey:
        """Make a key; ToolInputError where a usable one has that name."""
        ...

    def find(self, token: str) -> ApiKey | None:
        """The key of that token, usable or not; None where there is none. Compares in constant time."""
        ...

    def get(self, key_id: str) -> ApiKey | None:
        """The key of that id."""
        ...

    def all(self) -> list[ApiKey]:
        """All ever made, newest first."""
        ...

    def any(self) -> bool:
        """Whether one was ever made."""
        ...

    def used(self, key_id: str) -> None:
        """Note that a key was used now."""
        ...

    def revoke(self, key_id: str, *, revoked_by: str) -> ApiKey:
        """End a key for good, again without effect; ToolInputError for an id that there is none of."""
        ...

    def close(self) -> None:
        """Release connections."""
        ...


def new_token() -> tuple[str, str]:
    """An id and a token of 256 random bits: what is guessed by nobody needs no slow hash."""
    key_id = secrets.token_hex(6)
    return key_id, f"vl_{key_id}_{secrets.token_urlsafe(32)}"


def key_id_of(token: str) -> str | None:
    """The id within a token; None for what is no token of ours."""
    match = _TOKEN.fullmatch(token)
    return match.group(1) if match else None


def digest_of(token: str) -> str:
    """What is kept of a token."""
    return sha256(token.encode()).hexdigest()


def same_digest(one: str, other: str) -> bool:
    """Compare in constant time."""
    return hmac.compare_digest(one.encode(), other.encode())
