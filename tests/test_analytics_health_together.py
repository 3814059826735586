"""What signs mean together, and that the parts still add up."""

from datetime import UTC, datetime, timedelta

import pytest

from analytics.customer_history import History, Mood, Score, Signal, Use
from analytics.health import Health, assess_health
from retention.policy import load_policy

NOW = datetime(2026, 11, 22, tzinfo=UTC)
RULES = load_policy().health


def ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


def names(history: History) -> set[str]:
    health = assess_health(history, RULES, NOW)
    assert added_up(health)
    return {part.name for part in health.parts}


def added_up(health: Health) -> bool:
    return health.health == pytest.approx(health.base + sum(part.points for part in health.parts), abs=0.11)


SAYS = Signal(ago(5), "cancel", -30, "f1")
LOOKS = Signal(ago(3), "cancel_search", -25, "e1")


def test_deeds_confirm_words_and_neither_does_alone() -> None:
    both = assess_health(History(signals=[SAYS], deeds=[LOOKS]), RULES, NOW)
    [part] = [part for part in both.parts if part.name == "confirmed"]
    assert (part.points, set(part.evidence)) == (RULES.confirmed.points, {"f1", "e1"})
    assert "confirmed" not in names(History(signals=[SAYS])) | names(History(deeds=[LOOKS]))


def test_use_that_falls_confirms_words_and_what_is_long_ago_does_not() -> None:
    fading = [Use(ago(150 - 7 * week), 60 if week < 18 else 8) for week in range(21)]
    assert "confirmed" in names(History(signals=[SAYS], uses=fading))
    old = Signal(ago(RULES.confirmed.days + 1), "cancel", -100, "f1")
    assert "confirmed" not in names(History(signals=[old], uses=fading))


def test_price_beside_a_competitor_weighs_more_than_both() -> None:
    price, rival = Signal(ago(9), "price", -10, "f1"), Signal(ago(2), "competitor", -15, "f2")
    assert "price_and_rival" in names(History(signals=[price, rival]))
    assert "price_and_rival" not in names(History(signals=[price]))
    assert "price_and_rival" in names(
        History(signals=[price], deeds=[Signal(ago(1), "competitor_search", -10, "e")])
    )


def test_a_renewal_that_is_near_makes_trouble_weigh_more_and_is_none_by_itself() -> None:
    soon = (NOW + timedelta(days=20)).date()
    health = assess_health(History(signals=[SAYS], renewal=soon), RULES, NOW)
    [part] = [part for part in health.parts if part.name == "renewal"]
    assert part.figures["days"] == 20 and RULES.renewal.worst <= part.points < 0
    assert added_up(health)
    far = (NOW + timedelta(days=RULES.renewal.days_before + 1)).date()
    past = (NOW - timedelta(days=1)).date()
    assert all("renewal" not in names(History(signals=[SAYS], renewal=day)) for day in (far, past))
    content = History(
        scores=[Score(ago(5), 1.0, "nps", "f1")], moods=[Mood(ago(5), False, "f1")], renewal=soon
    )
    assert "renewal" not in names(content)
