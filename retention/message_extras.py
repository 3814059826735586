"""What is added to a message that goes by itself: a guide, and a coupon within its caps."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from retention.guides import Guide, guide_for
from retention.message_rules import Recipient
from retention.playbooks import PlaybookMessage, playbook
from retention.policy import Policy
from retention.wording import Language, is_named, sentence
from store.contacts import ContactFile, Coupon, SendingBoard
from store.messages import Message

_OTHER: Final[dict[Language, Language]] = {"zh": "en", "en": "zh"}


class Extras(NamedTuple):
    """The message with its lines, and the code of the coupon that it gives away."""

    message: Message
    coupon: str = ""


def with_extras(
    message: Message, recipient: Recipient, board: SendingBoard, guides: Sequence[Guide], now: datetime
) -> Extras:
    """Add the lines to a playbook's message that nobody approved word by word and that never went before."""
    if message.kind != "playbook" or message.approved_by is not None or message.attempts:
        return Extras(message)
    words, file = playbook(message.playbook).words, board.files[message.customer_id]
    topics = next((one.topics for one in file.alerts if one.alert_id == message.alert_id), ())
    guide = guide_for(topics, guides) if words.guide else None
    coupon = coupon_for(message, file, recipient.policy, board, now) if words.coupon else None
    language: Language = "zh" if message.language == "zh" else "en"
    other = _OTHER[language]
    changed = {
        "text": "\n".join([message.text, *_lines(words, guide, coupon, language, recipient.zone)]),
        "translation": "\n".join([message.translation, *_lines(words, guide, coupon, other, recipient.zone)]),
    }
    return Extras(message.model_copy(update=changed), coupon.code if coupon else "")


def coupon_for(
    message: Message, file: ContactFile, policy: Policy, board: SendingBoard, now: datetime
) -> Coupon | None:
    """The largest coupon that the caps allow; None for a tier or a customer that is to have none."""
    rules, currency = policy.messages.coupons, policy.authority.currency
    most = rules.tiers.get(message.tier, 0.0) if message.tier else 0.0
    since = now - timedelta(days=rules.days)
    made_up_for = any(
        one.status == "granted" and (one.decided_at or one.proposed_at) > since for one in file.compensations
    )
    given_before = any(one.given_at is not None and one.given_at > since for one in file.coupons)
    if not most or made_up_for or given_before:
        return None
    left = rules.month - sum(one.amount for one in board.given if one.currency == currency)
    fitting = [one for one in board.free if one.currency == currency and one.amount <= min(most, left)]
    # Of equal ones the first to end: they come in that order.
    return max(fitting, key=lambda one: one.amount, default=None)


def _lines(
    words: PlaybookMessage, guide: Guide | None, coupon: Coupon | None, language: Language, zone: ZoneInfo
) -> list[str]:
    lines = []
    if words.guide is not None and guide is not None:
        page = guide.page(language)
        lines.append(words.guide.filled(language, {"title": page.title, "address": page.address}))
    if words.coupon is not None and coupon is not None:
        # The last day on which it is good for sure.
        day = (coupon.valid_until - timedelta(microseconds=1)).astimezone(zone)
        until = sentence("message_says", "until", language, year=day.year, month=day.month, day=day.day)
        values = {"amount": _amount(coupon, language), "code": coupon.code, "until": until}
        lines.append(words.coupon.filled(language, values))
    return lines


def _amount(coupon: Coupon, language: Language) -> str:
    own = f"amount_{coupon.currency}"
    if is_named("message_says", own):
        return sentence("message_says", own, language, n=f"{coupon.amount:g}")
    return sentence("message_says", "amount", language, n=f"{coupon.amount:g}", currency=coupon.currency)
