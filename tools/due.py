"""Deadlines in the configured zone: past, today, later."""

from datetime import datetime, timedelta
from typing import Literal

from tools.context import ToolContext

Due = Literal["overdue", "today"]
When = Literal["overdue", "today", "later"]


def due_when(due_at: datetime, now: datetime, context: ToolContext) -> When:
    """Past, before the next local midnight, or later."""
    if due_at < now:
        return "overdue"
    tomorrow = now.astimezone(context.zone).date() + timedelta(days=1)
    return "today" if due_at.astimezone(context.zone).date() < tomorrow else "later"


def is_due(due_at: datetime | None, due: Due | None, now: datetime, context: ToolContext) -> bool:
    """Whether a deadline is what was asked for: `today` includes what is past."""
    if due is None:
        return True
    if due_at is None:
        return False
    when = due_when(due_at, now, context)
    return when == "overdue" or (due == "today" and when == "today")
