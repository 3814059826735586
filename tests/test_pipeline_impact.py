from pathlib import Path

import pytest

from pipeline.impact import Stake, load_impact
from store.errors import ConfigError
from store.records import Labels, Priority, Sentiment


def labels(priority: Priority, sentiment: Sentiment = Sentiment.NEGATIVE) -> Labels:
    return Labels(sentiment=sentiment, sentiment_confidence=0.9, priority=priority, labeller="test")


def test_without_a_stake_the_text_alone_decides() -> None:
    rules = load_impact()
    for priority in Priority:
        assert rules.judge(labels(priority), Stake()).level is priority


def test_a_large_customer_with_many_beside_makes_it_urgent() -> None:
    found = load_impact().judge(
        labels(Priority.IMPORTANT), Stake(tier="VIP", lifetime_value=120_000, reach=40, earlier=2)
    )
    assert found.level is Priority.URGENT
    assert [part.name for part in found.parts] == ["text", "tier", "lifetime_value", "reach", "repeated"]
    assert found.points == sum(part.points for part in found.parts) == 30 + 20 + 15 + 12 + 10
    shown = found.shown()
    assert shown["points"] == sum(part["points"] for part in shown["parts"])


def test_praise_of_a_large_customer_is_no_emergency() -> None:
    stake = Stake(tier="钻石", lifetime_value=1_000_000, reach=500, earlier=9)
    found = load_impact().judge(labels(Priority.NORMAL, Sentiment.POSITIVE), stake)
    assert (found.level, found.points) == (Priority.NORMAL, 0)


def test_a_mild_complaint_rises_with_what_is_at_stake_and_falls_with_a_free_plan() -> None:
    rules = load_impact()
    mild = labels(Priority.NORMAL)
    assert rules.judge(mild, Stake()).level is Priority.NORMAL
    assert rules.judge(mild, Stake(tier="白金")).level is Priority.IMPORTANT
    assert rules.judge(labels(Priority.IMPORTANT), Stake(tier="free")).level is Priority.NORMAL


@pytest.mark.parametrize(
    ("smaller", "larger"),
    [
        (Stake(lifetime_value=9_999), Stake(lifetime_value=10_000)),
        (Stake(reach=4), Stake(reach=5)),
        (Stake(earlier=0), Stake(earlier=1)),
        (Stake(tier="unknown"), Stake(tier=" Gold ")),
    ],
)
def test_more_at_stake_never_lowers_it(smaller: Stake, larger: Stake) -> None:
    rules, mild = load_impact(), labels(Priority.NORMAL)
    assert rules.judge(mild, larger).points > rules.judge(mild, smaller).points


def test_a_table_that_is_not_usable_is_a_config_error(tmp_path: Path) -> None:
    file = tmp_path / "impact.yaml"
    file.write_text("text: {urgent: 60}\n", encoding="utf-8")
    with pytest.raises(ConfigError):
        load_impact(file)
    with pytest.raises(ConfigError):
        load_impact(tmp_path / "absent.yaml")
