"""What to say rests on what is known: what is not known is asked, and limits are the policy's."""

from datetime import date, timedelta
from typing import Any

import pytest

from retention.policy import load_policy
from retention.talking_points import Grounds, talking_points
from retention.wording import Language
from store.records import Customer, Tier
from tests.retention_world import NOW, ZONE


def said(language: Language = "zh", **known: Any) -> dict[str, str]:
    grounds: dict[str, Any] = {
        "tier": Tier.RED,
        "causes": ("cancel", "refund"),
        "customer": None,
        "owner": "客服总监",
        "due_at": NOW + timedelta(hours=2),
        "today": date(2026, 11, 22),
    }
    points = talking_points(Grounds(**{**grounds, **known}), load_policy(), language, ZONE)
    found: dict[str, str] = {}
    for kind, text in points:
        found[kind] = f"{found.get(kind, '')}{text}"
    return found


def test_a_known_customer_is_told_their_own_figures() -> None:
    customer = Customer(
        customer_id="c1", since=date(2023, 11, 22), lifetime_value=50_000, renewal_on=date(2026, 12, 1)
    )
    points = said(customer=customer, praised=("界面", "价格"), uses=1200, quote="我要退款", granted=200)
    assert "“我要退款”" in points["apology"] and "退款" in points["apology"]
    assert "3.0 年" in points["value"] and "界面、价格" in points["value"]
    assert (
        "1,200 次" in points["return"]
        and "还有 9 天" in points["return"]
        and "不要告诉客户" in points["return"]
    )
    assert "账户抵扣，300 CNY" in points["limits"] and "已获 200" in points["limits"]
    assert "主管单次最多 500" in points["limits"]
    assert points["promise"] == "说清下一步：客服总监在 2026-11-22 14:00 之前给出结果，并记入任务。"


def test_what_is_not_known_is_asked_and_never_made_up() -> None:
    points = said()
    assert "先问对方最看重什么" in points["value"] and "没有使用记录" in points["return"]
    assert "没有任何使用" in said(uses=0)["return"]


@pytest.mark.parametrize("tier", list(Tier))
@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_tier_has_its_words_in_both_languages(tier: Tier, language: Language) -> None:
    points = said(language, tier=tier)
    assert {"apology", "value", "return", "limits", "promise", "avoid"} == set(points)
    assert all("{" not in text for text in points.values())
