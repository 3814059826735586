"""What every owner has on hand against what they take on, and what waits for somebody to have room."""

from typing import Any

from retention.policy import Policy
from retention.task_routing import WEEK, Owners, waiting
from tools.context import ToolContext
from tools.customer_conversations import shown


def load_figures(policy: Policy, context: ToolContext, language: str) -> dict[str, Any]:
    """Owners with their tasks and caps, the fullest first; the tasks that wait, in the order they are given.

    NotPermitted within a scope: whether an owner has room depends on tasks of every unit.
    """
    board = context.operations.task_board(context.clock.now() - WEEK)
    loads = Owners(policy, "en" if language == "en" else "zh").loads(board).values()
    return {
        "owners": [
            {
                "owner": one.owner,
                "role": one.role,
                "open": one.open,
                "open_cap": one.cap.open,
                "week": one.week,
                "week_cap": one.cap.week,
                "has_room": one.has_room,
            }
            for one in sorted(loads, key=lambda one: (one.has_room, -one.open, one.owner))
        ],
        "waiting": [
            {
                "task_id": line.task_id,
                "customer_id": line.customer_id,
                "tier": line.tier and line.tier.value,
                "score": line.score,
                "owner": line.owner,
                "due_at": shown(line.due_at, context.zone),
                "since": shown(line.created_at, context.zone),
            }
            for line in waiting(board.undone)
        ],
    }
