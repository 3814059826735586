"""The offline planner's answer: conclusion first, then figures, quotes, caveats and the next step.

Every figure written here comes from a tool result, so that the number lock can bind it.
"""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from agent.compose_causes import compose_causes, compose_quotes, compose_theme, compose_themes
from agent.compose_comparisons import compose_competitors, compose_industry, compose_journey
from agent.compose_decisions import compose_effect, compose_roi
from agent.compose_drivers import compose_drivers
from agent.compose_figures import compose_comparison, compose_figure, compose_premise
from agent.compose_people import (
    compose_customer,
    compose_low_scores,
    compose_plan,
    compose_risk,
    compose_tasks,
)
from agent.compose_quality import compose_quality
from agent.compose_segments import compose_segments
from agent.compose_time import compose_anomalies, compose_forecast, compose_trend
from agent.frame import Frame
from agent.phrases import phrase
from agent.wording import value_name
from store.facts import Catalogue
from tools.dimensions import dimension_title

_CAVEATS = 4
_VALUES = 8


class Step(Protocol):
    """A call that was made and what came of it."""

    @property
    def call(self) -> Any:
        """The call: name and args."""
        ...

    @property
    def result(self) -> dict[str, Any] | None:
        """The tool result, or None."""
        ...

    @property
    def error(self) -> str | None:
        """What the tool said if it failed."""
        ...


def compose(frame: Frame, steps: Sequence[Step], catalogue: Catalogue) -> str:
    """Write the answer of one turn."""
    language = frame.language
    if not catalogue.items:
        return phrase("no_data", language)
    if frame.unknown:
        return _unknown(frame, catalogue)
    if "help" in frame.goals:
        return phrase("help", language)
    if not steps:
        return phrase("not_understood", language) + "\n\n" + phrase("help", language)
    parts = [phrase("problem", language, error=s.error) for s in steps if s.error]
    results = [s.result for s in steps if s.result is not None]
    parts += _premise(frame, results)
    tasks_drafted = any(result["tool"] == "create_retention_task" for result in results)
    for result in _in_reading_order(results):
        # The tasks say who is at risk and why; the list they were chosen from would say it twice.
        if not (tasks_drafted and result["tool"] == "churn_risk"):
            parts.append(COMPOSERS[result["tool"]](frame, result))
    parts.append(_caveats(frame, results))
    parts.append(_next_step(frame, results))
    return "\n\n".join(part for part in dict.fromkeys(parts) if part)


def _unknown(frame: Frame, catalogue: Catalogue) -> str:
    """Say that a named segment does not exist, and which do."""
    separator = phrase("and", frame.language)
    lines = [phrase("unknown_name", frame.language, names=separator.join(frame.unknown))]
    for dimension in ("product", "region", "version", "org_unit", "channel"):
        info = catalogue.dimensions.get(dimension)
        if info and info.distinct > 1:
            values = [value_name(dimension, value, frame) for value, _ in info.values[:_VALUES]]
            title = dimension_title(dimension, frame.language)
            lines.append(phrase("known_values", frame.language, title=title, values=separator.join(values)))
    return "\n".join(lines)


# How each result is told, in the order of reading.
COMPOSERS: dict[str, Callable[[Frame, dict[str, Any]], str]] = {
    "compare_periods": compose_comparison,
    "trend": compose_trend,
    "detect_anomalies": compose_anomalies,
    "forecast": compose_forecast,
    "root_cause": compose_causes,
    "drivers": compose_drivers,
    "nps_stats": compose_figure,
    "metric_stats": compose_figure,
    "list_themes": compose_themes,
    "theme_detail": compose_theme,
    "low_score_drilldown": compose_low_scores,
    "search_feedback": compose_quotes,
    "customer_360": compose_customer,
    "create_action_plan": compose_plan,
    "churn_risk": compose_risk,
    "create_retention_task": compose_tasks,
    "data_quality": compose_quality,
    "compare_competitors": compose_competitors,
    "industry_compare": compose_industry,
    "journey_map": compose_journey,
    "customer_segments": compose_segments,
    "verify_effect": compose_effect,
    "estimate_roi": compose_roi,
}


def _in_reading_order(results: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    order = list(COMPOSERS)
    return sorted(results, key=lambda result: order.index(result["tool"]))


def _premise(frame: Frame, results: Sequence[dict[str, Any]]) -> list[str]:
    """Correct a question that takes a wrong direction for granted."""
    for result in results:
        if result["tool"] == "compare_periods" and frame.claims:
            return [compose_premise(frame, result)]
    return []


def _caveats(frame: Frame, results: Sequence[dict[str, Any]]) -> str:
    found = list(dict.fromkeys(text for result in results for text in result.get("caveats", [])))
    if not found:
        return ""
    lines = [phrase("caveat_line", frame.language, text=text) for text in found[:_CAVEATS]]
    return "\n".join([phrase("caveat_head", frame.language), *lines])


def _next_step(frame: Frame, results: Sequence[dict[str, Any]]) -> str:
    if any(not result["n"] for result in results):
        return ""
    if "plan" in frame.goals or "tasks" in frame.goals:
        return ""
    if "why" in frame.goals:
        found = any(r["data"].get("verdict") == "cause_found" for r in results if r["tool"] == "root_cause")
        return phrase("next_plan", frame.language) if found else ""
    if frame.goals and frame.goals[0] in ("figure", "compare"):
        return phrase("next_why", frame.language)
    return ""
