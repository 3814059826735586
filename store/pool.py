"""The high-risk pool: customers somebody cares for, why and since when."""

from collections.abc import Callable, Sequence
from typing import Literal, Protocol

from pydantic import AwareDatetime, FiniteFloat

from store.record import Record

PoolEnding = Literal["recovered", "left", "removed"]


class PoolReason(Record):
    """Why a customer is in the pool: an open alert, a low score, or a person's judgement.

    `name` is the tier, the score or the person's words; `value` the score; `subject` the id of the alert or
    of the feedback. `at` is since when.
    """

    kind: Literal["alert", "low_score", "manual"]
    name: str
    value: FiniteFloat | None = None
    subject: str = ""
    at: AwareDatetime


class PoolEntry(Record):
    """One stay of one customer in the pool; at most one at a time. An empty `carer`: nobody has room yet."""

    entry_id: str
    customer_id: str
    entered_at: AwareDatetime
    reasons: tuple[PoolReason, ...]
    carer: str = ""
    left_at: AwareDatetime | None = None
    left_because: PoolEnding | None = None


DecidePool = Callable[[Sequence[PoolEntry]], Sequence[PoolEntry]]


class PoolOperations(Protocol):
    """Part of `OperationStore`. Every write is one durable transaction."""

    def pool(self, *, customer_id: str | None = None, past: bool = False) -> list[PoolEntry]:
        """Who is in the pool, longest first; `past`: earlier stays too."""
        ...

    def revise_pool(self, decide: DecidePool, *, actor: str) -> Sequence[PoolEntry]:
        """Let `decide` see every stay and keep the entries it returns (audited); nobody writes in between."""
        ...
