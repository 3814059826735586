"""Answers that are given again: the request with the same idempotency key gets the same one."""

from collections.abc import Sequence
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

    def find(self, names: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Reply]:
        """The replies that are kept, by (owner, key)."""
        ...

    def keep(self, replies: Sequence[Reply]) -> None:
        """Keep replies; one that is kept already stays as it is."""
        ...

    def forget(self, before: datetime) -> int:
        """Delete replies kept before; how many."""
        ...

    def close(self) -> None:
        """Release connections."""
        ...
