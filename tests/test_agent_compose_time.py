"""Courses, anomalies and forecasts in words, in both languages."""

from typing import Any

import pytest

from agent.compose_time import compose_anomalies, compose_forecast, compose_trend
from agent.frame import Frame
from tests.tools_world import shared
from tools.catalogue import run_tool

COMPOSE = {"trend": compose_trend, "detect_anomalies": compose_anomalies, "forecast": compose_forecast}


def told(tool: str, language: str, **args: Any) -> tuple[str, dict[str, Any]]:
    result = run_tool(tool, {**args, "language": language}, shared()).model_dump(mode="json", by_alias=True)
    return COMPOSE[tool](Frame(question="", language=language), result), result["data"]  # type: ignore[arg-type]


@pytest.mark.parametrize(("language", "steady"), [("zh", "没有明显的升降"), ("en", "is steady")])
def test_each_begins_with_its_conclusion(language: str, steady: str) -> None:
    text, _ = told("trend", language, metric="volume")
    assert steady in text.splitlines()[0]
    text, data = told("forecast", language, metric="volume", days=9)
    assert f"{round(data['total']):,}" in text.splitlines()[0]
    assert text.count("\n- ") == 7
    text, _ = told("detect_anomalies", language, period="2026-09-10 to 2026-09-20")
    assert "\n" not in text


@pytest.mark.parametrize("language", ["zh", "en"])
def test_too_little_data_is_said(language: str) -> None:
    assert told("trend", language, metric="csat")[0]
    assert told("forecast", language, metric="csat")[0]
