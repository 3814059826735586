"""The outbox: what is to be told is kept first and sent then, so that no end of a process loses it.

A notification goes out at least once: a process that ends between the sending and the record of it sends it
again, with the same id.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Final, NamedTuple

import structlog

from retention.notifier import Notification, Notifier, NotSent
from store.clock import Clock
from store.deliveries import Delivery, DeliveryStore
from store.errors import VoiceLoopError
from store.records import Tier

_LOG = structlog.get_logger()
# Minutes until the next try; after the last one it is given up.
_PAUSES: Final = (1, 2, 5, 15, 30, 60, 120, 240, 480)
_CLAIMED: Final = 20


class Sent(NamedTuple):
    """How many deliveries arrived, failed for now, and were given up."""

    arrived: int = 0
    failed: int = 0
    given_up: int = 0


class Outbox:
    """Keeps notifications by target and sends those that are due. `mask` takes personal data out of texts."""

    def __init__(
        self,
        deliveries: DeliveryStore,
        notifiers: Mapping[str, Notifier],
        clock: Clock,
        mask: Callable[[Sequence[str]], Sequence[str]],
    ) -> None:
        self._deliveries = deliveries
        self._notifiers = notifiers
        self._clock = clock
        self._mask = mask

    def keep(self, told: Sequence[tuple[str, Notification]]) -> int:
        """Keep each notification for a target by its name, once; how many are new."""
        now = self._clock.now()
        texts = self._mask([text for _, one in told for text in (one.title, one.text)])
        kept = [
            Delivery(
                delivery_id=f"{one.notification_id}:{target}",
                target=target,
                subject=one.subject,
                tier=one.tier.value if one.tier else "",
                title=texts[2 * at],
                text=texts[2 * at + 1],
                created_at=now,
                next_at=now,
            )
            for at, (target, one) in enumerate(told)
        ]
        return self._deliveries.add(kept)

    def send_due(self) -> Sent:
        """Send what is due, one after the other; every outcome is recorded as it comes."""
        arrived = failed = given_up = 0
        for delivery in self._deliveries.claim(self._clock.now(), limit=_CLAIMED):
            error = self._send(delivery)
            if error is None:
                self._deliveries.sent(delivery.delivery_id, self._clock.now())
                arrived += 1
                continue
            last = error.lasting or delivery.attempts > len(_PAUSES)
            pause = timedelta(minutes=_PAUSES[min(delivery.attempts, len(_PAUSES)) - 1])
            self._deliveries.failed(
                delivery.delivery_id, error.message, None if last else self._clock.now() + pause
            )
            failed, given_up = failed + (not last), given_up + last
            log = _LOG.error if last else _LOG.warning
            log(
                "notification_not_sent",
                delivery=delivery.delivery_id,
                attempts=delivery.attempts,
                reason=error.message,
                given_up=last,
            )
        return Sent(arrived, failed, given_up)

    def _send(self, delivery: Delivery) -> NotSent | None:
        notifier = self._notifiers.get(delivery.target)
        if notifier is None:
            return NotSent("the settings have no such target any more", lasting=True)
        try:
            notifier.send(
                Notification(
                    notification_id=delivery.delivery_id,
                    topic="alert" if delivery.tier else "report",
                    subject=delivery.subject,
                    tier=Tier(delivery.tier) if delivery.tier else None,
                    title=delivery.title,
                    text=delivery.text,
                )
            )
        except NotSent as error:
            return error
        except VoiceLoopError as error:
            return NotSent(error.message)
        return None
