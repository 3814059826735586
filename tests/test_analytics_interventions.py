"""Effects of measures over simulated days: found where planted, silent where not, honest about the design."""

from datetime import date, timedelta

import numpy as np
import pytest

from analytics.estimates import Kind
from analytics.interventions import Daily, intervention_effect
from analytics.sums import EMPTY, Sums

START = date(2026, 6, 1)


def days(
    seed: int, effect: float, *, before: int = 60, after: int = 30, drift: float = 0.0, n: int = 60
) -> tuple[Daily, Daily]:
    """Scores 0/1 of a treated group and a control that share a rhythm and a slow common swing."""
    rng = np.random.default_rng(seed)
    treated: dict[date, Sums] = {}
    control: dict[date, Sums] = {}
    swing = 0.0
    for step in range(-before, after):
        day = START + timedelta(days=step)
        swing = 0.4 * swing + rng.normal() * 0.02
        common = 0.3 + swing + 0.05 * (day.weekday() >= 5)
        for store, level in (
            (treated, common + drift * step / 30 + (effect if step >= 0 else 0)),
            (control, common),
        ):
            hits = int(rng.binomial(n, min(max(level, 0.0), 1.0)))
            store[day] = Sums(n, hits, hits)
    return treated, control


def test_planted_effects_are_found_and_nulls_are_not() -> None:
    right = 0
    for seed in range(40):
        planted = 0.12 if seed % 2 else 0.0
        treated, control = days(seed, planted)
        found = intervention_effect("proportion", treated, START, control)
        assert found.design == "difference_in_differences"
        right += found.significant is bool(planted)
    assert right >= 36


def test_without_a_control_group_the_series_itself_is_the_witness() -> None:
    treated, _ = days(3, -0.15)
    found = intervention_effect("proportion", treated, START)
    assert (found.design, found.grade) == ("interrupted_time_series", "adjusted")
    assert found.effect is not None and found.effect == pytest.approx(-0.15, abs=0.06)
    assert found.ci_high is not None and found.ci_high < 0 and found.significant
    assert (found.days_before, found.days_after, found.n_before) == (60, 30, 3600)


def test_groups_that_drifted_apart_before_lower_the_grade() -> None:
    treated, control = days(4, 0.0, drift=0.2)
    found = intervention_effect("proportion", treated, START, control)
    assert found.grade == "adjusted" and found.pre_trend_p is not None and found.pre_trend_p < 0.05


def test_a_few_days_allow_only_before_and_after() -> None:
    treated, control = days(5, 0.3, before=6, after=5)
    found = intervention_effect("proportion", treated, START, control)
    assert (found.design, found.grade) == ("before_after", "association")
    assert found.significant and found.days_before == 6


@pytest.mark.parametrize("kind", ["proportion", "mean", "nps", "count"])
def test_nothing_before_gives_no_effect_but_a_reason(kind: Kind) -> None:
    treated = {START + timedelta(days=n): Sums(5, 2, 2) for n in range(3)}
    found = intervention_effect(kind, treated, START)
    assert found.effect is None and not found.significant and found.reason
    assert intervention_effect(kind, {}, START).effect is None


def test_counts_are_compared_as_factors_and_told_as_items_a_day() -> None:
    rng = np.random.default_rng(8)
    treated = {
        START + timedelta(days=n): Sums(int(rng.poisson(40 if n < 0 else 20)), 0, 0) for n in range(-60, 30)
    }
    control = {day: Sums(int(rng.poisson(400)), 0, 0) for day in treated}
    found = intervention_effect("count", treated, START, control)
    assert found.effect == pytest.approx(-20, abs=4) and found.significant
    assert found.level_before == pytest.approx(40, abs=3)
    quiet = dict.fromkeys(treated, EMPTY)
    assert not intervention_effect("count", quiet, START).significant
