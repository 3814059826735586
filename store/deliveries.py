"""What is told to people outside the server: each message to each target, until it is sent or given up."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, Protocol

from pydantic import AwareDatetime

from store.record import Record

DeliveryState = Literal["waiting", "sent", "given_up"]


class Delivery(Record):
    """One message to one target; `delivery_id` is derived from both, so that it is kept once.

    `target` is the name a target has in the settings, never its address. `detail` says why it was not sent
    the last time, without addresses or texts.
    """

    delivery_id: str
    target: str
    subject: str
    tier: str = ""
    title: str
    text: str
    created_at: AwareDatetime
    next_at: AwareDatetime
    state: DeliveryState = "waiting"
    attempts: int = 0
    sent_at: AwareDatetime | None = None
    detail: str = ""


class DeliveryStore(Protocol):
    """Deliveries. Every write is one durable transaction."""

    def add(self, deliveries: Sequence[Delivery]) -> int:
        """Keep those that are not kept yet; how many that were."""
        ...

    def claim(self, now: datetime, *, limit: int = 50, lease_s: float = 120.0) -> list[Delivery]:
        """Those whose time has come, lent to the caller: nobody else is given them for `lease_s` seconds."""
        ...

    def sent(self, delivery_id: str, at: datetime) -> None:
        """It has arrived."""
        ...

    def failed(self, delivery_id: str, detail: str, next_at: datetime | None) -> None:
        """It has not arrived: tried again at `next_at`, or given up where that is None."""
        ...

    def deliveries(self, *, state: DeliveryState | None = None, limit: int = 100) -> list[Delivery]:
        """List deliveries, newest first."""
        ...

    def close(self) -> None:
        """Release connections."""
        ...
