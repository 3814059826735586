"""Effects and returns in words: verdict first, figures as the tool gave them, in both languages."""

from typing import Any

import pytest

from agent.compose_decisions import compose_effect, compose_roi
from agent.frame import Frame
from tests.tools_world import shared
from tools.catalogue import run_tool


def told(tool: str, args: dict[str, Any], language: str) -> tuple[str, dict[str, Any]]:
    result = run_tool(tool, {**args, "language": language}, shared()).model_dump(mode="json", by_alias=True)
    frame = Frame(question="", language=language)  # type: ignore[arg-type]
    compose = compose_effect if tool == "verify_effect" else compose_roi
    return compose(frame, result), result["data"]


@pytest.mark.parametrize(("language", "worse"), [("zh", "情况变差"), ("en", "It got worse")])
def test_an_effect_begins_with_the_verdict(language: str, worse: str) -> None:
    args = {
        "metric": "negative_share",
        "start": "2026-10-01",
        "days_after": 31,
        "filters": {"region": "广东", "活动": "会员节"},
        "control": {"region": ["浙江", "上海", "北京"], "活动": "会员节"},
    }
    text, data = told("verify_effect", args, language)
    assert worse in text.splitlines()[0]
    assert f"{abs(data['effect']) * 100:.1f}" in text and f"{data['level_after'] * 100:.1f}%" in text
    unknown, _ = told("verify_effect", {"metric": "csat", "start": "2026-10-01"}, language)
    assert "2026-10-01" in unknown


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_return_states_horizon_formula_cost_and_payback(language: str) -> None:
    args = {
        "churn_before": 0.12,
        "churn_after": [0.06, 0.08, 0.11],
        "lifetime_value": 50_000,
        "customers": 1_000,
        "initial_cost": 500_000,
        "horizon_months": 24,
    }
    text, _ = told("estimate_roi", args, language)
    for shown in (
        "24",
        "4,000,000",
        "2,000,000 (500,000 ~ 3,000,000)",
        "(0.12 - 0.08) x 50,000 x 1,000",
        "500,000",
    ):
        assert shown in text
