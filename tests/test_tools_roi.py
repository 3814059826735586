"""estimate_roi: formulas, horizon, inputs from the data, and what is missing."""

from typing import Any

import pytest

from store.errors import ToolInputError
from tests.tools_world import shared
from tools.catalogue import run_tool


def roi(**args: Any) -> dict[str, Any]:
    return run_tool("estimate_roi", args, shared()).model_dump(mode="json", by_alias=True)


def test_the_horizon_is_stated_and_the_year_stands_beside_it() -> None:
    result = roi(churn_before=0.15, churn_after=0.10, revenue=50_000_000, horizon_months=36)
    assert result["data"]["annual_benefit"]["value"] == 2_500_000
    assert result["data"]["total_benefit"]["value"] == 7_500_000
    assert any("36 个月" in caveat for caveat in result["caveats"])


def test_benefits_add_up_and_costs_are_held_against_them() -> None:
    data = roi(
        churn_before=0.12,
        churn_after=[0.06, 0.08, 0.11],
        lifetime_value=50_000,
        customers=1_000,
        minutes_before=15,
        minutes_after=10,
        monthly_staff_cost=80_000,
        initial_cost=400_000,
    )["data"]
    assert [one["component"] for one in data["benefits"]] == ["churn", "service"]
    assert data["total_benefit"] == {"value": 2_320_000, "low": 820_000, "high": 3_320_000}
    assert data["net"]["value"] == 1_920_000 and data["ratio"]["value"] == 5.8
    assert data["usual_budget_split"]["platform"] == 160_000


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ({}, "nothing to count"),
        ({"churn_before": 0.1, "churn_after": 0.05, "customers": 10}, "also needs lifetime_value"),
        ({"minutes_before": 15}, "also needs minutes_after, monthly_staff_cost"),
        ({"churn_before": 12, "churn_after": 8}, "churn_before"),
        ({"churn_before": 0.1, "churn_after": [0.2, 0.1, 0.05], "revenue": 5}, "in this order"),
        ({"churn_after": 0.1, "revenue": 5, "lifetime_value": 2}, "not both"),
    ],
)
def test_what_is_missing_or_impossible_is_named(args: dict[str, Any], said: str) -> None:
    with pytest.raises(ToolInputError, match=said):
        roi(**args)
