"""Periods that a value of the data tells: since a release, during a campaign."""

from datetime import date

import pytest

from agent.frame import Frame, Life
from agent.understanding import Reader
from agent.value_span import anchored
from agent.word_matching import ValueHit
from tests.reader_world import make_reader

DATA = (date(2026, 1, 1), date(2026, 6, 30))
LIVES = {
    "5.2.0": Life(date(2026, 3, 10), date(2026, 6, 1)),
    "狂欢节": Life(date(2026, 5, 1), date(2026, 5, 10)),
}


def asked(question: str, value: str, goals: tuple[str, ...] = ("compare",)) -> Frame:
    frame = Frame(question, "zh", goals=goals, filters={"version": [value]})  # type: ignore[arg-type]
    start = question.index(value)
    hits = [ValueHit(start, start + len(value), "version", value)]
    return anchored(frame, question, hits, lambda dimension, name: LIVES.get(name), DATA)


@pytest.mark.parametrize(
    ("question", "value", "period", "compare_to"),
    [
        ("5.2.0上线之后NPS变化", "5.2.0", ("2026-03-10", "2026-03-24"), ("2026-02-24", "2026-03-10")),
        (
            "How did NPS change after 5.2.0",
            "5.2.0",
            ("2026-03-10", "2026-03-24"),
            ("2026-02-24", "2026-03-10"),
        ),
        ("狂欢节让NPS变化了多少", "狂欢节", ("2026-05-01", "2026-05-11"), ("2026-04-21", "2026-05-01")),
    ],
)
def test_a_value_tells_the_periods_and_no_longer_filters(
    question: str, value: str, period: tuple[str, str], compare_to: tuple[str, str]
) -> None:
    frame = asked(question, value)
    assert frame.period == {"from": period[0], "to": period[1]}
    assert frame.compare_to == {"from": compare_to[0], "to": compare_to[1]}
    assert frame.filters == {}
    assert frame.anchor is not None and frame.anchor.value == value


@pytest.mark.parametrize(
    ("question", "value", "goals"),
    [
        ("5.2.0的NPS变化", "5.2.0", ("compare",)),  # nothing says that it is a moment
        ("5.2.0上线之后的原话", "5.2.0", ("quotes",)),  # no change is asked about
        ("让5.2.0期间NPS变化", "5.2.0", ("compare",)),  # there for half of the data: no event
        ("6.0上线之后NPS变化", "6.0", ("compare",)),  # never seen
    ],
)
def test_other_questions_keep_their_filters(question: str, value: str, goals: tuple[str, ...]) -> None:
    frame = asked(question, value, goals)
    assert frame.anchor is None and frame.period is None
    assert frame.filters == {"version": [value]}


@pytest.fixture(scope="module")
def reader() -> Reader:
    return make_reader()


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("guangdong jiuyue NPS多少", {"period": "九月", "filters": {"region": ["广东"]}}),
        ("沪上8月NPS怎样", {"period": "8月", "filters": {"region": ["上海"]}}),
        ("有人说广东还不错，NPS到底多少", {"goals": ("figure",), "metrics": ("nps",)}),
        (
            "Feedback dropped in October compared with September, why?",
            {"period": "October", "compare_to": "September"},
        ),
        ("广东10月的NPS上去了，总结一下经验", {"goals": ("why",), "claims": "up"}),
    ],
)
def test_how_people_say_it(reader: Reader, question: str, expected: dict[str, object]) -> None:
    frame = reader.read(question)
    assert {name: getattr(frame, name) for name in expected} == expected


def test_two_questions_joined_by_and_are_two_where_each_has_its_own_period(reader: Reader) -> None:
    assert reader.sides("9月广东NPS和浙江8月满意度分别是多少") == ["9月广东NPS", "浙江8月满意度分别是多少"]
    assert reader.sides("9月广东和浙江的NPS") == ["9月广东和浙江的NPS"]
    assert reader.sides("9月和8月的NPS") == ["9月和8月的NPS"]
