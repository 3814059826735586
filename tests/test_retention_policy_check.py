"""What makes no sense in a policy is warned of, each by its name; the policy is told in both languages."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import yaml

from retention.policy import POLICY_FILE, Policy, load_policy, parse_policy
from retention.policy_check import Surroundings, warnings_of
from retention.policy_diff import differences
from retention.policy_explained import explained
from retention.wording import LANGUAGES, Language

NOW = datetime(2026, 3, 5, 8, tzinfo=UTC)
ZONE = ZoneInfo("Asia/Shanghai")
AROUND = Surroundings(
    topics=frozenset({"service/attitude"}), targets=frozenset({"客服"}), columns=frozenset({"门店"})
)
RULE: dict[str, Any] = {"name": "退款急件", "when": {"contains": "退款", "priority": "高"}}


def changed(*path: str, value: object) -> Policy:
    content = yaml.safe_load(POLICY_FILE.read_text(encoding="utf-8"))
    node = content
    for key in path[:-1]:
        node = node[key]
    node[path[-1]] = value
    return parse_policy(yaml.safe_dump(content, allow_unicode=True))


def test_the_shipped_policy_makes_sense() -> None:
    assert warnings_of(load_policy(), now=NOW, zone=ZONE) == []


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        (("health", "threshold"), 80, {"everybody"}),
        (("tiers", "red", "deadline"), {"clock_hours": 48}, {"slower"}),
        (("tiers", "red", "deadline"), {"working_days": 1}, {"slower", "cooldown_short"}),
        (("tiers", "red", "cooldown_days"), 1, set()),
        (("tiers", "orange", "cooldown_days"), 1, {"cooldown_short"}),
        (("tiers", "red", "playbook"), "no_such", {"no_playbook"}),
        (("tiers", "yellow", "playbook"), "director_intervention", {"automatic_without_message"}),
        (("tiers", "red", "owner_role"), "captain", {"unnamed_role", "no_cap", "idle_role"}),
        (("signals", "legal", "points"), -5, {"lighter"}),
        (("behaviour", "teleports"), {"points": -5}, {"unknown_behaviour"}),
        (("behaviour", "price_page"), {"points": 0}, {"silent"}),
        (("escalation", "tiers"), {}, {"overdue_to_nobody"}),
        (("capacity", "next_in_line"), {}, {"no_way_on"}),
        (("capacity", "roles", "painter"), {"open": 3}, {"idle_role"}),
        (("calendar", "country"), "XX", {"unknown_holidays"}),
        (("rules",), [{**RULE, "tell": "老板"}], {"unknown_target"}),
        (("rules",), [{**RULE, "tell": "客服"}], set()),
        (("rules",), [{"name": "x", "when": {"contains": "退"}}], {"one_letter"}),
        (("rules",), [{"name": "x", "when": {"where": {"店": "a"}}}], {"unknown_column"}),
        (("rules",), [{"name": "x", "when": {"topic": "no/such"}}], {"unknown_topic"}),
        (("rules",), [{"name": "x", "when": {"topic": "service"}}], set()),
        (("rules",), [RULE, {**RULE, "name": "again"}], {"same_rule"}),
        (
            ("segments",),
            [{"name": "s", "who": {"门店": "a"}, "change": {"health": {"threshold": 60}}}],
            {"no_change"},
        ),
    ],
)
def test_what_makes_no_sense_is_warned_of(path: tuple[str, ...], value: object, expected: set[str]) -> None:
    policy = changed(*path, value=value)
    # The shipped topics are none of this small tree.
    policy = policy.model_copy(
        update={"triggers": policy.triggers.model_copy(update={"usability_topics": ()})}
    )
    found = warnings_of(policy, now=NOW, zone=ZONE, around=AROUND)
    kinds = {one.key for one in found} - {"nothing"}
    assert kinds == expected
    for warning in found:
        for language in LANGUAGES:
            assert "{" not in warning.text(language)


def test_days_said_twice_and_years_not_announced_are_warned_of() -> None:
    both = changed("calendar", "extra_holidays", value=["2026-03-09"])
    both = both.model_copy(
        update={"calendar": both.calendar.model_copy(update={"extra_workdays": both.calendar.extra_holidays})}
    )
    assert [one.key for one in warnings_of(both, now=NOW, zone=ZONE)] == ["both_days"]
    later = warnings_of(load_policy(), now=datetime(2035, 1, 5, tzinfo=UTC), zone=ZONE)
    assert [(one.key, one.values["year"]) for one in later] == [("make_up_unknown", 2035)]


@pytest.mark.parametrize(
    ("language", "told"),
    [
        (
            "zh",
            "规则“退款急件”：客户的反馈渠道为“ticket”、且优先级为“urgent”、且提到“退款”，就触发一线回访，并立即通知老板。",
        ),
        (
            "en",
            "Rule “退款急件”: an item of a customer that has channel “ticket” and has priority “urgent” and says “退款” "
            "raises front-line call-back, and 老板 hear of it at once.",
        ),
    ],
)
def test_a_rule_is_told_in_one_sentence(language: Language, told: str) -> None:
    rule = {
        "name": "退款急件",
        "when": {"channel": "工单", "contains": "退款", "priority": "高"},
        "tell": "老板",
    }
    policy = changed("rules", value=[rule])
    said = [one.text for one in explained(policy, language, now=NOW, zone=ZONE) if one.section == "rules"]
    assert said == [told]


def test_deadlines_segments_and_escalation_are_told(language: Language = "zh") -> None:
    segment = {"name": "大客户", "who": {"tier": "gold"}, "change": {"health": {"threshold": 70}}}
    said = [one.text for one in explained(changed("segments", value=[segment]), language, now=NOW, zone=ZONE)]
    orange = next(text for text in said if text.startswith("橙色预警"))
    assert "3 个工作日内" in orange and "最晚 2026-03-10 16:00" in orange
    assert any("大客户" in text and "health.threshold 为 70" in text for text in said)
    assert any("红色预警任务逾期 1 小时后上报总经理，并由其接手" in text for text in said)


def test_every_sentence_is_there_in_both_languages() -> None:
    rule = {**RULE, "tell": "老板", "tier": "red"}
    policy = changed("rules", value=[rule])
    zh, en = (explained(policy, one, now=NOW, zone=ZONE) for one in LANGUAGES)
    assert [one.section for one in zh] == [one.section for one in en]
    assert not any("{" in one.text for one in (*zh, *en))


def test_two_policies_differ_where_they_do_and_nowhere_else() -> None:
    assert differences(load_policy(), load_policy()) == []
    found = differences(load_policy(), changed("tiers", "orange", "deadline", value={"clock_hours": 4}))
    assert [(one.at, one.before, one.after) for one in found] == [
        ("tiers.orange.deadline.working_days", 3, None),
        ("tiers.orange.deadline.clock_hours", None, 4.0),
    ]
