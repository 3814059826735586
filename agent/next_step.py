"""The next question worth asking, by what the last one found; never the same hint in every answer."""

from collections.abc import Sequence
from typing import Any

from agent.frame import Frame
from agent.phrases import phrase
from agent.wording import value_name
from tools.dimensions import dimension_title

# A hint after a plain figure is given to who has just begun; later it would be a tic.
_HINTED_TURNS = 2
_SPLITS = ("region", "product", "channel", "org_unit", "customer_type")


def next_step(frame: Frame, results: Sequence[dict[str, Any]], turns_before: int) -> str:
    """One sentence, or nothing where nothing follows."""
    if not results or any(not result["n"] for result in results) or {"plan", "tasks"} & set(frame.goals):
        return ""
    for result in results:
        tell = _BY_TOOL.get(result["tool"])
        if tell is not None and (text := tell(frame, result, turns_before)):
            return text
    return ""


def _after_causes(frame: Frame, result: dict[str, Any], turns_before: int) -> str:
    return phrase("next_plan", frame.language) if result["data"]["verdict"] == "cause_found" else ""


def _after_comparison(frame: Frame, result: dict[str, Any], turns_before: int) -> str:
    if "why" in frame.goals or not result["data"]["significant"]:
        return ""
    return phrase("next_why", frame.language)


def _after_figure(frame: Frame, result: dict[str, Any], turns_before: int) -> str:
    groups = result["data"].get("groups") or []
    if {"trend", "opinion", "why"} & set(frame.goals) or turns_before >= _HINTED_TURNS:
        return ""
    if frame.rank and groups:
        keys: dict[str, Any] = next(
            (g["keys"] for g in groups if all(v is not None for v in g["keys"].values())), {}
        )
        name = " / ".join(value_name(d, v, frame) for d, v in keys.items() if d != "theme")
        return phrase("next_group", frame.language, name=name) if name else ""
    if groups:
        return ""
    split = next((d for d in _SPLITS if d not in frame.filters), None)
    return phrase("next_split", frame.language, dimension=dimension_title(split or "month", frame.language))


def _after_themes(frame: Frame, result: dict[str, Any], turns_before: int) -> str:
    if "opinion" in frame.goals or not result["data"]["themes"] or turns_before >= _HINTED_TURNS:
        return ""
    return phrase("next_theme", frame.language)


def _after_trend(frame: Frame, result: dict[str, Any], turns_before: int) -> str:
    return phrase("next_why", frame.language) if result["data"]["changepoints"] else ""


def _after_risk(frame: Frame, result: dict[str, Any], turns_before: int) -> str:
    return phrase("next_tasks", frame.language) if result["data"]["at_risk"] else ""


_BY_TOOL = {
    "root_cause": _after_causes,
    "compare_periods": _after_comparison,
    "trend": _after_trend,
    "churn_risk": _after_risk,
    "list_themes": _after_themes,
    "nps_stats": _after_figure,
    "metric_stats": _after_figure,
}
