"""Directions, significance, targets and ranks against the changes and groups of results."""

import pytest

from evals.number_lock import Locks


def kinds(result: str, text: str) -> list[str]:
    return [claim.kind for claim in Locks().of([result]).check(text).claims]


@pytest.mark.parametrize(
    ("result", "right", "wrong", "kind"),
    [
        ("compare_nps", "10月 NPS 下降了。", "10月 NPS 上升了。", "direction"),
        ("compare_nps", "山东的 NPS 上升了。", "山东的 NPS 下降了。", "direction"),
        ("compare_nps", "NPS 的变化显著。", "NPS 的变化不显著。", "direction"),
        ("compare_csat_en", "The change in CSAT is not significant.", "CSAT fell.", "direction"),
        ("compare_csat_en", "CSAT did not change significantly.", "CSAT changed significantly.", "direction"),
        ("trend_zh", "负面占比平稳。", "负面占比持续上升。", "direction"),
        ("themes_zh", "会员狂欢节主题在上升。", "会员狂欢节主题在下降。", "direction"),
        ("csat_channel_en", "CSAT missed the target.", "CSAT met the target.", "direction"),
        (
            "drivers_en",
            "Praise of Attitude raises the rating.",
            "Praise of Attitude lowers the rating.",
            "direction",
        ),
        (
            "nps_month",
            "NPS fell from September to October.",
            "NPS rose from September to October.",
            "direction",
        ),
        ("nps_oct_region", "广东的 NPS 最低。", "北京的 NPS 最低。", "rank"),
        ("nps_oct_region", "NPS 最高的是北京。", "NPS 最高的是湖北。", "rank"),
        ("nps_oct_region", "北京高于上海。", "上海高于北京。", "rank"),
        ("volume_product", "扫地机器人排名第二。", "扫地机器人排名第四。", "rank"),
        ("cause_oct", "主要原因是广东的会员狂欢节。", "主要原因是北京。", "rank"),
        ("compare_nps", "广东的贡献最大。", "福建的贡献最大。", "rank"),
    ],
)
def test_words_must_agree_with_the_results(result: str, right: str, wrong: str, kind: str) -> None:
    assert kinds(result, right) == []
    assert kind in kinds(result, wrong)


@pytest.mark.parametrize(
    "sentence",
    [
        "建议先提升广东的 NPS。",
        "为什么 NPS 上升？",
        "We should try to raise the NPS in 广东.",
        "下一步可以问“为什么上升”。",
    ],
)
def test_what_is_only_supposed_is_no_claim(sentence: str) -> None:
    assert kinds("compare_nps", sentence) == []


def test_doubling_needs_the_values() -> None:
    assert kinds("compare_nps", "10月 NPS 翻倍。") == ["direction"]
