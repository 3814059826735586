"""Comparing periods and segments."""

from typing import Any

import pytest

from store.errors import ToolInputError
from tests.test_tools_metrics import chosen, nps_of
from tests.tools_world import shared
from tools.catalogue import run_tool
from tools.context import ToolContext


@pytest.fixture(scope="module")
def context() -> ToolContext:
    return shared()


def compare(context: ToolContext, **args: Any) -> dict[str, Any]:
    return run_tool("compare_periods", args, context).model_dump(mode="json", by_alias=True)


def test_change_equals_the_two_levels_recomputed(context: ToolContext) -> None:
    data = compare(context, metric="nps", period="10月", compare_to="9月")["data"]
    before, n_before = nps_of(chosen("2026-09-01", "2026-10-01"))
    after, n_after = nps_of(chosen("2026-10-01", "2026-11-01"))
    assert (data["before"], data["after"]) == (round(before, 4), round(after, 4))
    assert data["change"] == pytest.approx(after - before, abs=1e-4)
    assert (data["n_before"], data["n_after"]) == (n_before, n_after)
    assert data["significant"] and data["direction"] == "fell"
    assert data["ci_low"] < data["change"] < data["ci_high"] < 0


def test_mix_and_rate_add_up_to_the_change(context: ToolContext) -> None:
    data = compare(context, metric="nps", period="10月", by="地区")["data"]
    assert data["by"] == "region"
    assert data["mix_effect"] + data["rate_effect"] == pytest.approx(data["change"], abs=1e-3)
    assert sum(part["total"] for part in data["contributions"]) == pytest.approx(data["change"], abs=1e-2)
    assert data["contributions"][0]["key"] == "广东"


def test_an_insignificant_change_has_no_direction(context: ToolContext) -> None:
    result = compare(context, metric="volume", period="本周")
    assert not result["data"]["significant"]
    assert result["data"]["direction"] == "unchanged"
    assert any("不显著" in caveat for caveat in result["caveats"])
    assert isinstance(result["data"]["change"], int)


def test_counts_of_unequal_periods_are_flagged(context: ToolContext) -> None:
    result = compare(context, metric="volume", period="10月", compare_to="9月", language="en")
    assert any("differ in length (30 and 31 days)" in caveat for caveat in result["caveats"])


def test_two_segments_of_one_period(context: ToolContext) -> None:
    result = compare(
        context, metric="nps", period="10月", segment_a={"region": "浙江"}, segment_b={"地区": "广东"}
    )
    data = result["data"]
    first, _ = nps_of(chosen("2026-10-01", "2026-11-01", lambda one: one.feedback.region == "浙江"))
    second, _ = nps_of(chosen("2026-10-01", "2026-11-01", lambda one: one.feedback.region == "广东"))
    assert (data["before"], data["after"]) == (round(first, 4), round(second, 4))
    assert data["segment_a"]["label"] == "region=浙江"


def test_nothing_before_is_said_and_not_invented(context: ToolContext) -> None:
    result = compare(context, metric="nps", period="10月", compare_to="去年同期")
    assert result["data"]["before"] is None
    assert result["data"]["change"] is None
    assert not result["data"]["significant"]
    assert any("无法比较" in caveat for caveat in result["caveats"])


@pytest.mark.parametrize(
    ("args", "says"),
    [
        ({}, "beginning and an end"),
        ({"period": "10月", "segment_a": {"region": "浙江"}}, "both segment_a and segment_b"),
        ({"period": "10月", "by": "hour"}, "cannot be split over hour"),
        ({"period": "10月", "compare_to": "下下周"}, "not understood"),
    ],
)
def test_unusable_comparisons_are_refused(context: ToolContext, args: dict[str, Any], says: str) -> None:
    with pytest.raises(ToolInputError, match=says):
        compare(context, **args)
