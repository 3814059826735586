"""Figures of the read tools, recomputed without the store."""

import math
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from store.errors import ToolInputError
from store.records import Feedback, LabelledFeedback
from tests.tools_world import ZONE, feedback, shared
from tools.catalogue import run_tool
from tools.context import ToolContext

ITEMS = feedback()


@pytest.fixture(scope="module")
def context() -> ToolContext:
    return shared()


def run(context: ToolContext, name: str, **args: Any) -> dict[str, Any]:
    return run_tool(name, args, context).model_dump(mode="json", by_alias=True)


def chosen(
    first: str | None = None,
    last: str | None = None,
    keep: Callable[[LabelledFeedback], bool] = lambda one: True,
) -> list[LabelledFeedback]:
    """Items of local days [first, last) that are kept."""

    def within(one: Feedback) -> bool:
        if first is None or last is None:
            return True
        at = one.occurred_at
        return at is not None and day(first) <= at < day(last)

    return [one for one in ITEMS if within(one.feedback) and keep(one)]


def day(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


def nps_of(items: list[LabelledFeedback]) -> tuple[float, int]:
    scores = [one.feedback.nps for one in items if one.feedback.nps is not None]
    promoters, detractors = sum(s >= 9 for s in scores), sum(s < 7 for s in scores)
    return 100 * (promoters - detractors) / len(scores), len(scores)


def test_nps_with_counts_and_interval(context: ToolContext) -> None:
    result = run(context, "nps_stats", period="10月")
    expected, n = nps_of(chosen("2026-10-01", "2026-11-01"))
    data = result["data"]
    assert result["n"] == n == data["promoters"] + data["passives"] + data["detractors"]
    assert data["nps"] == round(expected, 4)
    assert data["ci_low"] < data["nps"] < data["ci_high"]
    assert result["period"] == {"from": "2026-10-01T00:00:00+08:00", "to": "2026-11-01T00:00:00+08:00"}
    assert len(result["evidence"]) == 5


def test_nps_groups_by_a_chinese_name(context: ToolContext) -> None:
    result = run(context, "nps_stats", period="上个月", group_by="地区")
    groups = {group["key"]: group for group in result["data"]["groups"]}
    assert set(groups) == {"广东", "浙江", "上海", "北京"}
    for region, group in groups.items():
        items = chosen("2026-10-01", "2026-11-01", lambda one, region=region: one.feedback.region == region)  # type: ignore[misc]
        expected, n = nps_of(items)
        assert (group["nps"], group["n"]) == (round(expected, 4), n)
    assert result["chart"]["series"][0]["type"] == "bar"


def test_time_groups_come_in_order_and_as_a_line(context: ToolContext) -> None:
    result = run(context, "nps_stats", group_by=["月份"], period="近三个月")
    assert [group["key"] for group in result["data"]["groups"]] == [
        "2026-08",
        "2026-09",
        "2026-10",
        "2026-11",
    ]
    assert result["chart"]["series"][0]["type"] == "line"


def test_shares_means_and_counts(context: ToolContext) -> None:
    guangdong = chosen("2026-10-01", "2026-11-01", lambda one: one.feedback.region == "广东")
    labelled = [one for one in guangdong if one.labels]
    negative = sum(one.labels is not None and one.labels.sentiment.value == "negative" for one in labelled)
    share = run(context, "metric_stats", metric="差评率", period="10月", filters={"省份": "广东省"})
    assert share["filters"] == {"region": "广东"}
    assert (share["data"]["value"], share["n"]) == (round(negative / len(labelled), 4), len(labelled))
    count = run(context, "metric_stats", metric="volume", period="10月", filters={"region": "广东"})
    assert count["data"]["value"] == count["n"] == len(guangdong)
    assert isinstance(count["data"]["value"], int)
    amounts = [one.feedback.metrics["订单金额"] for one in ITEMS if "订单金额" in one.feedback.metrics]
    mean = run(context, "metric_stats", metric="订单金额")
    assert mean["n"] == len(amounts)
    assert mean["data"]["value"] == pytest.approx(math.fsum(amounts) / len(amounts), abs=1e-4)


def test_custom_share_and_its_alias_agree(context: ToolContext) -> None:
    alias = run(context, "metric_stats", metric="投诉率")
    named = run(context, "metric_stats", metric="share:意图=投诉")
    assert alias["data"]["value"] == named["data"]["value"]
    assert alias["data"]["metric"] == "share:intent=complaint"


def test_several_dimensions_and_an_upper_level(context: ToolContext) -> None:
    result = run(
        context, "metric_stats", filters={"门店": "华东大区"}, group_by=["org_unit", "渠道"], limit=500
    )
    items = chosen(keep=lambda one: (one.feedback.org_unit or "").startswith("华东大区/"))
    assert result["n"] == len(items) == sum(group["n"] for group in result["data"]["groups"])
    assert result["filters"] == {"org_unit": "华东大区"}
    assert all(set(group["keys"]) == {"org_unit", "channel"} for group in result["data"]["groups"])


def test_sorting_by_value_and_smallest_group(context: ToolContext) -> None:
    result = run(
        context, "metric_stats", metric="negative_share", group_by="product", sort="highest", min_n=100
    )
    values = [group["value"] for group in result["data"]["groups"]]
    assert values == sorted(values, reverse=True)
    assert len(values) == 3
    none = run(context, "metric_stats", metric="negative_share", group_by="product", min_n=10_000)
    assert none["data"]["groups"] == []


def test_hours_and_weekdays_in_words(context: ToolContext) -> None:
    result = run(context, "metric_stats", filters={"时段": "晚上8点", "weekday": ["周五", "saturday"]})

    def meant(one: LabelledFeedback) -> bool:
        at = one.feedback.occurred_at
        local = at.astimezone(ZONE) if at else None
        return local is not None and local.hour == 20 and local.isoweekday() in (5, 6)

    assert result["n"] == len(chosen(keep=meant))
    assert result["filters"] == {"hour": "20", "weekday": ["5", "6"]}


def test_missing_values_can_be_asked_for_and_left_out(context: ToolContext) -> None:
    anonymous = run(context, "metric_stats", filters={"customer_id": None})
    assert anonymous["n"] == len(chosen(keep=lambda one: one.feedback.customer_id is None))
    known = run(context, "metric_stats", exclude={"customer_id": None, "channel": "chat"})
    expected = chosen(
        keep=lambda one: one.feedback.customer_id is not None and one.feedback.channel.value != "chat"
    )
    assert known["n"] == len(expected)
    assert known["filters"] == {"exclude": {"customer_id": None, "channel": "chat"}}


def test_empty_period_says_what_the_data_covers(context: ToolContext) -> None:
    result = run(context, "nps_stats", period="2020年")
    assert result["n"] == 0
    assert result["data"]["nps"] is None
    assert any("2026-08-24" in caveat for caveat in result["caveats"])
    english = run(context, "nps_stats", period="2020", language="en")
    assert any("the data covers 2026-08-24" in caveat for caveat in english["caveats"])


def test_small_samples_are_flagged(context: ToolContext) -> None:
    result = run(context, "nps_stats", period="2026-10-01 to 2026-10-02", filters={"region": "上海"})
    assert 0 < result["n"] < 30
    assert any("少于 30" in caveat for caveat in result["caveats"])


@pytest.mark.parametrize(
    ("args", "says"),
    [
        ({"metric": "nspp"}, "unknown metric 'nspp'.*negative_share"),
        ({"filters": {"地区": "广洲"}}, "region has no value '广洲'.*广东"),
        ({"filters": {"产品线x": "a"}}, "unknown dimension '产品线x'; the nearest are product"),
        ({"filters": {"hour": "99"}}, "hour has no value"),
        ({"filters": {"topic": "不存在的话题"}}, r"logistics/speed \(配送速度\)"),
        ({"filters": {"region": ""}}, "empty value"),
        ({"filters": {"theme": "外星人"}}, "there is no theme"),
        ({"group_by": ["region", "product", "channel", "version"]}, "at most 3"),
        ({"period": "哪天都行"}, "not understood"),
        ({"metric": "share:region"}, "share:<dimension>=<value>"),
        ({"nonsense": 1}, "nonsense: Extra inputs"),
        ({"limit": 0}, "limit"),
    ],
)
def test_unusable_arguments_are_refused_in_words(
    context: ToolContext, args: dict[str, Any], says: str
) -> None:
    with pytest.raises(ToolInputError, match=says):
        run(context, "metric_stats", **args)


def test_names_are_matched_without_case(context: ToolContext) -> None:
    plain = run(context, "metric_stats", filters={"Region": "上海市", "CHANNEL": "Ticket", "活动": "会员节"})
    assert plain["filters"] == {"region": "上海", "channel": "ticket", "活动": "会员节"}
    assert plain["n"] > 0


def test_themes_can_be_filtered_by_label_and_grouped_with_labels(context: ToolContext) -> None:
    filtered = run(context, "metric_stats", filters={"主题": "客服态度很差"})
    assert filtered["filters"] == {"theme": "t-service-attitude"}
    grouped = run(context, "metric_stats", metric="nps", group_by="主题")
    labels = {group["key"]: group["label"] for group in grouped["data"]["groups"]}
    assert labels["t-logistics-speed"] == "物流太慢了等了五天"


def test_values_that_look_like_sql_are_only_values(context: ToolContext) -> None:
    with pytest.raises(ToolInputError, match="has no value"):
        run(context, "metric_stats", filters={"region": "广东' OR 1=1 --"})


def test_a_label_value_that_no_item_has_is_a_count_of_zero() -> None:
    result = run_tool("metric_stats", {"filters": {"sentiment": "中性"}}, shared())
    assert (result.n, result.data["value"]) == (0, 0)
    with pytest.raises(ToolInputError, match="has no value"):
        run_tool("metric_stats", {"filters": {"sentiment": "bored"}}, shared())
