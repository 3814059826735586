from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from store.errors import ToolInputError
from store.records import Customer, Outcome, Sentiment
from tests.retention_world import World, ago
from tools.churn import churn_risk
from tools.customers import customer_360
from tools.registry import spec

RISK, ALL = spec(churn_risk), spec(customer_360)
BAD, GOOD = Sentiment.NEGATIVE, Sentiment.POSITIVE


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.close()


def decline(world: World, customer: str) -> None:
    for i, score in enumerate((9, 9, 9, 6, 6)):
        world.says(customer, 70 - 15 * i, nps=score)
    world.does(customer, 4, "search", "如何导出数据")
    world.says(customer, 3, "越用越慢，没人理我", BAD, topics=("product/performance",))


def loud_but_loyal(world: World, customer: str) -> None:
    for i in range(5):
        world.says(customer, 80 - 15 * i, nps=9)
    for i in range(12):
        world.says(customer, 85 - 7 * i, f"又出问题了 {i}", BAD)


def ranked(result: Any) -> list[str]:
    return [row["customer_id"] for row in result.data["customers"]]


def test_decliners_come_first_and_loud_but_loyal_customers_are_not_leaving(world: World) -> None:
    decline(world, "leaving")
    loud_but_loyal(world, "loud")
    world.says("happy", 5, "很好", GOOD, nps=10)
    result = RISK.run({}, world.context())
    assert ranked(result) == ["leaving"]
    top = result.data["customers"][0]
    assert top["health"] < 60 < 100 * (1 - top["probability"]) + 60
    assert top["tier"] == "callback"
    assert {reason["part"] for reason in top["reasons"]} >= {"baseline_break", "behaviour", "score_trend"}
    assert top["health"] == pytest.approx(top["base"] + sum(r["points"] for r in top["reasons"]), abs=0.06)
    assert result.data["assessed"] == 3
    loud = RISK.run({"customer_ids": ["loud"]}, world.context()).data["customers"][0]
    assert loud["health"] > 70 and loud["loyal"] and loud["tier"] is None


def test_words_alone_call_for_the_tier_the_policy_names(world: World) -> None:
    world.says("red", 1, "我要解约", BAD, signals=("cancel",))
    world.says("orange", 1, "别家更便宜", BAD, signals=("competitor",))
    world.says("yellow", 1, "这个按钮太难找了", BAD, topics=("product/usability",))
    world.says("old", 200, "要解约", BAD, signals=("cancel",))
    result = RISK.run({"customer_ids": ["red", "orange", "yellow", "old"]}, world.context())
    tiers = {row["customer_id"]: row["tier"] for row in result.data["customers"]}
    assert tiers == {"red": "red", "orange": "orange", "yellow": "yellow", "old": None}
    assert result.data["by_tier"] == {"yellow": 1, "callback": 0, "orange": 1, "red": 1}
    listed = ranked(RISK.run({}, world.context()))
    assert "yellow" not in listed and listed[0] == "red"


def test_who_has_left_is_counted_and_not_listed(world: World) -> None:
    decline(world, "gone")
    decline(world, "back")
    world.facts.add_outcomes(
        [
            Outcome(customer_id="gone", occurred_at=ago(2), outcome="churned"),
            Outcome(customer_id="back", occurred_at=ago(20), outcome="churned"),
            Outcome(customer_id="back", occurred_at=ago(10), outcome="repurchased"),
        ]
    )
    result = RISK.run({"language": "en"}, world.context())
    assert ranked(result) == ["back"]
    assert result.data["left"] == 1
    assert any("have left already" in caveat for caveat in result.caveats)
    assert ranked(RISK.run({"customer_ids": ["gone"]}, world.context())) == ["gone"]


def test_a_past_period_is_judged_with_what_was_known_then(world: World) -> None:
    decline(world, "leaving")
    then = {"from": "2026-09-01", "to": "2026-10-20"}
    before = RISK.run({"customer_ids": ["leaving"], "period": then}, world.context())
    assert before.data["customers"][0]["health"] > 60
    assert before.data["as_of"].startswith("2026-10-19")


def test_filters_and_period_choose_whose_risk_is_asked(world: World) -> None:
    for customer, region in (("a", "广东"), ("b", "浙江")):
        world.says(customer, 2, "我要解约", BAD, signals=("cancel",), region=region)
    assert ranked(RISK.run({"filters": {"region": "广东"}}, world.context())) == ["a"]
    assert sorted(ranked(RISK.run({"period": "last 7 days"}, world.context()))) == ["a", "b"]
    nobody = RISK.run({"filters": {"region": "广东"}, "period": "2026-01-01 to 2026-02-01"}, world.context())
    assert nobody.data["customers"] == [] and nobody.n == 0


