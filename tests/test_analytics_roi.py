"""Returns: the worked examples of the source documents, ranges, and what cannot be counted."""

import pytest

from analytics.roi import (
    Range,
    budget_split,
    churn_saved,
    exactly,
    revenue_kept,
    service_saved,
    total_return,
)
from store.errors import InputError


def test_churn_from_12_to_8_percent_is_worth_two_million() -> None:
    saved = churn_saved(0.12, exactly(0.08), 50_000, 1_000, months=12)
    assert saved.horizon.value == pytest.approx(2_000_000)
    assert saved.formula == "(0.12 - 0.08) x 50,000 x 1,000"


def test_handling_time_from_15_to_10_minutes_saves_320_000_a_year() -> None:
    assert service_saved(15, exactly(10), 80_000, months=6).annual.value == pytest.approx(320_000)
    assert service_saved(15, exactly(10), 80_000, months=6).horizon.value == pytest.approx(160_000)


def test_revenue_of_50_million_keeps_two_and_a_half_a_year_and_the_three_years_are_not_one() -> None:
    kept = revenue_kept(0.15, exactly(0.10), 50e6, months=36)
    assert kept.annual.value == pytest.approx(2.5e6)
    assert kept.horizon.value == pytest.approx(7.5e6)


def test_a_range_of_the_outcome_becomes_a_range_of_the_benefit() -> None:
    saved = churn_saved(0.12, Range(0.08, 0.06, 0.11), 50_000, 1_000, months=12).annual
    assert (saved.low, saved.value, saved.high) == pytest.approx((500_000, 2_000_000, 3_000_000))


def test_costs_net_ratio_and_payback() -> None:
    benefit = service_saved(15, exactly(10), 80_000, months=24)
    found = total_return([benefit], 24, initial_cost=100_000, monthly_cost=10_000)
    assert found.cost == 340_000
    assert found.net.value == pytest.approx(300_000)
    assert found.ratio is not None and found.ratio.value == pytest.approx(640 / 340)
    assert found.payback_months == pytest.approx(100_000 / (320_000 / 12 - 10_000))
    never = total_return([benefit], 24, initial_cost=100_000, monthly_cost=30_000)
    assert never.payback_months is None and never.net.value < 0


def test_what_cannot_be_counted_is_said() -> None:
    with pytest.raises(InputError, match=r"12% is 0\.12"):
        churn_saved(12, exactly(8), 50_000, 1_000, months=12)
    with pytest.raises(InputError, match="nothing to count"):
        total_return([], 12)
    with pytest.raises(InputError, match="add up to 1"):
        budget_split(100, {"a": 0.5, "b": 0.4})
    with pytest.raises(InputError, match="customers must be positive"):
        churn_saved(0.12, exactly(0.08), 50_000, 0, months=12)
