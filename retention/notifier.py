"""Telling people outside the server: one Protocol, and the implementation that writes to the log."""

from typing import Literal, Protocol

import structlog

from store.errors import VoiceLoopError
from store.record import Record
from store.records import Tier

_LOG = structlog.get_logger()

Topic = Literal["alert", "report"]


class Notification(Record):
    """What is told. `notification_id` is the same at a repetition; `subject` is the id of what it is about.

    `title` is one line; `text` is plain, masked and without markup.
    """

    notification_id: str
    topic: Topic
    subject: str
    tier: Tier | None = None
    title: str
    text: str


class NotSent(VoiceLoopError):
    """A notification has not arrived. `lasting`: nor will it, if it is sent again.

    Its message never holds the address: that may be a secret.
    """

    def __init__(self, message: str, *, lasting: bool = False) -> None:
        super().__init__(message)
        self.lasting = lasting


class Notifier(Protocol):
    """A way to tell somebody something."""

    def send(self, notification: Notification) -> None:
        """Deliver one notification, or raise NotSent. May be called again with the same one."""
        ...


class LogNotifier:
    """Tells the server's log that there is something to see, not what: a log is no place for customers."""

    def send(self, notification: Notification) -> None:
        """Write one line."""
        _LOG.warning(
            "notification",
            topic=notification.topic,
            subject=notification.subject,
            tier=notification.tier.value if notification.tier else None,
        )
