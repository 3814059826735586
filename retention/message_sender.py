"""Sends what is prepared for customers: decided about under the lock, lent, handed over, settled.

A channel that can be asked twice is asked again after a crash, with the same id. Of any other nobody can tell
whether the letter went: it is not sent again, and says so.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import structlog

from retention.contact_wishes import opted_out_by_profile, zone_of
from retention.customer_channel import CustomerChannel, Letter, NotReached, PerhapsReached
from retention.guides import Guide
from retention.message_extras import with_extras
from retention.message_rules import Recipient, Refuse, Send, Wait, decide_sending
from retention.policy import Policy
from retention.segments import policies_for
from store.clock import Clock
from store.contacts import ContactStore, MessageMove, SendingBoard
from store.facts import FactStore
from store.messages import Message, MessageStatus

ACTOR: Final = "sender"
_LOG = structlog.get_logger()
_LEASE: Final = timedelta(minutes=5)
# Minutes until the next try; after the last one it has failed.
_PAUSES: Final = (1, 5, 15, 60, 240, 720)
_TAKEN: Final = 200
# Somebody else dealt with it meanwhile.
_NOT_MINE: Final = ""


@dataclass(frozen=True)
class SendReport:
    """How many were sent, wait, are not sent any more, failed, and of how many nobody knows."""

    sent: int = 0
    waiting: int = 0
    ended: int = 0
    failed: int = 0
    unsure: int = 0


@dataclass(frozen=True)
class MessageSender:
    """Sends the messages of one store. `channels` by name; safe in several processes at once."""

    contacts: ContactStore
    facts: FactStore
    channels: Mapping[str, CustomerChannel]
    policies: Callable[[], Policy]
    clock: Clock
    zone: ZoneInfo
    guides: Sequence[Guide] = ()

    def run(self) -> SendReport:
        """Look at all that is due once."""
        counted: dict[str, int] = {}
        policy = self.policies()
        seen: set[str] = set()
        while due := self._due(seen):
            seen |= {one.message_id for one in due}
            recipients = self._recipients(sorted({one.customer_id for one in due}), policy)
            for message in due:
                outcome = self._one(message, recipients[message.customer_id])
                counted[outcome] = counted.get(outcome, 0) + 1
        counted.pop(_NOT_MINE, None)
        return SendReport(**counted)

    def _due(self, seen: Collection[str]) -> list[Message]:
        found = self.contacts.due(self.clock.now(), limit=_TAKEN + len(seen))
        return [one for one in found if one.message_id not in seen]

    def _recipients(self, customer_ids: Sequence[str], policy: Policy) -> dict[str, Recipient]:
        profiles = {one.customer_id: one for one in self.facts.customers(customer_ids)}
        policies = policies_for(self.facts, policy, customer_ids, self.clock.now())
        outcomes = self.facts.outcomes(customer_ids)
        left = {one.customer_id: one.occurred_at for one in outcomes if one.outcome == "churned"}
        found = {}
        for one in customer_ids:
            own, profile = policies.of(one), profiles.get(one)
            rules = own.messages
            there = [name for name in rules.channels if name in self.channels]
            found[one] = Recipient(
                customer_id=one,
                policy=own,
                zone=zone_of(profile, rules, self.zone),
                reached_by=tuple(name for name in there if self.channels[name].address(one) is not None),
                opted_out=opted_out_by_profile(profile, rules),
                left_at=left.get(one),
            )
        return found

    def _one(self, message: Message, recipient: Recipient) -> str:
        """Decide about one message and, where it may go, hand it over; what became of it, for the count."""
        now = self.clock.now()

        def decide(board: SendingBoard) -> list[MessageMove]:
            return [self._move(one, recipient, board, now) for one in board.due]

        kept = self.contacts.revise_messages([message.message_id], decide, now=now, actor=ACTOR)
        if not kept:
            return _NOT_MINE
        (stored,) = kept
        if stored.status is MessageStatus.PREPARED:
            return "waiting"
        if stored.status is MessageStatus.CANCELLED:
            return "ended"
        if stored.status is MessageStatus.FAILED:
            return "unsure"
        if stored.reason:
            return "waiting"
        return self._hand_over(stored)

    def _move(
        self, message: Message, recipient: Recipient, board: SendingBoard, now: datetime
    ) -> MessageMove:
        perhaps_went = message.status is MessageStatus.SENDING
        channels = list(self.channels)
        if perhaps_went:
            channel = self.channels.get(message.channel)
            if channel is None or not channel.repeatable:
                return _moved(message, status=MessageStatus.FAILED, reason="unsure", next_at=None)
            channels = [message.channel]
        file = board.files[message.customer_id]
        decision = decide_sending(message, file, recipient, channels, now, last_day=board.last_day)
        if isinstance(decision, Wait):
            return _moved(message, reason=decision.reason, next_at=decision.until)
        if isinstance(decision, Refuse):
            # Not cancelled where it may have gone: the record must not say that nothing did.
            status = MessageStatus.FAILED if perhaps_went else MessageStatus.CANCELLED
            reason = "unsure" if perhaps_went else decision.reason
            return _moved(message, status=status, reason=reason, detail=message.reason, next_at=None)
        full = with_extras(message, recipient, board, self.guides, now)
        return self._lent(full.message, decision, full.coupon, now)

    def _lent(self, message: Message, decision: Send, coupon: str, now: datetime) -> MessageMove:
        lent = {
            "status": MessageStatus.SENDING,
            "channel": decision.channel,
            "attempts": message.attempts + 1,
            "next_at": now + _LEASE,
            "reason": "",
            "detail": "",
        }
        return MessageMove(message.model_copy(update=lent), coupon)

    def _hand_over(self, message: Message) -> str:
        channel = self.channels[message.channel]
        address = channel.address(message.customer_id)
        try:
            if address is None:
                raise NotReached("the address is gone")
            channel.send(_letter(message, address))
        except NotReached as error:
            return self._not_reached(message, error)
        except PerhapsReached as error:
            self._settle(message, MessageStatus.FAILED, "unsure", error.message)
            return "unsure"
        self._settle(message, MessageStatus.SENT)
        return "sent"

    def _not_reached(self, message: Message, error: NotReached) -> str:
        last = error.lasting or message.attempts > len(_PAUSES)
        _LOG.warning(
            "message_not_sent",
            message=message.message_id,
            channel=message.channel,
            attempts=message.attempts,
            detail=error.message,
            given_up=last,
        )
        if last:
            self._settle(message, MessageStatus.FAILED, "not_reached", error.message)
            return "failed"
        pause = timedelta(minutes=_PAUSES[message.attempts - 1])
        again = self.clock.now() + pause
        self._settle(message, MessageStatus.PREPARED, "not_reached", error.message, again)
        return "waiting"

    def _settle(
        self,
        message: Message,
        status: MessageStatus,
        reason: str = "",
        detail: str = "",
        next_at: datetime | None = None,
    ) -> None:
        now = self.clock.now()
        self.contacts.settle(message, status, at=now, reason=reason, detail=detail, next_at=next_at)


def _moved(message: Message, **changes: object) -> MessageMove:
    return MessageMove(message.model_copy(update=changes))


def _letter(message: Message, address: str) -> Letter:
    return Letter(
        letter_id=message.message_id,
        kind=message.kind,
        customer_id=message.customer_id,
        address=address,
        language=message.language,
        title=message.title,
        text=message.text,
    )
