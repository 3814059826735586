"""A plan as a file: Markdown to read, CSV for a project tool, JSON for a program."""

from typing import TYPE_CHECKING, Any, Final, Literal

if TYPE_CHECKING:
    from store.records import ActionPlan
    from tools.arguments import Language
    from tools.context import ToolContext

PlanFormat = Literal["md", "csv", "json"]
MEDIA: Final[dict[PlanFormat, str]] = {
    "md": "text/markdown; charset=utf-8",
    "csv": "text/csv; charset=utf-8",
    "json": "application/json",
}


def plan_file(plan: "ActionPlan", format: PlanFormat, context: "ToolContext", language: "Language") -> bytes:
    """The whole plan with its verified effects; CSV has one measure a row."""
    from retention.plan_export import to_csv, to_markdown

    if format == "csv":
        return to_csv(plan, context.zone, language)
    if format == "md":
        effects = context.operations.effects(plan_id=plan.plan_id)
        return to_markdown(plan, effects, context.zone, language).encode()
    import orjson

    return orjson.dumps(plan_with_effects(plan, context, language), option=orjson.OPT_INDENT_2) + b"\n"


def plan_with_effects(plan: "ActionPlan", context: "ToolContext", language: "Language") -> dict[str, Any]:
    """The plan as results show it, and what came of it."""
    from tools.plans import plan_figures

    shown: dict[str, Any] = plan_figures(plan, context, language)
    effects = context.operations.effects(plan_id=plan.plan_id)
    shown["effects"] = [effect.model_dump(mode="json") for effect in effects]
    return shown
