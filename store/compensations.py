"""What customers were offered to make up for something, and what of it was granted."""

from collections.abc import Callable, Sequence
from typing import Annotated, Literal, Protocol

from pydantic import AwareDatetime, Field

from store.record import Record
from store.records import Tier

CompensationStatus = Literal["proposed", "granted", "declined"]


class Compensation(Record):
    """One offer to one customer; its id is derived from the conversation, so that one is made once.

    `tier` is that which the conversation called for, `amount` what is proposed or was granted, in `currency`.
    """

    compensation_id: str
    customer_id: str
    conversation_id: str
    tier: Tier
    kind: str
    amount: Annotated[float, Field(ge=0)]
    currency: str
    status: CompensationStatus = "proposed"
    proposed_at: AwareDatetime
    proposed_by: str
    decided_at: AwareDatetime | None = None
    decided_by: str | None = None


DecideCompensation = Callable[[Sequence[Compensation]], Compensation | None]


class CompensationOperations(Protocol):
    """Part of `OperationStore`. Every write is one durable transaction."""

    def compensations(
        self, *, customer_id: str | None = None, conversation_id: str | None = None
    ) -> list[Compensation]:
        """List offers, newest first."""
        ...

    def revise_compensation(
        self, customer_id: str, decide: DecideCompensation, *, actor: str
    ) -> Compensation | None:
        """Let `decide` see a customer's offers and keep the one it returns (audited).

        Nobody writes in between: two people can never grant more than a limit that both kept to.
        """
        ...
