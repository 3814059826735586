"""Whether a message may go to a customer now, later, or not any more: policy and records in, decision out."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal
from zoneinfo import ZoneInfo

from retention.holdout import in_holdout
from retention.policy import Policy
from store.contacts import EVERY_CHANNEL, ContactFile
from store.messages import Message

# Ends a message, or holds it up; in words: `message_reasons` in wording.yaml.
Stop = Literal["left", "opted_out", "stop_tier", "alert_closed", "expired", "holdout"]
Hold = Literal["quiet_hours", "frequency", "most_a_day", "no_channel", "no_address"]
_LOOK_AGAIN: Final = timedelta(hours=1)


@dataclass(frozen=True)
class Recipient:
    """A customer as a sender sees him. `reached_by`: channels with an address, in the policy's order."""

    customer_id: str
    policy: Policy
    zone: ZoneInfo
    reached_by: tuple[str, ...] = ()
    opted_out: frozenset[str] = frozenset()
    left_at: datetime | None = None


@dataclass(frozen=True)
class Send:
    """It may go now, by this channel."""

    channel: str


@dataclass(frozen=True)
class Wait:
    """Not now; to be looked at again at `until`."""

    reason: Hold
    until: datetime


@dataclass(frozen=True)
class Refuse:
    """Never."""

    reason: Stop


def decide_sending(
    message: Message,
    file: ContactFile,
    recipient: Recipient,
    channels: Sequence[str],
    now: datetime,
    *,
    last_day: int,
) -> Send | Wait | Refuse:
    """What is to become of a prepared message. `channels` are those there are; `last_day`: sent in 24 hours.

    What ends it comes before what holds it up, and the gravest first.
    """
    ended = _ended(message, file, recipient, channels, now)
    if ended is not None:
        return Refuse(ended)
    rules = recipient.policy.messages
    there = [name for name in rules.channels if name in channels]
    if not there:
        return Wait("no_channel", now + _LOOK_AGAIN)
    unwanted = file.opted_out | recipient.opted_out
    open_to = [name for name in there if name in recipient.reached_by and name not in unwanted]
    if not open_to:
        return Wait("no_address", now + _LOOK_AGAIN)
    quiet = rules.quiet_hours.until(now, recipient.zone) if rules.quiet_hours else None
    if quiet is not None:
        return Wait("quiet_hours", quiet)
    if (free := _free_again(message, file, recipient.policy, now)) is not None:
        return Wait("frequency", free)
    if last_day >= rules.most_a_day:
        return Wait("most_a_day", now + _LOOK_AGAIN)
    # Last of all: those held out are those who would have been written to, else they were no control.
    return Refuse("holdout") if _held_out(message, recipient) else Send(open_to[0])


def expiry(message: Message, policy: Policy) -> datetime:
    """When it is too late for a message: its own time, or so long after it was prepared."""
    if message.expires_at is not None:
        return message.expires_at
    return (message.prepared_at or message.created_at) + timedelta(hours=policy.messages.expires_hours)


def _ended(
    message: Message, file: ContactFile, recipient: Recipient, channels: Sequence[str], now: datetime
) -> Stop | None:
    rules = recipient.policy.messages
    if recipient.left_at is not None and recipient.left_at > message.created_at:
        return "left"
    unwanted = file.opted_out | recipient.opted_out
    named = [name for name in rules.channels if name in channels] or list(rules.channels)
    if EVERY_CHANNEL in unwanted or all(name in unwanted for name in named):
        return "opted_out"
    if any(alert.status == "open" and alert.tier in rules.stop_tiers for alert in file.alerts):
        return "stop_tier"
    of = next((alert for alert in file.alerts if alert.alert_id == message.alert_id), None)
    if of is not None and of.status == "closed":
        return "alert_closed"
    return "expired" if now >= expiry(message, recipient.policy) else None


def _held_out(message: Message, recipient: Recipient) -> bool:
    rule = recipient.policy.outcomes.holdout
    automatic = message.approved_by is None and message.kind == "playbook"
    return automatic and message.tier in rule.tiers and in_holdout(message.customer_id, rule)


def _free_again(message: Message, file: ContactFile, policy: Policy, now: datetime) -> datetime | None:
    """When the customer may be written to again; None: now. A message does not hold up itself."""
    rule = policy.messages.frequency
    span = timedelta(days=rule.days)
    went = sorted(_went_at(one) for one in file.went if one.message_id != message.message_id)
    recent = [at for at in went if at > now - span]
    return recent[-rule.messages] + span if len(recent) >= rule.messages else None


def _went_at(message: Message) -> datetime:
    return message.sent_at or message.prepared_at or message.created_at
