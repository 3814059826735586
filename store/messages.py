"""Messages to customers: each is drafted or prepared, kept, sent once, and says why where it is not."""

from enum import StrEnum
from typing import Literal

from pydantic import AwareDatetime

from store.record import Record
from store.records import Tier

MessageKind = Literal["playbook", "survey"]


class MessageStatus(StrEnum):
    """Where a message stands. Nothing leaves before `prepared`; `sending`: lent to a sender."""

    PENDING_APPROVAL = "pending_approval"
    PREPARED = "prepared"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"
    REJECTED = "rejected"
    CANCELLED = "cancelled"


class Message(Record):
    """One message to one customer; `message_id` is derived from what it is about, so that it is written once.

    `text` is in the customer's language, `translation` in the other one; `title` is the subject of a mail.
    `kind` says what it is of: `playbook` names the playbook, or the survey. `scope` as of a task.
    `prepared_at`: since when it may go; `expires_at`: later than that it does not. `next_at`: not looked at
    before; while it is `sending`, until when it is lent to its sender. `attempts` counts how often it was
    lent. `reason` is a code of what holds it up or ended it, `detail` what the channel said; neither holds an
    address. `channel` is that by which it went last.
    """

    message_id: str
    kind: MessageKind = "playbook"
    customer_id: str
    alert_id: str | None = None
    task_id: str | None = None
    tier: Tier | None = None
    playbook: str
    language: str
    title: str = ""
    text: str
    translation: str
    status: MessageStatus
    scope: tuple[str, ...] = ()
    created_at: AwareDatetime
    created_by: str
    approved_by: str | None = None
    prepared_at: AwareDatetime | None = None
    expires_at: AwareDatetime | None = None
    next_at: AwareDatetime | None = None
    attempts: int = 0
    sent_at: AwareDatetime | None = None
    channel: str = ""
    reason: str = ""
    detail: str = ""
