"""Messages to customers, from the playbook of an alert's tier; each is written once, whoever asks for it."""

import hashlib
from datetime import datetime
from typing import Final

from retention.playbooks import playbook
from retention.policy import Policy
from retention.wording import Language, is_named, name_of, sentence
from store.alerts import Alert
from store.messages import Message, MessageStatus
from store.records import Task

_OTHER: Final[dict[Language, Language]] = {"zh": "en", "en": "zh"}


def has_message(alert: Alert, policy: Policy) -> bool:
    """Whether the playbook of its tier has anything to send; where a person must call it has not."""
    return playbook(policy.tiers[alert.tier].playbook).has_message


def message_of(
    alert: Alert,
    task: Task | None,
    *,
    policy: Policy,
    language: Language,
    status: MessageStatus,
    now: datetime,
    actor: str,
) -> Message:
    """The message of an alert's playbook, in the customer's language and the other one.

    One a customer, alert and playbook: the id is the same whoever asks. Raises ConfigError where the playbook
    has none.
    """
    name = policy.tiers[alert.tier].playbook
    book = playbook(name)
    texts = {
        each: book.text(each, {"subject": _subject(alert, each), "deadline": _deadline(alert, policy, each)})
        for each in _OTHER
    }
    return Message(
        message_id=_message_id(alert.alert_id, name),
        customer_id=alert.customer_id,
        alert_id=alert.alert_id,
        task_id=task.task_id if task else None,
        tier=alert.tier,
        playbook=name,
        language=language,
        title=book.title(language, subject=_subject(alert, language)),
        text=texts[language],
        translation=texts[_OTHER[language]],
        status=status,
        created_at=now,
        created_by=actor,
        prepared_at=now if status is MessageStatus.PREPARED else None,
    )


def automatic_message(
    alert: Alert, task: Task | None, *, policy: Policy, language: Language, now: datetime, actor: str
) -> Message | None:
    """The message of a tier that needs no person, ready to be sent; None for any other tier."""
    if not policy.tiers[alert.tier].automatic or not has_message(alert, policy):
        return None
    return message_of(
        alert,
        task,
        policy=policy,
        language=language,
        status=MessageStatus.PREPARED,
        now=now,
        actor=actor,
    )


def _subject(alert: Alert, language: Language) -> str:
    """What the message is about as a customer would put it; nobody is told which signals were seen."""
    known = next((cause for cause in alert.causes if is_named("subjects", cause)), "other")
    return name_of("subjects", known, language)


def _deadline(alert: Alert, policy: Policy, language: Language) -> str:
    """By when somebody acts, as the policy has it: within 24 hours."""
    rule = policy.tiers[alert.tier].deadline
    if rule.clock_hours is not None:
        return sentence("message_says", "clock_hours", language, n=f"{rule.clock_hours:g}")
    return sentence("message_says", "working_days", language, n=rule.working_days)


def _message_id(alert_id: str, playbook_name: str) -> str:
    key = f"{alert_id}\x1f{playbook_name}"
    return "message-" + hashlib.blake2b(key.encode(), digest_size=8).hexdigest()
