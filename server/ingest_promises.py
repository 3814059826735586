"""What becomes of the items of a request, and that the same request is told the same again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from pipeline.rows import Draft
from server.api_problems import Conflict
from store.clock import Clock
from store.replies import Reply, ReplyStore

Outcome = Literal["stored", "duplicate", "rejected"]
Outcomes = tuple[Outcome, ...]
_LETTERS: Final[Mapping[str, Outcome]] = {"s": "stored", "d": "duplicate", "r": "rejected"}
_REMEMBERED: Final = timedelta(days=2)
_TIDIED: Final = timedelta(hours=1)


@dataclass(frozen=True)
class Promise:
    """An idempotency key of its owner, and a digest of the request that it was given with."""

    owner: str
    key: str
    request: str

    @property
    def name(self) -> tuple[str, str]:
        """By what it is kept."""
        return self.owner, self.key


class Promises:
    """Outcomes by promise, kept for two days. Each write is one durable transaction."""

    def __init__(self, replies: ReplyStore, clock: Clock) -> None:
        self._replies = replies
        self._clock = clock
        self._tidied: datetime | None = None

    def recall(self, promises: Sequence[Promise]) -> dict[Promise, Outcomes | Conflict]:
        """What was promised before; Conflict for a key that another request was given with."""
        found = self._replies.find([one.name for one in promises])
        return {
            one: _outcomes(kept) if kept.request == one.request else _conflict(one)
            for one in promises
            if (kept := found.get(one.name)) is not None
        }

    def keep(self, made: Mapping[Promise, Outcomes]) -> None:
        """Promise these outcomes."""
        now = self._clock.now()
        self._replies.keep(
            [
                Reply(
                    owner=one.owner,
                    key=one.key,
                    request=one.request,
                    body={"outcomes": "".join(outcome[0] for outcome in outcomes)},
                    kept_at=now,
                )
                for one, outcomes in made.items()
            ]
        )
        if self._tidied is None or now - self._tidied > _TIDIED:
            self._replies.forget(now - _REMEMBERED)
            self._tidied = now


def _conflict(promise: Promise) -> Conflict:
    """The error for a key that comes with another request than the first time."""
    return Conflict(
        f"the idempotency key {promise.key!r} was used for another request",
        hint="send the first request again as it was, or this one with a key of its own",
    )


def outcomes_of(items: Sequence[Draft | str], new: set[str]) -> Outcomes:
    """What becomes of each item where `new` are the ids that are stored now; takes its own out of them."""
    found: list[Outcome] = []
    for item in items:
        if isinstance(item, str):
            found.append("rejected")
        elif (feedback_id := item.fields["feedback_id"]) in new:
            # Of two items, or two requests, with the same id the first has stored it.
            new.discard(feedback_id)
            found.append("stored")
        else:
            found.append("duplicate")
    return tuple(found)


def _outcomes(kept: Reply) -> Outcomes:
    return tuple(_LETTERS[letter] for letter in kept.body["outcomes"])
