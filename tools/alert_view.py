"""One alert or task in full: the words it rests on, the last conversations, what to say, its history."""

from collections.abc import Sequence
from typing import Any

from retention.alert_tasks import advice_of
from retention.task_aims import aim_of
from store.alerts import Alert
from store.facts import Find, Selection
from store.records import LabelledFeedback, Task
from tools.alert_list import alert_row
from tools.arguments import Language
from tools.context import ToolContext
from tools.customer_conversations import last_conversations, shown
from tools.task_update import task_row
from tools.what_to_say import say_for_alert, say_for_task

_CONVERSATIONS = 3
_QUOTES = 20
_ITEMS = 200


def alert_figures(
    alert: Alert, task: Task | None, language: Language, context: ToolContext
) -> dict[str, Any]:
    """An alert with its task, the words it rests on, the last conversations, advice and verdicts."""
    verdicts = context.operations.verdicts(alert_id=alert.alert_id)
    quotes, items = _quotes(alert.evidence, context), _items(alert.customer_id, context)
    return {
        **alert_row(alert, language, context),
        "task": task and {"task_id": task.task_id, "status": task.status.value, "owner": task.owner},
        "advice": advice_of(alert, context.policy_of(alert.customer_id), language),
        "verdicts": [
            {**one.model_dump(mode="json", exclude={"number", "alert_id"}), "at": shown(one.at, context.zone)}
            for one in verdicts
        ],
        "quotes": quotes,
        "conversations": _conversations(items, context),
        "what_to_say": say_for_alert(alert, task, items, quotes, language, context),
    }


def task_figures(task: Task, language: Language, context: ToolContext) -> dict[str, Any]:
    """A task in the language asked, as far as its alert tells it, with conversations and history."""
    row = task_row(task, context)
    alert = context.operations.alert(task.alert_id) if task.alert_id else None
    if alert is not None:
        row |= {
            "summary": alert.summary[language],
            "advice": advice_of(alert, context.policy_of(alert.customer_id), language),
        }
    events = context.operations.task_events(task.task_id)
    quotes, items = _quotes(task.evidence, context), _items(task.customer_id, context)
    return {
        **row,
        "quotes": quotes,
        "conversations": _conversations(items, context),
        "what_to_say": say_for_task(task, alert, items, quotes, language, context),
        "aim": _aim(task, language, context),
        "history": [
            {**event.model_dump(mode="json", exclude={"task_id"}), "at": shown(event.at, context.zone)}
            for event in events
        ],
        "messages": [
            message.model_dump(
                mode="json", include={"message_id", "status", "playbook", "text", "translation"}
            )
            for message in context.operations.messages(customer_id=task.customer_id)
            if message.task_id == task.task_id or (task.alert_id and message.alert_id == task.alert_id)
        ],
    }


def _aim(task: Task, language: Language, context: ToolContext) -> dict[str, Any] | None:
    outcomes = context.facts.outcomes([task.customer_id]) if task.customer_id else []
    policy = context.policy_of(task.customer_id) if task.customer_id else context.policy
    found = aim_of(task, outcomes, policy, now=context.clock.now(), language=language)
    return None if found is None else {**vars(found), "until": shown(found.until, context.zone)}


def _quotes(evidence: tuple[str, ...], context: ToolContext) -> list[dict[str, Any]]:
    ids = evidence[:_QUOTES]
    if not ids:
        return []
    found = context.facts.find(Find(feedback_ids=ids, with_text=True, limit=len(ids)))
    return [_quote(item, context) for item in found]


def _quote(item: LabelledFeedback, context: ToolContext) -> dict[str, Any]:
    said = item.feedback
    return {
        "feedback_id": said.feedback_id,
        "at": shown(said.occurred_at, context.zone),
        "channel": said.channel.value,
        "text": said.text,
        "sentiment": item.labels.sentiment.value if item.labels else None,
    }


def _items(customer_id: str | None, context: ToolContext) -> list[LabelledFeedback]:
    """The customer's newest items."""
    if customer_id is None:
        return []
    return context.facts.find(Find(Selection(filters={"customer_id": (customer_id,)}), limit=_ITEMS))


def _conversations(items: Sequence[LabelledFeedback], context: ToolContext) -> list[dict[str, Any]]:
    return last_conversations(context.facts, items, limit=_CONVERSATIONS, zone=context.zone)
