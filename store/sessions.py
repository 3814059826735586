"""Who is signed in to the web page. What the cookie holds is never stored, only its digest."""

from datetime import datetime
from typing import NamedTuple, Protocol

from pydantic import AwareDatetime

from store.keys import Role
from store.record import Record


class WebSession(Record):
    """One sign-in. `key_id`: the key it was opened by, which may end it; None: signed in elsewhere (OIDC).

    `csrf` is what a page of ours knows and a page of another site cannot.
    """

    session_id: str
    csrf: str
    key_id: str | None
    user: str
    role: Role
    scope: tuple[str, ...]
    created_at: AwareDatetime
    expires_at: AwareDatetime


class NewSession(NamedTuple):
    """A session with what its cookie holds, which is kept nowhere."""

    session: WebSession
    secret: str


class SessionStore(Protocol):
    """Sessions by the secret of their cookie. Opening and closing one is audited in the same transaction."""

    def open(
        self, *, key_id: str | None, user: str, role: Role, scope: tuple[str, ...], expires_at: datetime
    ) -> NewSession:
        """Open one, and forget those past their time."""
        ...

    def find(self, secret: str) -> WebSession | None:
        """The session of that cookie; None where there is none or its time is past."""
        ...

    def end(self, session_id: str) -> None:
        """End one, again without effect."""
        ...

    def close(self) -> None:
        """Release connections."""
        ...
