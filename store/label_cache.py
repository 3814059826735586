"""What the label cache can be asked: labels by content and labeller, and the queue of what got none."""

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple, Protocol

from pydantic import AwareDatetime

from store.record import Record
from store.records import Labels

# Why a text got no labels. The first four are the server's: worth asking again.
# `refused` is a request that it will not serve; the last two are answers that are no labels.
QueueReason = Literal[
    "unreachable", "overloaded", "timeout", "server_error", "refused", "truncated_output", "invalid_output"
]


class QueuedText(Record):
    """A masked text that `labeller` could not label. Times are UTC; `attempts` counts runs, not requests."""

    text_key: str
    labeller: str
    text: str
    reason: QueueReason
    detail: str = ""
    attempts: int = 1
    first_at: AwareDatetime
    last_at: AwareDatetime


class CachedLabels(NamedTuple):
    """Labels as they were given; `truncated`: the labeller saw only the beginning of the text."""

    labels: Labels
    truncated: bool = False


class LabelCache(Protocol):
    """Labels that cost something, kept by content hash (`store.identity.text_key`) and labeller.

    Every write is one durable transaction; several processes may write at once.
    """

    def find(self, labeller: str, text_keys: Sequence[str]) -> dict[str, CachedLabels]:
        """Return what is known of these texts, by text key."""
        ...

    def keep(self, labeller: str, found: Mapping[str, CachedLabels]) -> None:
        """Keep labels by text key and take these texts off the labeller's queue."""
        ...

    def queue(self, texts: Sequence[QueuedText]) -> None:
        """Queue texts that could not be labelled; one that is queued already counts one more attempt."""
        ...

    def queued(self, labeller: str | None = None, *, limit: int | None = None) -> list[QueuedText]:
        """List what waits, the fewest attempts first, then the oldest."""
        ...

    def queue_counts(self) -> dict[tuple[str, str], int]:
        """How many texts wait, by (labeller, reason)."""
        ...

    def dismiss(self, labeller: str, text_keys: Sequence[str]) -> int:
        """Take texts off the queue without labels; return how many were on it."""
        ...

    def close(self) -> None:
        """Release connections."""
        ...
