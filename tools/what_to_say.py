"""What to say to the customer of an alert or task: gathers what is known of them for the talking points."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from retention.behaviour import load_behaviour
from retention.compensation import granted_within
from retention.talking_points import Grounds, talking_points
from retention.wording import name_of
from store.alerts import Alert
from store.facts import Window
from store.records import LabelledFeedback, Sentiment, Task, Tier
from tools.arguments import Language
from tools.context import ToolContext

_USE_DAYS: Final = 90
_PRAISED: Final = 3


def say_to_customer(
    customer_id: str,
    tier: Tier,
    causes: Sequence[str],
    items: Sequence[LabelledFeedback],
    language: Language,
    context: ToolContext,
    *,
    owner: str,
    due_at: datetime | None,
    quote: str = "",
) -> list[dict[str, str]]:
    """Talking points as results show them; `items` are the customer's newest, with their labels."""
    now, policy = context.clock.now(), context.policy_of(customer_id)
    [*known] = context.facts.customers([customer_id])
    names = context.taxonomy.titles(language)
    grounds = Grounds(
        tier=tier,
        causes=causes,
        customer=known[0] if known else None,
        owner=owner,
        due_at=due_at,
        today=now.astimezone(context.zone).date(),
        quote=quote,
        praised=[names.get(topic, topic) for topic in _praised(items)],
        uses=_uses(customer_id, now, context),
        use_days=_USE_DAYS,
        granted=granted_within(
            context.operations.compensations(customer_id=customer_id), policy.authority, now
        ),
    )
    return [point._asdict() for point in talking_points(grounds, policy, language, context.zone)]


def say_for_alert(
    alert: Alert,
    task: Task | None,
    items: Sequence[LabelledFeedback],
    quotes: Sequence[dict[str, Any]],
    language: Language,
    context: ToolContext,
) -> list[dict[str, str]]:
    """What to say to the customer of an alert, by its task where it has one."""
    return say_to_customer(
        alert.customer_id,
        alert.tier,
        alert.causes,
        items,
        language,
        context,
        owner=task.owner if task else name_of("roles", alert.owner_role, language),
        due_at=task.due_at if task else alert.due_at,
        quote=next((one["text"] for one in quotes if one["text"]), ""),
    )


def say_for_task(
    task: Task,
    alert: Alert | None,
    items: Sequence[LabelledFeedback],
    quotes: Sequence[dict[str, Any]],
    language: Language,
    context: ToolContext,
) -> list[dict[str, str]]:
    """What to say to the customer of a task; nothing where it is about nobody."""
    if alert is not None:
        return say_for_alert(alert, task, items, quotes, language, context)
    if task.customer_id is None or task.tier is None:
        return []
    return say_to_customer(
        task.customer_id,
        task.tier,
        (),
        items,
        language,
        context,
        owner=task.owner,
        due_at=task.due_at,
        quote=next((one["text"] for one in quotes if one["text"]), ""),
    )


def _praised(items: Sequence[LabelledFeedback]) -> list[str]:
    counted = Counter(
        topic.topic
        for item in items
        if item.labels
        for topic in item.labels.topics
        if topic.polarity is Sentiment.POSITIVE
        or (topic.polarity is None and item.labels.sentiment is Sentiment.POSITIVE)
    )
    return [topic for topic, _ in sorted(counted.items(), key=lambda one: (-one[1], one[0]))[:_PRAISED]]


def _uses(customer_id: str, now: datetime, context: ToolContext) -> int | None:
    """How often the product was used lately; None where no use of this customer was ever recorded."""
    reader = load_behaviour()
    every = reader.uses(context.facts.events([customer_id], Window(None, now)))
    if not every:
        return None
    return sum(use.at > now - timedelta(days=_USE_DAYS) for use in every)
