"""Messages to customers as results, pages and the command line show them."""

from typing import Any

from retention.wording import Language, name_of
from store.messages import Message
from tools.context import ToolContext
from tools.customer_conversations import shown

_TIMES = ("created_at", "prepared_at", "expires_at", "next_at", "sent_at")


def message_row(message: Message, language: Language, context: ToolContext) -> dict[str, Any]:
    """One message; times in the configured zone, `why` says in words what holds it up or ended it."""
    times = {name: shown(getattr(message, name), context.zone) for name in _TIMES}
    why = name_of("message_reasons", message.reason, language) if message.reason else ""
    return {**message.model_dump(mode="json", exclude={"scope"}), **times, "why": why}
