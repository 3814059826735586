"""Messages to customers: each is drafted, approved and kept, whether or not a channel is there to send it."""

from enum import StrEnum

from pydantic import AwareDatetime

from store.record import Record
from store.records import Tier


class MessageStatus(StrEnum):
    """Where a message stands. Nothing leaves before `prepared`, and that needs a channel to customers."""

    PENDING_APPROVAL = "pending_approval"
    PREPARED = "prepared"
    SENT = "sent"
    FAILED = "failed"
    REJECTED = "rejected"
    CANCELLED = "cancelled"


class Message(Record):
    """One message to one customer, from a playbook; `message_id` is derived from what it is about.

    `text` is in the customer's language, `translation` in the other one. `scope` as of a task.
    """

    message_id: str
    customer_id: str
    alert_id: str | None = None
    task_id: str | None = None
    tier: Tier
    playbook: str
    language: str
    text: str
    translation: str
    status: MessageStatus
    scope: tuple[str, ...] = ()
    created_at: AwareDatetime
    created_by: str
    approved_by: str | None = None
    sent_at: AwareDatetime | None = None
    channel: str = ""
    detail: str = ""
