"""What people decide about messages to customers: stopped, tried again, not wanted, wanted again."""

from collections.abc import Sequence
from datetime import datetime

from retention.approvals import require_approver
from store.contacts import EVERY_CHANNEL, ContactStore, Coupon, OptOut
from store.errors import NotPermitted, ToolInputError
from store.messages import Message, MessageStatus
from store.operations import OperationStore

# Whoever talks to a customer may be told that he wants no more messages, and may stop one.
_MAY_STOP = frozenset({"analyst", "service", "manager", "admin"})


def message_named(operations: OperationStore, message_id: str) -> Message:
    """The message of that id; ToolInputError where there is none that may be seen."""
    found = next((one for one in operations.messages() if one.message_id == message_id), None)
    if found is None:
        raise ToolInputError(f"no message {message_id!r}", hint="voiceloop messages list")
    return found


def cancel_message(operations: OperationStore, message_id: str, *, actor: str, role: str) -> Message:
    """Have a message not sent. Raises NotPermitted, or ToolInputError where it went already."""
    _require_stop(role, "message")
    message_named(operations, message_id)
    return operations.set_message_status(message_id, MessageStatus.CANCELLED, actor=actor, reason="cancelled")


def retry_message(operations: OperationStore, message_id: str, *, actor: str, role: str) -> Message:
    """Have a message that failed sent again, by somebody who may approve.

    For one of which nobody knows whether it arrived, that is their judgement. Raises NotPermitted, or
    ToolInputError for one that has not failed.
    """
    require_approver(role, "message")
    if message_named(operations, message_id).status is not MessageStatus.FAILED:
        raise ToolInputError(f"message {message_id!r} has not failed", hint="voiceloop messages show")
    return operations.set_message_status(message_id, MessageStatus.PREPARED, actor=actor)


def opt_out(
    contacts: ContactStore,
    customer_id: str,
    channel: str,
    *,
    known: Sequence[str],
    actor: str,
    role: str,
    now: datetime,
    source: str = "",
) -> list[OptOut]:
    """Write nothing more to a customer by a channel, or by any; the same again changes nothing.

    `known`: the policy's channels. Raises NotPermitted, or ToolInputError for a channel that is none of them.
    """
    _require_stop(role, "opt-out")
    _require_channel(channel, known)
    wish = OptOut(customer_id=customer_id, channel=channel, at=now, by=actor, source=source)
    contacts.opt_out([wish])
    return contacts.opt_outs(customer_id)


def opt_in(
    contacts: ContactStore, customer_id: str, channel: str, *, known: Sequence[str], actor: str, role: str
) -> list[OptOut]:
    """Take an opt-out back: the customer has agreed again, and a manager answers for that."""
    require_approver(role, "opt-out")
    _require_channel(channel, known)
    if not contacts.opt_in(customer_id, channel, actor=actor):
        raise ToolInputError(f"customer {customer_id!r} has not opted out of {channel}")
    return contacts.opt_outs(customer_id)


def add_coupons(contacts: ContactStore, coupons: Sequence[Coupon], *, actor: str, role: str) -> int:
    """Keep codes to give away; how many are new. NotPermitted for who may not approve."""
    require_approver(role, "coupons")
    return contacts.add_coupons(coupons, actor=actor)


def _require_stop(role: str, what: str) -> None:
    if role not in _MAY_STOP:
        raise NotPermitted(f"{what}: role {role!r} is not permitted to stop messages")


def _require_channel(channel: str, known: Sequence[str]) -> None:
    if channel not in (EVERY_CHANNEL, *known):
        raise ToolInputError(
            f"no channel {channel!r}", hint=f"channels: {', '.join((EVERY_CHANNEL, *known))}"
        )
