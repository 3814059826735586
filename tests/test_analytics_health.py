from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.customer_history import History, Mood, Score, Signal, Use
from analytics.health import Health, assess_health, churn_probability
from retention.policy import load_policy

NOW = datetime(2026, 11, 22, 4, tzinfo=UTC)
RULES = load_policy().health


def ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


def scores(*values: float, every: float = 14, instrument: str = "nps") -> list[Score]:
    last = len(values) - 1
    return [
        Score(ago(1 + every * (last - i)), value / 10, instrument, f"s{i}") for i, value in enumerate(values)
    ]


def moods(pattern: str, every: float = 5) -> list[Mood]:
    last = len(pattern) - 1
    return [Mood(ago(1 + every * (last - i)), sign == "-", f"m{i}") for i, sign in enumerate(pattern)]


def points(health: Health, name: str) -> float:
    return sum(part.points for part in health.parts if part.name == name)


def test_parts_add_up_to_health() -> None:
    health = assess_health(
        History(
            scores=scores(9, 9, 9, 6, 6),
            moods=moods("+--"),
            signals=[Signal(ago(2), "cancel", -30, "f1")],
            deeds=[Signal(ago(3), "export_data", -15, "e1")],
        ),
        RULES,
        NOW,
    )
    assert health.health == pytest.approx(health.base + sum(part.points for part in health.parts), abs=0.05)
    assert {part.name for part in health.parts} >= {"score_trend", "baseline_break", "signal", "behaviour"}
    assert health.parts == tuple(sorted(health.parts, key=lambda part: part.points))


def test_nothing_known_is_the_base_and_no_alarm() -> None:
    health = assess_health(History(), RULES, NOW)
    assert (health.health, health.parts, health.items) == (RULES.base, (), 0)
    assert health.health > RULES.threshold


def test_steady_nines_then_two_sixes_fall_below_steady_nines_and_break() -> None:
    steady = assess_health(History(scores=scores(9, 9, 9, 9, 9)), RULES, NOW)
    fallen = assess_health(History(scores=scores(9, 9, 9, 6, 6)), RULES, NOW)
    assert points(steady, "baseline_break") == 0
    assert points(fallen, "baseline_break") == RULES.baseline_break.points
    assert fallen.health < RULES.threshold < steady.health
    broke = next(part for part in fallen.parts if part.name == "baseline_break")
    assert broke.evidence == ("s3", "s4")
    assert broke.figures == {"before": 90.0, "after": 60.0, "n": 2}


def test_one_star_less_of_five_is_no_break() -> None:
    rated = assess_health(History(scores=scores(10, 10, 10, 7.5, 7.5, instrument="rating")), RULES, NOW)
    assert points(rated, "baseline_break") == 0


def test_loud_but_loyal_stays_healthy_and_the_same_noise_without_scores_does_not() -> None:
    noise = moods("-+-+--+--+----")
    loyal = assess_health(History(scores=scores(9, 10, 9, 9, 10), moods=noise), RULES, NOW)
    silent = assess_health(History(moods=noise), RULES, NOW)
    leaving = assess_health(History(scores=scores(9, 9, 8, 5, 4), moods=noise), RULES, NOW)
    assert loyal.loyal and not leaving.loyal
    assert loyal.health > 75 > silent.health > leaving.health
    assert leaving.probability > 3 * loyal.probability


def test_one_bad_score_weighs_less_than_three() -> None:
    one = assess_health(History(scores=scores(2)), RULES, NOW)
    three = assess_health(History(scores=scores(2, 2, 2)), RULES, NOW)
    assert three.health < one.health < RULES.base


def test_an_own_habit_of_complaining_costs_less_than_a_new_one() -> None:
    habit = assess_health(History(moods=moods("-" * 30)), RULES, NOW)
    fresh = assess_health(History(moods=moods("+" * 18 + "-" * 12)), RULES, NOW)
    assert fresh.health < habit.health < RULES.base


def test_a_signal_fades_by_half_in_its_half_life() -> None:
    def after(days: float) -> float:
        return points(
            assess_health(History(signals=[Signal(ago(days), "cancel", -30, "f")]), RULES, NOW), "signal"
        )

    assert after(0) == -30
    assert after(RULES.half_life_days) == -15


def test_signals_together_are_capped() -> None:
    many = [Signal(NOW, name, -30, name) for name in ("cancel", "legal", "conflict")]
    health = assess_health(History(signals=many), RULES, NOW)
    assert points(health, "signal") == pytest.approx(RULES.signals.worst, abs=0.2)


def test_falling_use_costs_in_proportion_and_little_history_costs_nothing() -> None:
    steady = [Use(ago(day)) for day in range(1, 112, 3)]
    stopped = [Use(ago(day)) for day in range(29, 112, 3)]
    assert points(assess_health(History(uses=steady), RULES, NOW), "usage_fall") == 0
    assert points(assess_health(History(uses=stopped), RULES, NOW), "usage_fall") == RULES.usage_fall.worst
    assert points(assess_health(History(uses=stopped[:3]), RULES, NOW), "usage_fall") == 0


def test_silence_after_a_complaint_needs_a_customer_who_used_to_speak() -> None:
    regular = [Mood(ago(30 + 7 * i), i == 0, f"m{i}") for i in range(6)]
    assert points(assess_health(History(moods=regular), RULES, NOW), "silence") == RULES.silence.points
    once = [Mood(ago(30), True, "m")]
    assert points(assess_health(History(moods=once), RULES, NOW), "silence") == 0
    came_back = [*regular, Mood(ago(3), False, "back")]
    assert points(assess_health(History(moods=came_back), RULES, NOW), "silence") == 0


def test_what_lies_after_now_is_not_looked_at() -> None:
    later = History(
        scores=scores(9, 9, 9, 9),
        signals=[Signal(NOW + timedelta(days=1), "cancel", -30, "f")],
        deeds=[Signal(NOW + timedelta(hours=1), "export_data", -15, "e")],
    )
    assert assess_health(later, RULES, NOW) == assess_health(History(scores=later.scores), RULES, NOW)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.floats(0, 400), st.floats(0, 1)), max_size=12),
    st.lists(st.tuples(st.floats(0, 400), st.booleans()), max_size=12),
    st.lists(st.tuples(st.floats(0, 400), st.sampled_from(["cancel", "price"])), max_size=5),
)
def test_always_within_bounds_and_adding_up(
    given_scores: list[tuple[float, float]],
    given_moods: list[tuple[float, bool]],
    given_signals: list[tuple[float, str]],
) -> None:
    history = History(
        [Score(ago(d), v, "nps", "s") for d, v in given_scores],
        [Mood(ago(d), n, "m") for d, n in given_moods],
        [Signal(ago(d), name, -30, "f") for d, name in given_signals],
    )
    health = assess_health(history, RULES, NOW)
    assert 0 <= health.health <= 100
    assert health.health == pytest.approx(health.base + sum(p.points for p in health.parts), abs=0.06)
    assert 0 < health.probability < 1


def test_probability_falls_with_health_and_is_even_where_the_policy_says() -> None:
    assert churn_probability(RULES.probability.even_health, RULES) == 0.5
    assert churn_probability(20, RULES) > churn_probability(60, RULES) > churn_probability(95, RULES)
