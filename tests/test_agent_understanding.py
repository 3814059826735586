"""How questions are read: goals, metrics, periods, segments, groups, and what leans on the turn before."""

from typing import Any

import pytest

from agent.follow_up import lean_on
from agent.frame import Frame
from agent.language import language_of
from agent.understanding import Reader
from tests.reader_world import make_reader


@pytest.fixture(scope="module")
def reader() -> Reader:
    return make_reader()


def read(reader: Reader, *thread: str) -> Frame:
    frame: Frame | None = None
    for question in thread:
        frame = lean_on(reader.read(question), frame, reader)
    assert frame is not None
    return frame


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("上个月NPS多少", {"goals": ("figure",), "metrics": ("nps",), "period": "上个月"}),
        ("哪个省满意度最低？", {"metrics": ("csat",), "group_by": ("region",), "rank": "lowest"}),
        ("10月和9月比，NPS变了多少？", {"goals": ("compare",), "period": "10月", "compare_to": "9月"}),
        ("除了广东，NPS有多少", {"exclude": {"region": ["广东"]}, "filters": {}}),
        ("四川跟上海八月谁的NPS高", {"filters": {"region": ["四川", "上海"]}, "group_by": ("region",)}),
        ("徐汇店的满意度怎么样", {"filters": {"org_unit": ["华东大区/上海/徐汇店"]}}),
        ("App 5.2.0这个版本的评分", {"filters": {"version": ["5.2.0"]}, "metrics": ("rating",)}),
        ("上个月的平均订单金额是多少？", {"metrics": ("订单金额",)}),
        (
            "有多少条差评提到退款？",
            {"metrics": ("volume",), "filters": {"sentiment": ["negative"], "risk": ["refund"]}},
        ),
        ("近30天投诉占比", {"metrics": ("share:intent=complaint",)}),
        ("大家最近都在吐槽些啥？", {"goals": ("themes",)}),
        ("给我找5条说物流慢的原话，要广东的", {"goals": ("quotes",), "limit": 5, "search": "物流慢"}),
        ("哪些客户快要流失了？前十个", {"goals": ("risk",), "limit": 10}),
        ("C100001这个客户什么情况", {"goals": ("customer",), "customer_ids": ("C100001",)}),
        ("上个月NPS为什么下降？应该怎么做？", {"goals": ("why", "plan"), "claims": "down"}),
        ("浙江的满意读是多少来着", {"metrics": ("csat",)}),
        ("洗碗机的评分怎么样", {"unknown": ("洗碗机",)}),
        ("今天天气怎么样", {"goals": ()}),
        ("What was the NPS last month by channel?", {"metrics": ("nps",), "group_by": ("channel",)}),
        (
            "How many tickets in Guangdong in October?",
            {"filters": {"channel": ["ticket"], "region": ["广东"]}},
        ),
        ("Which region has the lowest average rating?", {"group_by": ("region",), "rank": "lowest"}),
        ("NPS for October excluding 广东", {"exclude": {"region": ["广东"]}}),
        ("avarage ratting in Agust", {"metrics": ("rating",), "period": "august"}),
        ("How are people rating the hair dryer?", {"unknown": ("hair dryer",)}),
        ("what share of feedback mentions delivery speed", {"metrics": ("share:topic=logistics/speed",)}),
        ("Great that NPS rose in October! What caused the increase?", {"goals": ("why",), "claims": "up"}),
        ("what can you do", {"goals": ("help",)}),
    ],
)
def test_reads_a_question(reader: Reader, question: str, expected: dict[str, Any]) -> None:
    frame = read(reader, question)
    assert {name: getattr(frame, name) for name in expected} == expected


@pytest.mark.parametrize(
    ("thread", "expected"),
    [
        (
            ("上个月广东NPS多少", "那上海呢？"),
            {"filters": {"region": ["上海"]}, "period": "上个月", "metrics": ("nps",)},
        ),
        (("上个月广东NPS多少", "换成八月"), {"filters": {"region": ["广东"]}, "period": "八月"}),
        (
            ("上个月广东NPS多少", "为什么？"),
            {"goals": ("why",), "period": "上个月", "filters": {"region": ["广东"]}},
        ),
        (("上个月NPS多少", "按渠道看"), {"group_by": ("channel",), "period": "上个月"}),
        (("10月广东NPS多少", "不对，我是说浙江"), {"filters": {"region": ["浙江"]}, "period": "10月"}),
        (("NPS last month", "and in Shanghai?"), {"filters": {"region": ["上海"]}, "period": "last month"}),
        (
            ("NPS in Guangdong last month", "What is the overall csat this year?"),
            {"filters": {}, "metrics": ("csat",)},
        ),
    ],
)
def test_leans_on_the_turn_before(reader: Reader, thread: tuple[str, ...], expected: dict[str, Any]) -> None:
    frame = read(reader, *thread)
    assert {name: getattr(frame, name) for name in expected} == expected


@pytest.mark.parametrize(
    ("text", "language"),
    [("help看下Oct的NPS，by tier", "zh"), ("and for 电动牙刷?", "en"), ("NPS?", "en"), ("净推荐值", "zh")],
)
def test_language_by_function_words(text: str, language: str) -> None:
    assert language_of(text) == language


def test_a_very_long_question_is_read_in_reasonable_steps(reader: Reader) -> None:
    frame = reader.read("上个月NPS多少，" * 1_000)
    assert frame.metrics == ("nps",)
