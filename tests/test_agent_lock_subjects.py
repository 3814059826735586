"""Attribution: a figure is that of the group, period and measure which the sentence names."""

import pytest

from agent.number_lock import NumberLock
from evals.number_lock import Locks


def lock(*names: str) -> NumberLock:
    return Locks().of(names)


def kinds(lock: NumberLock, text: str) -> list[str]:
    return [claim.kind for claim in lock.check(text).claims]


@pytest.mark.parametrize(
    ("result", "right", "wrong", "kind"),
    [
        ("nps_oct_region", "四川的 NPS 为 37.1。", "广东的 NPS 为 37.1。", "attribution"),
        ("nps_oct_region", "NPS 在北京是 40.5。", "NPS 在上海是 40.5。", "attribution"),
        ("nps_oct_region", "40.5 in 北京.", "40.5 in 广东.", "attribution"),
        ("nps_oct_region", "10月 NPS 为 7.9。", "10月 NPS 为 -39.1。", "attribution"),
        (
            "nps_oct_region",
            "广东、北京的 NPS 分别为 -39.1、40.5。",
            "广东、北京的 NPS 分别为 40.5、-39.1。",
            "attribution",
        ),
        ("nps_oct_region", "10月 NPS 为 7.9。", "10月满意度为 7.9。", "attribution"),
        ("nps_oct_region", "推荐者 823 人。", "推荐者 668 人。", "attribution"),
        ("nps_oct_region", "广东 635 份。", "广东 635 元。", "figure"),
        ("nps_oct_region", "10月 NPS 为 7.9。", "10月 NPS 为 7.9%。", "unit"),
        ("compare_nps", "NPS 从 34.5 降到 7.9。", "NPS 从 7.9 降到 34.5。", "attribution"),
        ("compare_nps", "9月 NPS 为 34.5。", "9月 NPS 为 7.9。", "attribution"),
        ("churn_zh", "C100393 的健康分为 7.5。", "C100407 的健康分为 7.5。", "attribution"),
        ("roi_zh", "年收益 200 万元。", "年收益 200 亿元。", "figure"),
        ("response_zh", "首次响应平均约 27 秒。", "首次响应平均约 27 小时。", "figure"),
        ("negative_hour", "近一半的反馈是负面的。", "超过一半的反馈是负面的。", "attribution"),
    ],
)
def test_a_value_is_said_of_what_it_is_of(result: str, right: str, wrong: str, kind: str) -> None:
    checks = lock(result)
    assert kinds(checks, right) == []
    assert kind in kinds(checks, wrong)


def test_an_end_of_an_interval_is_not_the_value() -> None:
    checks = lock("nps_oct_region")
    assert kinds(checks, "NPS 为 7.9（95% 置信区间 4.0 到 11.7）。") == []
    assert kinds(checks, "NPS 为 11.7。")
    assert kinds(checks, "NPS 为 7.9（95% 置信区间 7.9 到 11.7）。")


def test_a_comparison_may_name_both() -> None:
    assert kinds(lock("nps_oct_region"), "广东比北京低得多，NPS 只有 -39.1。") == []


def test_the_subject_may_have_been_named_before() -> None:
    assert kinds(lock("nps_oct_region"), "广东下滑最明显。那里的 NPS 是 -39.1。") == []


def test_the_reason_tells_the_model_what_to_change() -> None:
    (claim,) = lock("nps_oct_region").check("The NPS of 北京 is 37.1.").claims
    assert claim.text == "37.1"
    assert claim.reason == '"37.1" is not the value of 北京'
    (claim,) = lock("nps_oct_region").check("北京的 NPS 是 37.1。").claims
    assert claim.reason == "“37.1”不是“北京”的数值"
