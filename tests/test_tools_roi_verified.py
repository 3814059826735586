"""What a verified plan is worth: proven effects only, each counted once, never mixed with guesses."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from analytics.roi import Range
from retention.verified_returns import counted_effects
from store.errors import ToolInputError
from store.plan_parts import Effect
from tests.plan_world import approved_plan, three_months
from tests.retention_world import NOW, World
from tools.catalogue import run_tool
from tools.plan_verification import verify_plans


def effect(**changes: Any) -> Effect:
    """Ten days of 100 items each, a tenth of which are not negative any more."""
    fields: dict[str, Any] = {
        "effect_id": "e1", "plan_id": "p", "main": True, "measures": (), "metric": "negative_share",
        "kind": "proportion", "design": "difference_in_differences", "evidence_grade": "quasi-experimental",
        "effect": -0.1, "ci_low": -0.15, "ci_high": -0.05, "n_before": 1000, "n_after": 1000,
        "starts_on": date(2026, 10, 1), "ends_on": date(2026, 10, 10), "verdict": "achieved",
        "verified_at": NOW, "verified_by": "test",
    }  # fmt: skip
    return Effect(**{**fields, **changes})


def test_a_proven_fall_of_a_share_is_complaints_a_year_at_the_windows_volume() -> None:
    (found,) = counted_effects([effect()])
    assert found.left == "" and found.avoided is not None
    avoided = (found.avoided.value, found.avoided.low, found.avoided.high)
    assert avoided == pytest.approx((3650, 1825, 5475))
    (volume,) = counted_effects([effect(metric="volume", kind="count", effect=-2, ci_low=-3, ci_high=-1)])
    assert volume.avoided == Range(730, 365, 1095)


@pytest.mark.parametrize(
    ("change", "left"),
    [
        ({"ci_high": 0.01}, "not_significant"),
        ({"evidence_grade": "association", "design": "before_after"}, "association"),
        ({"effect": None, "ci_low": None, "ci_high": None}, "not_estimated"),
        ({"metric": "nps", "kind": "nps", "effect": 12, "ci_low": 5, "ci_high": 19}, "no_price"),
    ],
)
def test_what_is_not_proven_or_has_no_price_is_not_counted(change: dict[str, Any], left: str) -> None:
    (found,) = counted_effects([effect(**change)])
    assert (found.left, found.avoided) == (left, None)


def test_what_got_worse_counts_against_and_the_same_items_count_once() -> None:
    worse = effect(effect=0.1, ci_low=0.05, ci_high=0.15, verdict="worse")
    topic = effect(effect_id="e0", main=False, topic="logistics/speed")
    first, second = counted_effects([topic, worse])
    assert first.avoided is not None and first.avoided.high < 0
    assert (second.left, second.avoided) == ("within_another", None)


@pytest.fixture(scope="module")
def worked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, str]]:
    home: Path = tmp_path_factory.mktemp("worked")
    world = three_months(home, "works")
    plan = approved_plan(world, home)
    yield world, plan["plan_id"]
    world.close()


def roi(world: World, **args: Any) -> dict[str, Any]:
    return run_tool("estimate_roi", args, world.context()).model_dump(mode="json", by_alias=True)


def test_a_plan_is_worth_what_was_verified_of_it(worked: tuple[World, str]) -> None:
    world, plan_id = worked
    with pytest.raises(ToolInputError, match="has not been verified"):
        roi(world, plan_id=plan_id, cost_per_complaint=50)
    verify_plans(world.context(), plan_id)
    found = roi(world, plan_id=plan_id, cost_per_complaint=50, initial_cost=1000)
    data = found["data"]
    (benefit,) = data["benefits"]
    (counted,) = [one for one in data["verified_effects"] if one["counted"]]
    assert data["basis"] == "verified" and benefit["component"] == "complaints"
    assert counted["verdict"] == "achieved" and counted["evidence_grade"] == "quasi-experimental"
    # Guangdong has 4 items a day.
    yearly = -counted["effect"] * 4 * 365
    assert counted["complaints_avoided_a_year"]["value"] == pytest.approx(yearly, rel=0.1)
    assert benefit["annual"]["value"] == pytest.approx(
        counted["complaints_avoided_a_year"]["value"] * 50, rel=1e-3
    )
    assert benefit["annual"]["low"] < benefit["annual"]["value"] < benefit["annual"]["high"]
    assert {one["left"] for one in data["verified_effects"] if not one["counted"]} <= {
        "not_significant",
        "no_price",
        "within_another",
    }
    assert any("经核实" in caveat for caveat in found["caveats"])


def test_guesses_are_not_mixed_in(worked: tuple[World, str]) -> None:
    world, plan_id = worked
    with pytest.raises(ToolInputError, match="churn_after"):
        roi(world, plan_id=plan_id, cost_per_complaint=50, churn_after=0.08)
    with pytest.raises(ToolInputError, match="cost_per_complaint"):
        roi(world, plan_id=plan_id)
    with pytest.raises(ToolInputError):
        roi(world, plan_id="plan-none", cost_per_complaint=50)
    assert (
        roi(world, churn_before=0.12, churn_after=0.08, lifetime_value=1, customers=1)["data"]["basis"]
        == "assumed"
    )
