"""What is said to an asker who may see only some org units."""

from collections.abc import Mapping
from typing import Final

from tools.arguments import Arguments, Language
from tools.caveats import caveat
from tools.context import ToolContext
from tools.refusals import Forbidden, Refusal, refusal
from tools.results import ToolResult

# Refusals that say what there is not, and which of their values was asked for.
_SAYS_NONE: Final[Mapping[str, str]] = {
    "unknown_dimension": "name",
    "unknown_value": "value",
    "no_values": "value",
    "unknown_metric": "name",
    "unknown_theme": "name",
    "no_themes": "name",
    "unknown_plan": "plan",
    "unknown_customer": "customer",
    "unknown_customers": "customers",
    "unknown_alert": "alert",
    "unknown_task": "task",
}


def beyond_scope(refused: Refusal, language: Language, context: ToolContext) -> Forbidden | None:
    """What a scoped asker is told instead of "there is none": the same of what lies elsewhere and of nothing.

    None where the refusal says no such thing, or the asker may see everything.
    """
    asked = _SAYS_NONE.get(refused.name)
    scope = context.asker.scope
    if asked is None or not scope:
        return None
    names = refused.values.get("known")
    hint = refusal("within_scope_are", language, {"known": names}) if names else ""
    values = {"asked": refused.values.get(asked, ""), "scope": scope}
    return Forbidden("beyond_scope", language, hint=hint, **values)


def told_scope(result: ToolResult, args: Arguments, context: ToolContext) -> ToolResult:
    """The result with the scope that it was counted in, before any other doubt."""
    scope = context.asker.scope
    if not scope:
        return result
    language: Language = getattr(args, "language", "zh")
    said = caveat("within_scope", language, scope=", ".join(scope))
    return result.model_copy(update={"caveats": [said, *result.caveats]})
