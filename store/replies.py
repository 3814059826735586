"""Answers that are given again: the request with the same idempotency key gets the same one."""

from datetime import datetime
from typing import Any, Protocol

from pydantic import AwareDatetime

from store.record import Record


class Reply(Record):
    """What `owner` was answered to the request of a key; `request` is a digest of what was asked."""

    owner: str
    key: str
    request: str
    body: dict[str, Any]
    kept_at: AwareDatetime


class ReplyStore(Protocol):
    """Replies. Every write is one durable transaction."""

    def find(self, owner: str, key: str) -> Reply | None:
        """The reply of a key."""
        ...

    def keep(self, reply: Reply) -> Reply:
        """Keep a reply, or return the one of that owner and key that is kept already."""
        ...

    def forget(self, before: datetime) -> int:
        """Delete replies kept before; how many."""
        ...

    def close(self) -> None:
        """Release connections."""
        ...
