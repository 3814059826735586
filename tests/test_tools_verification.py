"""verify_effect over the small world, whose October hits Guangdong's promotion."""

from typing import Any

import pytest

from store.errors import ToolInputError
from tests.tools_world import shared
from tools.catalogue import run_tool


def verify(**args: Any) -> dict[str, Any]:
    return run_tool("verify_effect", args, shared()).model_dump(mode="json", by_alias=True)


HIT = {
    "metric": "negative_share",
    "start": "2026-10-01",
    "days_before": 38,
    "days_after": 31,
    "filters": {"region": "广东", "活动": "会员节"},
}
SPARED = {"region": ["浙江", "上海", "北京"], "活动": "会员节"}


def test_a_worsening_against_the_rest_is_seen_and_reopens_the_cause() -> None:
    result = verify(**HIT, control=SPARED, target=-0.1)
    data = result["data"]
    assert data["design"] == "difference_in_differences"
    assert data["verdict"] == "worse" and data["effect"] > 0 and data["significant"]
    assert data["ci_low"] <= data["effect"] <= data["ci_high"]
    assert data["reopen"]["tool"] == "root_cause"
    assert data["reopen"]["args"]["period"] == {"from": "2026-10-01", "to": "2026-11-01"}
    assert 30 < data["days_before"] <= 38 and 25 < data["days_after"] <= 31
    names = [line["name"] for line in result["chart"]["series"]]
    assert names == ["treated", "control"]
    assert run_tool(data["reopen"]["tool"], data["reopen"]["args"], shared()).n > 0


def test_the_rest_or_another_region_serves_as_control_and_none_gives_a_series() -> None:
    assert (
        verify(**HIT, control={"region": ["浙江", "上海"]})["data"]["evidence_grade"] == "quasi-experimental"
    )
    assert verify(**HIT)["data"]["design"] == "interrupted_time_series"


def test_where_nothing_happened_nothing_is_claimed() -> None:
    result = verify(metric="nps", start="2026-10-01", filters={"region": "北京"}, control={"region": "上海"})
    assert result["data"]["verdict"] == "inconclusive" and result["data"]["reopen"] is None
    assert any("不显著" in caveat for caveat in result["caveats"])


def test_few_days_are_said_to_prove_little() -> None:
    result = verify(metric="nps", start="2026-11-18", days_before=5, language="en")
    assert result["data"]["design"] == "before_after"
    assert any("no proof" in caveat for caveat in result["caveats"])
    assert any("Only 4 days" in caveat for caveat in result["caveats"])


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ({"metric": "nps", "start": "2027-01-01"}, "no whole day has passed"),
        ({"metric": "nps", "start": "soon"}, "not understood"),
        ({"metric": "nps", "start": "2026-10-01", "control": "rest"}, "exactly one filtered dimension"),
        ({**HIT, "control": {"region": "广东"}}, "overlaps"),
        ({**HIT, "control": "others"}, "'rest'"),
        ({**HIT, "plan_id": "nope"}, "no plan 'nope'"),
        ({"metric": "churn_rate", "start": "2026-10-01"}, "compare_periods"),
    ],
)
def test_what_cannot_be_verified_is_said(args: dict[str, Any], said: str) -> None:
    with pytest.raises(ToolInputError, match=said):
        verify(**args)


def test_an_empty_selection_is_inconclusive() -> None:
    result = verify(metric="csat", start="2026-10-01")
    assert result["n"] == 0 and result["data"]["verdict"] == "inconclusive" and result["chart"] is None
