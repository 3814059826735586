"""A company's own rules and segments: one rule messages the boss; what differs for some differs for them only."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from agent.settings import Settings
from agent.wiring import open_app
from retention.alert_scan import AlertScan
from retention.policy import POLICY_FILE, Policy, load_policy, parse_policy
from retention.portfolio import assess_customers
from retention.rules import rule_hits
from store.clock import FixedClock
from store.errors import ConfigError
from store.records import Channel, Customer, Priority, Sentiment, Tier
from tests.retention_world import NOW, ZONE, World

BOSS = {"name": "退款急件", "when": {"channel": "工单", "contains": "退款", "priority": "高"}, "tell": "老板"}


def policy_with(**sections: Any) -> Policy:
    content = yaml.safe_load(POLICY_FILE.read_text(encoding="utf-8"))
    return parse_policy(yaml.safe_dump({**content, **sections}, allow_unicode=True))


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    yield world
    world.close()


def causes(world: World, policy: Policy) -> dict[str, tuple[str, ...]]:
    world.context()
    AlertScan(world.facts, world.operations, FixedClock(NOW), ZONE, {}, lambda: policy).run()
    return {alert.customer_id: alert.causes for alert in world.operations.alerts()}


def test_one_rule_raises_an_alert_of_a_ticket_that_contains_a_word_and_is_urgent(world: World) -> None:
    ticket: dict[str, Any] = {"channel": Channel.TICKET, "priority": Priority.URGENT}
    world.says("meant", 1, "我要退款，今天就办", **ticket)
    world.says("a review", 1, "我要退款，今天就办", channel=Channel.REVIEW, priority=Priority.URGENT)
    world.says("not urgent", 1, "我要退款，不急", channel=Channel.TICKET)
    world.says("no refund", 1, "今天就办", **ticket)
    world.says("long ago", 40, "我要退款", **ticket)
    world.says(None, 1, "我要退款", **ticket)
    policy = policy_with(rules=[BOSS])
    assert causes(world, policy) == {"meant": ("rule/退款急件",)}
    (alert,) = world.operations.alerts()
    assert (alert.tier, alert.evidence) == (Tier.CALLBACK, ("f1",))
    assert "退款急件" in alert.summary["zh"] and "rule/" not in alert.summary["zh"] + alert.summary["en"]
    assert world.operations.tasks(customer_id="meant")[0].alert_id == alert.alert_id
    assert alert.score == pytest.approx(sum(part.points for part in alert.parts))


@pytest.mark.parametrize(
    ("when", "found"),
    [
        ({"contains": ["REFUND", "退钱"]}, {"a", "b"}),
        ({"contains": "refund", "without": "thanks"}, {"a"}),
        ({"scores": {"nps": {"at_most": 6}}}, {"c"}),
        ({"scores": {"nps": {"at_least": 7, "at_most": 8}}}, set()),
        ({"where": {"门店": ["一店", "二店"]}}, {"a"}),
        ({"where": {"没有这一列": "x"}}, set()),
        ({"topic": "service"}, {"b"}),
        ({"topic": "service/attitude"}, {"b"}),
        ({"sentiment": "负面", "risk": "refund"}, {"b"}),
        ({"channel": ["email", "电话"]}, {"c"}),
    ],
)
def test_every_condition_must_hold_each_with_any_of_its_values(
    world: World, when: dict[str, Any], found: set[str]
) -> None:
    world.says("a", 1, "refund please", attributes={"门店": "二店"})
    world.says(
        "b", 1, "Refund, thanks", Sentiment.NEGATIVE, topics=("service/attitude",), signals=("refund",)
    )
    world.says("c", 1, "fine", nps=5, channel=Channel.EMAIL)
    world.context()
    policy = policy_with(rules=[{"name": "x", "when": when}])
    assert set(rule_hits(world.facts, policy, NOW)) == found


def test_the_boss_is_told_once_whatever_tiers_his_target_is_for(world: World, tmp_path: Path) -> None:
    world.says("c1", 1, "我要退款", channel=Channel.TICKET, priority=Priority.URGENT)
    world.says("c2", 1, "这个功能太难用了", Sentiment.NEGATIVE, signals=("price",))
    world.context()
    world.close()
    targets = [
        {"name": "老板", "url": "log://", "tiers": ["red"]},
        {"name": "客服", "url": "log://", "tiers": ["orange"]},
    ]
    (tmp_path / "notify.yaml").write_text(yaml.safe_dump({"targets": targets}), encoding="utf-8")
    content = yaml.safe_load(POLICY_FILE.read_text(encoding="utf-8"))
    with open_app(Settings(home=tmp_path), FixedClock(NOW)) as app:
        text = yaml.safe_dump({**content, "rules": [BOSS]}, allow_unicode=True)
        app.policy_book.put(text, state="live", by="boss", why="refunds")
        outbox = app.outbox()
        app.alert_notices.on_alert("outbox", app.alert_teller.observer(app.notify_targets, outbox))
        for _ in range(2):
            app.scan_alerts("test")
        told = {one.target: one.title for one in app.deliveries.deliveries()}
        assert len(app.deliveries.deliveries()) == 2
        assert "回访" in told["老板"]
        assert "退款急件" in next(one.text for one in app.deliveries.deliveries() if one.target == "老板")


def test_a_rule_that_joins_a_standing_alert_tells_its_targets_and_nobody_else(world: World) -> None:
    policy = policy_with(rules=[BOSS])
    world.says("c1", 2, "太贵了", Sentiment.NEGATIVE, signals=("price",))
    assert causes(world, policy) == {"c1": ("price",)}
    world.says("c1", 1, "我要退款", channel=Channel.TICKET, priority=Priority.URGENT)
    world.context()
    kinds = ("opened", "raised", "ruled")
    world.operations.claim_notices("outbox", kinds)
    clock = FixedClock(NOW + timedelta(minutes=1))
    report = AlertScan(world.facts, world.operations, clock, ZONE, {}, lambda: policy).run()
    assert (report.opened, report.raised) == (0, 0)
    told = world.operations.claim_notices("outbox", kinds)
    assert [notice.kind for notice in told] == ["opened", "ruled"]
    events = world.operations.alert_events(NOW - timedelta(days=1), NOW + timedelta(days=1))
    assert [event.kind for event in events] == ["opened", "joined"]
    (alert,) = world.operations.alerts()
    assert (alert.tier, "rule/退款急件" in alert.causes) == (Tier.ORANGE, True)


SEGMENT = {
    "name": "大客户",
    "who": {"tier": ["gold", "钻石"]},
    "change": {
        "tiers": {"orange": {"deadline": {"clock_hours": 4}, "owner_role": "sales_director"}},
        "signals": {"refund": {"tier": "red"}},
    },
}


def test_a_segment_has_its_own_deadline_role_and_tier_and_nobody_else_has(world: World) -> None:
    for customer in ("gold", "plain"):
        world.says(customer, 1, "太贵了", Sentiment.NEGATIVE, signals=("price",))
        world.says(f"{customer} refund", 1, "退款", Sentiment.NEGATIVE, signals=("refund",))
    world.context()
    customers = [Customer(customer_id=one, tier="gold") for one in ("gold", "gold refund")]
    world.facts.add_customers([*customers, Customer(customer_id="plain", tier="basic")])
    causes(world, policy_with(segments=[SEGMENT]))
    alerts = {alert.customer_id: alert for alert in world.operations.alerts()}
    assert alerts["gold"].due_at == NOW + timedelta(hours=4)
    assert alerts["plain"].due_at > NOW + timedelta(days=2)
    assert [alerts[one].owner_role for one in ("gold", "plain")] == ["sales_director", "sales"]
    assert [alerts[f"{one} refund"].tier for one in ("gold", "plain")] == [Tier.RED, Tier.CALLBACK]


def test_who_belongs_to_a_segment_is_read_from_profile_and_feedback_and_the_last_one_wins(
    world: World,
) -> None:
    world.says("by item", 1, "好", product="旗舰")
    world.says("by profile", 1, "好")
    world.says("both", 1, "好", product="旗舰")
    world.says("neither", 1, "好")
    world.context()
    world.facts.add_customers(
        [Customer(customer_id=one, attributes={"行业": "银行"}) for one in ("by profile", "both")]
    )
    segments = [
        {"name": "a", "who": {"product": "旗舰"}, "change": {"health": {"threshold": 70}}},
        {"name": "b", "who": {"行业": "银行"}, "change": {"health": {"threshold": 80}}},
        {"name": "c", "who": {"行业": "银行", "product": "旗舰"}, "change": {"triggers": {"signal_days": 7}}},
    ]
    who = assess_customers(world.facts, NOW, policy=policy_with(segments=segments)).policies
    assert who.segments == {"by item": ("a",), "by profile": ("b",), "both": ("a", "b", "c")}
    customers = ("neither", "by item", "by profile", "both")
    assert [who.of(one).health.threshold for one in customers] == [60, 70, 80, 80]
    assert [who.of(one).triggers.signal_days for one in customers] == [30, 30, 30, 7]


@pytest.mark.parametrize(
    ("sections", "complaint"),
    [
        ({"rules": [{"name": "x", "when": {}}]}, "hold of everything"),
        ({"rules": [{"name": "x", "when": {"without": "a"}}]}, "hold of everything"),
        (
            {"rules": [{"name": "x", "when": {"priority": "特高"}}]},
            "特高 is none of important, normal, urgent",
        ),
        ({"rules": [{"name": "x", "when": {"says": "a"}}]}, "says"),
        ({"rules": [{"name": "x", "when": {"scores": {"nps": {}}}}]}, "at_least, at_most or both"),
        ({"rules": [BOSS, BOSS]}, "two are called 退款急件"),
        ({"segments": [{**SEGMENT, "change": {}}]}, "nothing is changed"),
        ({"segments": [{**SEGMENT, "who": {}}]}, r"segments\.0\.who"),
        (
            {"segments": [{**SEGMENT, "change": {"tiers": {"red": {"dedline": 1}}}}]},
            r"segments\.大客户\.change\.tiers\.red\.dedline",
        ),
        ({"segments": [{**SEGMENT, "change": {"health": {"history_days": 9}}}]}, "the same for everybody"),
    ],
)
def test_a_wrong_rule_or_segment_is_named(sections: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint):
        policy_with(**sections)


def test_without_rules_and_segments_nothing_is_asked_and_everybody_has_the_common_policy(
    world: World,
) -> None:
    world.says("c1", 1, "退款")
    world.context()
    policy = load_policy()
    assert rule_hits(world.facts, policy, NOW) == {}
    assert assess_customers(world.facts, NOW, policy=policy).policies.of("c1") is policy
