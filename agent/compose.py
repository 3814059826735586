"""The offline planner's answer: conclusion first, then figures, quotes, caveats and the next step.

Every figure written here comes from a tool result, so that the number lock can bind it.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from agent.compose_alerts import (
    compose_alerts,
    compose_message,
    compose_task_update,
    compose_verdict,
)
from agent.compose_causes import compose_causes, compose_quotes, compose_theme, compose_themes
from agent.compose_comparisons import compose_competitors, compose_industry, compose_journey
from agent.compose_decisions import compose_effect, compose_roi
from agent.compose_drivers import compose_drivers
from agent.compose_figures import compose_comparison, compose_figure
from agent.compose_meta import compose_doubts, compose_meta
from agent.compose_people import (
    compose_customer,
    compose_low_scores,
    compose_plan,
    compose_risk,
    compose_task_list,
    compose_tasks,
)
from agent.compose_premise import compose_premise
from agent.compose_quality import compose_quality
from agent.compose_segments import compose_segments
from agent.compose_time import compose_anomalies, compose_forecast, compose_trend
from agent.frame import Frame
from agent.next_step import next_step
from agent.phrases import phrase
from agent.vocabulary import Vocabulary

_CAVEATS = 4


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


@dataclass(frozen=True)
class Part:
    """One question of a message with the steps that answer it."""

    frame: Frame
    steps: Sequence[Step]


def compose(parts: Sequence[Part], vocabulary: Vocabulary, *, more: int = 0, turns_before: int = 0) -> str:
    """Write the answer of one turn.

    `more`: how many questions were too many for one message; `turns_before`: how many messages the thread has
    before this one, so that no hint is given twice in a row.
    """
    first = parts[0].frame
    if not vocabulary.catalogue.items:
        return phrase("no_data", first.language)
    told = [text for part in parts for text in _part(part, vocabulary)]
    if more:
        told.append(phrase("too_many_questions", first.language))
    results = [s.result for part in parts for s in part.steps if s.result is not None]
    told.append(_caveats(first, results))
    last = parts[-1]
    answered = [s.result for s in last.steps if s.result is not None]
    if not any(step.error for part in parts for step in part.steps):
        told.append(next_step(last.frame, answered, turns_before))
    return "\n\n".join(text for text in dict.fromkeys(told) if text)


def _part(part: Part, vocabulary: Vocabulary) -> list[str]:
    frame, steps = part.frame, part.steps
    meta = compose_meta(frame, vocabulary, called=bool(steps))
    if meta:
        return [meta]
    told = [compose_doubts(frame)]
    told += [phrase("problem", frame.language, error=_reason(s.error)) for s in steps if s.error]
    results = [s.result for s in steps if s.result is not None]
    told.append(compose_premise(frame, results))
    tasks_drafted = any(result["tool"] == "create_retention_task" for result in results)
    for result in _in_reading_order(results):
        # The tasks say who is at risk and why; the list they were chosen from would say it twice.
        if not (tasks_drafted and result["tool"] == "churn_risk"):
            told.append(COMPOSERS[result["tool"]](frame, result))
    return told


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
    "compare_competitors": compose_competitors,
    "industry_compare": compose_industry,
    "journey_map": compose_journey,
    "customer_segments": compose_segments,
    "search_feedback": compose_quotes,
    "customer_360": compose_customer,
    "create_action_plan": compose_plan,
    "churn_risk": compose_risk,
    "create_retention_task": compose_tasks,
    "update_task": compose_task_update,
    "record_verdict": compose_verdict,
    "send_playbook_message": compose_message,
    "list_alerts": compose_alerts,
    "list_tasks": compose_task_list,
    "data_quality": compose_quality,
    "verify_effect": compose_effect,
    "estimate_roi": compose_roi,
}


def _reason(error: str) -> str:
    """What a tool could not do; how a call should be written is for models, not for people."""
    return re.split(r"[；;]\s?(?=请|写|write|use|give|try)", error, maxsplit=1)[0]


def _in_reading_order(results: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    order = list(COMPOSERS)
    return sorted(results, key=lambda result: order.index(result["tool"]))


def _caveats(frame: Frame, results: Sequence[dict[str, Any]]) -> str:
    found = list(dict.fromkeys(text for result in results for text in result.get("caveats", [])))
    if not found:
        return ""
    lines = [phrase("caveat_line", frame.language, text=text) for text in found[:_CAVEATS]]
    return "\n".join([phrase("caveat_head", frame.language), *lines])
