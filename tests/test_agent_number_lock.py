from typing import Any

import pytest

from agent.number_lock import NumberLock, Source

RESULT: dict[str, Any] = {
    "tool": "nps_stats",
    "args": {"period": "10月"},
    "n": 1203,
    "period": {"from": "2026-10-01T00:00:00+08:00", "to": "2026-11-01T00:00:00+08:00"},
    "data": {
        "nps": 32.46,
        "ci_low": 28.12,
        "ci_high": 36.88,
        "change": -5.21,
        "share": 0.312,
        "groups": [{"key": "20", "nps": 11.0}, {"key": "广东", "nps": 40.04}],
        "items": [{"feedback_id": "fb_12ab", "text": "等了3天都没到，第2次了"}],
        "revenue": 3_204_000,
    },
    "evidence": ["fb_12ab"],
    "chart": {"series": [77.7]},
}


def lock(*, asked: str = "10月NPS怎么样") -> NumberLock:
    return NumberLock([Source("c1", "nps_stats", {"period": "10月", "limit": 5}, RESULT)], [asked])


@pytest.mark.parametrize(
    "sentence",
    [
        "NPS 为 32.5（n=1,203）。",
        "NPS 为 32.46。",
        "NPS 约 32。",
        "比上期下降 5.2 个点。",
        "变化为 -5.2。",
        "95% 置信区间 28.1 到 36.9。",
        "31.2% 的客户，约三成。",
        "10月1日至10月31日。",
        "2026年10月。",
        "in October 2026",
        "20:00 最低，为 11。",
        "晚上20点最差。",
        "前 5 名。",
        "共 2 组。",
        "客户说「等了3天都没到，第2次了」[fb_12ab]。",
        "金额约 320.4 万。",
    ],
)
def test_binds_what_a_result_says(sentence: str) -> None:
    assert lock().check(sentence).unbound == ()


@pytest.mark.parametrize(
    "sentence",
    [
        "NPS 为 33。",
        "NPS 为 32.4。",
        "NPS 为 -32.5。",
        "n=1,204。",
        "上升 6.1 个点。",
        "45% 的客户。",
        "五成客户。",
        "9月。",
        "2025年10月。",
        "2026-10-02。",
        "21:00 最低。",
        "95% 的客户满意。",
        "图上是 77.7。",
        "客户说等了4天。",
        "[fb_99zz] 里说过。",
        "金额约 320.4 亿。",
    ],
)
def test_leaves_what_no_result_says_unbound(sentence: str) -> None:
    assert lock().check(sentence).unbound


def test_bound_figures_name_their_place() -> None:
    bound = lock().check("NPS 为 32.5。").bound
    assert [(b.text, b.value, b.tool_call_id, b.path) for b in bound] == [("32.5", 32.46, "c1", "data.nps")]


def test_newer_results_are_preferred() -> None:
    older = Source("old", "nps_stats", {}, {"data": {"nps": 5.0}})
    newer = Source("new", "nps_stats", {}, {"data": {"nps": 5.0}})
    bound = NumberLock([older, newer]).check("NPS 为 5.0。").bound
    assert bound[0].tool_call_id == "new"


def test_cut_removes_only_the_sentences_with_unbound_figures() -> None:
    answer = "NPS 为 32.5。竞品为 88.8。建议先看物流。\n- 份额 41%\n- 份额 31.2%"
    kept = lock().cut(answer)
    assert kept == "NPS 为 32.5。建议先看物流。\n- 份额 31.2%"
    assert lock().check(kept).unbound == ()


def test_english_sentences_are_cut_at_their_full_stop_not_at_a_decimal_point() -> None:
    kept = lock().cut("NPS is 32.5. A rival has 88.8. Look at delivery first.")
    assert kept == "NPS is 32.5. Look at delivery first."


def test_a_date_the_person_named_may_be_repeated() -> None:
    assert lock(asked="2024年3月的情况").check("2024年3月没有数据。").unbound == ()


def test_what_is_told_in_tenths_is_no_count() -> None:
    counted = NumberLock([Source("c1", "list_alerts", {}, {"data": {"by_tier": {"orange": 7}}})])
    assert counted.check("橙色预警 7 条。").unbound == ()
    assert counted.check("满意度为 7.0。").unbound
