import itertools

import pytest

from agent.figures import find_figures, zh_number


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("三百二十", 320),
        ("两万五千", 25_000),
        ("十", 10),
        ("十二", 12),
        ("三点五", 3.5),
        ("一亿二千万", 120_000_000),
        ("二〇二六", 2026),
        ("一百零五", 105),
    ],
)
def test_chinese_numerals(text: str, value: float) -> None:
    assert zh_number(text) == pytest.approx(value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("NPS为 32.5（n=1,203）", [("32.5", "number", 32.5), ("1,203", "number", 1203)]),
        ("占 45%，下降5.2个百分点", [("45%", "percent", 45), ("5.2个百分点", "points", 5.2)]),
        ("共3.2万条", [("3.2万", "number", 32_000)]),
        ("1.5亿元", [("1.5亿", "number", 150_000_000)]),
        (
            "三成客户，百分之十二，一半",
            [("三成", "percent", 30), ("百分之十二", "percent", 12), ("一半", "percent", 50)],
        ),
        ("一个原因", []),
        ("两个原因", [("两个", "number", 2)]),
        ("十分满意，统一处理，第三方", []),
        ("2026年10月15日的20:30", [("2026年10月15日", "date", 0), ("20:30", "time", 20.5)]),
        ("晚上20点", [("20", "time", 20)]),
        ("fell by -3.1 points in Q3", [("-3.1 points", "points", -3.1), ("Q3", "date", 0)]),
        ("in October 2026 half of them", [("October 2026", "date", 0), ("half", "percent", 50)]),
        ("twelve customers", [("twelve", "number", 12)]),
        ("one customer, someone", []),
        ("$2.5 million", [("2.5 million", "number", 2_500_000)]),
        ("until 2026-10-01.", [("2026-10-01", "date", 0)]),
        ("1. 广东\n2. 浙江", []),
        ("version 5.3.0", [("5.3", "number", 5.3), ("0", "number", 0)]),
    ],
)
def test_finds_figures(text: str, expected: list[tuple[str, str, float]]) -> None:
    found = find_figures(text)
    assert [(f.text, f.kind) for f in found] == [(shown, kind) for shown, kind, _ in expected]
    assert [f.value for f in found] == pytest.approx([value for _, _, value in expected])


def test_tolerance_is_half_of_the_last_digit_shown() -> None:
    tolerances = [f.tolerance for f in find_figures("32.5 与 32 与 3.2万")]
    assert tolerances == [pytest.approx(0.05), 0.5, pytest.approx(500)]


def test_spans_do_not_overlap_and_point_at_the_text() -> None:
    text = "10月1日至10月31日，NPS 12.5%，n=3,000，三成，20:00"
    figures = find_figures(text)
    assert all(text[f.start : f.end] == f.text for f in figures)
    assert all(a.end <= b.start for a, b in itertools.pairwise(figures))
