"""Tools on behalf of a caller, each call audited."""

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

from server.api_access import Caller
from server.api_audit import record
from server.api_problems import NotFound
from server.api_state import ServerState
from server.api_watch import watched_tool
from tools.catalogue import ALL_TOOLS
from tools.context import ToolContext
from tools.refusals import Refusal
from tools.registry import ToolSpec, find
from tools.results import ToolResult
from tools.scope import beyond_scope

_Named = TypeVar("_Named")

# Refusals that say of the one thing that the path names that there is none.
_NONE: Final = (
    "unknown_tool",
    "unknown_theme",
    "no_themes",
    "unknown_plan",
    "unknown_customer",
    "unknown_alert",
    "unknown_task",
)


def call_tool(state: ServerState, caller: Caller, name: str, args: Mapping[str, Any]) -> ToolResult:
    """Run a tool within the caller's role and scope; texts in the caller's language where none is asked for.

    Raises ToolInputError and NotPermitted as the tool does.
    """
    spec = find(ALL_TOOLS, name)
    told = {"language": caller.language, **args} if "language" in spec.arguments.model_fields else args
    with watched_tool(spec.name):
        result = spec.run(told, state.app.context(caller.asker))
    record(state, caller, "tool.run", name, n=result.n)
    return result


def tool_of(name: str) -> ToolSpec:
    """The tool of that name; NotFound where there is none."""
    try:
        return find(ALL_TOOLS, name)
    except Refusal as refused:
        raise not_found(refused) from refused


def named(find_it: Callable[[], _Named], caller: Caller, context: ToolContext) -> _Named:
    """What `find_it` finds; else NotFound, or within a scope NotPermitted: it may be elsewhere."""
    try:
        return find_it()
    except Refusal as refused:
        refused.speak(caller.language)
        raise beyond_scope(refused, caller.language, context) or not_found(refused) from refused


def not_found(refused: Refusal) -> Refusal | NotFound:
    """What to raise for a refusal of what the path names: NotFound where it says that there is none."""
    return NotFound(refused.message, hint=refused.hint) if refused.name in _NONE else refused
