from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest

from analytics.health import PartName
from retention.behaviour import load_behaviour
from retention.policy import load_policy
from retention.risk import Risk, assess, reasons
from retention.wording import name_of, sentence
from store.errors import ConfigError
from store.facts import Voice
from store.records import BehaviourEvent, Sentiment, Tier

NOW = datetime(2026, 11, 22, 4, tzinfo=UTC)
POLICY, BEHAVIOUR = load_policy(), load_behaviour()


def voice(days: float, *, bad: bool = False, signals: tuple[str, ...] = (), **scores: float) -> Voice:
    sentiment = None if scores else Sentiment.NEGATIVE if bad else Sentiment.POSITIVE
    return Voice("c", f"f{days:g}", NOW - timedelta(days=days), scores, sentiment, (), signals)


def event(kind: str, detail: str, days: float = 1) -> BehaviourEvent:
    at = NOW - timedelta(days=days)
    return BehaviourEvent(
        event_id=f"{kind}{days:g}", customer_id="c", occurred_at=at, kind=kind, detail=detail
    )


def risk(voices: list[Voice], events: list[BehaviourEvent] | None = None) -> Risk:
    return assess("c", voices, events or [], policy=POLICY, behaviour=BEHAVIOUR, now=NOW)


@pytest.mark.parametrize(
    ("kind", "detail", "signal"),
    [
        ("search", "如何导出数据", "export_data"),
        ("search", "订单记录批量导出", "export_data"),
        ("search", "Export all data", "export_data"),
        ("search", "注销流程", "cancel_search"),
        ("search", "怎么取消自动续费", "cancel_search"),
        ("search", "how do I cancel my subscription", "cancel_search"),
        ("search", "delete account", "cancel_search"),
        ("page_view", "/pricing", "price_page"),
        ("浏览", "价格页面", "price_page"),
        ("search", "best alternatives", "competitor_search"),
        ("search", "对比其他平台", "competitor_search"),
        ("export_data", "", "export_data"),
        ("search", "发票怎么开", None),
        ("search", "取消订单", None),
        ("search", "import contacts", None),
        ("page_view", "首页", None),
        ("login", "", None),
    ],
)
def test_what_customers_do_is_read_in_both_languages(kind: str, detail: str, signal: str | None) -> None:
    assert BEHAVIOUR.signal(event(kind, detail)) == signal


def test_uses_follow_the_commonest_kind_only() -> None:
    events = [event("login", "", d) for d in (1, 2, 3)] + [event("session", "", 4)]
    assert len(BEHAVIOUR.uses(events)) == 3
    assert BEHAVIOUR.uses([event("search", "发票")]) == []


def test_an_act_below_its_minimum_is_no_signal() -> None:
    looked = [event("page_view", "/pricing", d) for d in (1, 2)]
    assert risk([voice(1)], looked).health.parts == ()
    part = risk([voice(1)], [*looked, event("page_view", "/pricing", 3)]).health.parts[0]
    assert (part.name, part.detail, part.figures["n"]) == ("behaviour", "price_page", 3)


def test_the_gravest_trigger_comes_first_and_a_low_score_as_such_last() -> None:
    said = [voice(1, signals=("refund",), bad=True), voice(5, signals=("cancel",), bad=True)]
    found = risk([*said, voice(9, bad=True)])
    assert [trigger.cause for trigger in found.triggers] == [
        "cancel",
        "refund",
        "repeated_negative",
        "health",
    ]
    assert found.tier is Tier.RED and found.evidence[0] == "f5"


def test_one_bad_word_is_no_repeated_dissatisfaction_and_few_items_call_nobody() -> None:
    assert risk([voice(1, bad=True)]).tier is None
    thin = risk([voice(1, rating=1.0), voice(2, bad=True)])
    assert thin.health.health < POLICY.health.threshold and thin.tier is None


def test_scores_without_a_known_scale_or_outside_it_are_left_out() -> None:
    assert risk([voice(1, mystery=3.0), voice(2, nps=11.0), voice(3, ces=7.0)]).health.items == 0


def test_every_part_signal_and_tier_has_words_in_both_languages() -> None:
    figures = dict.fromkeys(("mean", "n", "before", "after", "negative", "share", "ratio", "days"), 1)
    for language in ("zh", "en"):
        for part in get_args(PartName):
            assert sentence("reasons", part, language, detail="x", **figures)
        for signal in {*POLICY.signals, *POLICY.behaviour} - {"other"}:
            assert name_of("signals", signal, language) != signal.replace("_", " ") or language == "en"
        for tier in Tier:
            assert name_of("tiers", tier.value, language)
            assert name_of("roles", POLICY.tiers[tier].owner_role, language)
    with pytest.raises(ConfigError, match="days"):
        sentence("reasons", "silence", "zh")


def test_reasons_are_dated_in_the_zone_of_the_reader() -> None:
    from zoneinfo import ZoneInfo

    late_evening_in_utc = Voice(
        "c", "f", NOW.replace(day=21, hour=17), {}, Sentiment.NEGATIVE, (), ("cancel",)
    )
    found = reasons(risk([late_evening_in_utc]).health, "zh", ZoneInfo("Asia/Shanghai"))
    assert {reason["date"] for reason in found} == {"2026-11-22"}
