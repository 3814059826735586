"""Sending to customers: who does not want to hear from us, coupons to give, and messages on their way."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Final, NamedTuple, Protocol

from pydantic import AwareDatetime, Field

from store.alerts import Alert
from store.compensations import Compensation
from store.messages import Message, MessageStatus
from store.record import Record

EVERY_CHANNEL: Final = "all"


class OptOut(Record):
    """A customer wants nothing more by a channel, or by any (`all`); `source`: where that was said."""

    customer_id: Annotated[str, Field(min_length=1, max_length=200)]
    channel: Annotated[str, Field(min_length=1, max_length=60)] = EVERY_CHANNEL
    at: AwareDatetime
    by: str
    source: str = ""


class Coupon(Record):
    """One code of the company's own, given once; `valid_until` is when it ends."""

    code: Annotated[str, Field(min_length=1, max_length=100)]
    amount: Annotated[float, Field(gt=0)]
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
    valid_until: AwareDatetime
    message_id: str | None = None
    customer_id: str | None = None
    given_at: AwareDatetime | None = None


class ContactFile(NamedTuple):
    """What the store holds of one customer that a sender must know.

    `opted_out`: channels, or `all`. `went`: messages that went, or may have, newest first. `alerts`: the open
    ones, and those of the messages that are due.
    """

    opted_out: frozenset[str] = frozenset()
    went: tuple[Message, ...] = ()
    alerts: tuple[Alert, ...] = ()
    compensations: tuple[Compensation, ...] = ()
    coupons: tuple[Coupon, ...] = ()


class SendingBoard(NamedTuple):
    """What is due, oldest first, with the files of its customers.

    `last_day`: messages that went to anybody within 24 hours; `given`: coupons given within 30 days; `free`:
    valid ones still to give, the first to end first.
    """

    due: tuple[Message, ...]
    files: Mapping[str, ContactFile]
    last_day: int
    given: tuple[Coupon, ...]
    free: tuple[Coupon, ...]


class MessageMove(NamedTuple):
    """A message as it is to be kept, and the code of the coupon that goes with it."""

    message: Message
    coupon: str = ""


DecideMessages = Callable[[SendingBoard], Sequence[MessageMove]]


class ContactStore(Protocol):
    """Opt-outs, coupons and the sending of messages. Every write is one durable transaction, and audited."""

    def opt_out(self, wishes: Sequence[OptOut]) -> int:
        """Keep those that are not kept yet; how many that were. Messages by the channel stop at once."""
        ...

    def opt_in(self, customer_id: str, channel: str, *, actor: str) -> bool:
        """Take an opt-out back; whether there was one."""
        ...

    def opt_outs(self, customer_id: str | None = None) -> list[OptOut]:
        """List opt-outs, by customer and channel."""
        ...

    def add_coupons(self, coupons: Sequence[Coupon], *, actor: str) -> int:
        """Keep those whose code is not kept yet; how many that were."""
        ...

    def coupons(self, *, given: bool | None = None) -> list[Coupon]:
        """List coupons, the first to end first."""
        ...

    def due(self, now: datetime, *, limit: int = 100) -> list[Message]:
        """What is prepared, or was lent for too long, and may be looked at by now; oldest first."""
        ...

    def revise_messages(
        self, message_ids: Sequence[str], decide: DecideMessages, *, now: datetime, actor: str
    ) -> list[Message]:
        """Let `decide` see those of the messages that are still due and keep what it returns.

        Nobody writes in between, and `decide` must be quick and ask no store: the write lock is held.
        """
        ...

    def settle(
        self,
        message: Message,
        status: MessageStatus,
        *,
        at: datetime,
        reason: str = "",
        detail: str = "",
        next_at: datetime | None = None,
    ) -> Message:
        """Say what became of a message that was lent; nothing changes where it was lent anew meanwhile."""
        ...

    def close(self) -> None:
        """Release connections."""
        ...