def test_agents_turns_and_undated_or_anonymous_items_are_no_customer_voice(world: World) -> None:
    world.says("a", 2, "您要取消订单吗", BAD, signals=("cancel",), speaker="agent")
    world.says(None, 2, "我要解约", BAD, signals=("cancel",))
    world.says("b", None, "我要解约", BAD, signals=("cancel",))
    result = RISK.run({"language": "en"}, world.context())
    assert result.data["customers"] == [] and result.n == 0
    assert any("customer id and a time" in caveat for caveat in result.caveats)


def test_reasons_speak_the_language_asked_for_and_carry_date_and_evidence(world: World) -> None:
    said = world.says("a", 1, "我要解约", BAD, signals=("cancel",))
    for language, word in (("zh", "解约"), ("en", "cancelling")):
        result = RISK.run({"language": language}, world.context())
        reason = next(r for r in result.data["customers"][0]["reasons"] if r["part"] == "signal")
        assert word in reason["text"]
        assert (reason["date"], reason["evidence"]) == ("2026-11-21", [said])
    assert result.evidence == [said]


def test_a_feed_that_ended_long_ago_is_judged_as_it_stood_then(world: World) -> None:
    world.says("a", 400, "我要解约", BAD, signals=("cancel",))
    result = RISK.run({"language": "en"}, world.context())
    assert ranked(result) == ["a"]
    assert any("the data ends on 2025-10-18" in caveat for caveat in result.caveats)


def test_the_limit_cuts_the_list_and_not_the_counts(world: World) -> None:
    for i in range(5):
        world.says(f"c{i}", 1 + i, "我要解约", BAD, signals=("cancel",))
    result = RISK.run({"limit": 2}, world.context())
    assert ranked(result) == ["c0", "c1"]
    assert result.data["at_risk"] == 5


def test_one_customer_with_everything_known(world: World) -> None:
    world.facts.add_customers(
        [Customer(customer_id="a", name="王某", owner="李经理", tier="VIP", since=date(2024, 1, 2))]
    )
    decline(world, "a")
    for turn, (speaker, text, mood) in enumerate(
        [
            ("customer", "你好，想问下发票", Sentiment.NEUTRAL),
            ("agent", "请稍等", Sentiment.NEGATIVE),
            ("customer", "等了半小时，太差了", BAD),
        ]
    ):
        world.says("a", 1 - turn / 1000, text, mood, speaker=speaker, conversation_id="k1", turn=turn)
    world.facts.add_outcomes([Outcome(customer_id="a", occurred_at=ago(300), outcome="renewed", value=5000)])
    result = ALL.run({"customer_id": "a"}, world.context())
    data = result.data
    assert data["customer"]["owner"] == "李经理" and "name" not in data["customer"]
    assert [score["value"] for score in data["scores"]] == [9, 9, 9, 6, 6]
    talk = data["conversations"][0]
    assert [turn["speaker"] for turn in talk["turns"]] == ["customer", "agent", "customer"]
    assert talk["curve"] == [0.0, None, -2.0] and talk["break_turn"] == 2
    assert (
        talk["resolution"] == "unresolved"
        and talk["resolution_feedback_id"] == talk["turns"][2]["feedback_id"]
    )
    assert talk["effort"]["customer_turns"] == 2 and talk["end_mood"] == "negative"
    assert data["sentiments"] == {"positive": 0, "neutral": 1, "negative": 2}
    assert data["topics"] == [{"topic": "product/performance", "n": 1, "negative": 1}]
    assert data["risk"]["tier"] == "callback"
    assert data["events"][0]["signal"] == "export_data"
    assert data["outcomes"][0]["outcome"] == "renewed"
    assert result.n == 8


def test_an_unknown_customer_is_said_to_the_caller(world: World) -> None:
    with pytest.raises(ToolInputError, match="nothing is known of customer 'ghost'"):
        ALL.run({"customer_id": "ghost"}, world.context())
    result = RISK.run({"customer_ids": ["ghost"], "language": "en"}, world.context())
    assert result.data["customers"] == []
    assert any("ghost" in caveat for caveat in result.caveats)


def test_a_customer_known_by_profile_alone_has_no_risk_and_says_so(world: World) -> None:
    world.facts.add_customers([Customer(customer_id="new")])
    result = ALL.run({"customer_id": "new", "language": "en"}, world.context())
    assert result.data["risk"] is None and result.n == 0
    assert any("no scores" in caveat for caveat in result.caveats)
