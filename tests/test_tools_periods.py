"""Spans of time as people write them, in Chinese and English."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from store.errors import ToolInputError
from tools.arguments import PeriodArg
from tools.periods import (
    ResolvedPeriod,
    comparable,
    find_periods,
    previous,
    resolve,
    year_earlier,
)

ZONE = ZoneInfo("Asia/Shanghai")
# A Sunday, 14:00 in Shanghai.
NOW = datetime(2026, 11, 22, 6, 0, tzinfo=UTC)


def read(phrase: str | PeriodArg | None, now: datetime = NOW) -> ResolvedPeriod:
    return resolve(phrase, now=now, zone=ZONE)


def days(period: ResolvedPeriod) -> tuple[str | None, str | None]:
    """First day and first day after, as local dates."""
    return (
        period.start.strftime("%Y-%m-%d") if period.start else None,
        period.end.strftime("%Y-%m-%d") if period.end else None,
    )


@pytest.mark.parametrize(
    ("phrases", "start", "end"),
    [
        ("今天|today|今日", "2026-11-22", "2026-11-23"),
        ("昨天|yesterday|1天前|a day ago", "2026-11-21", "2026-11-22"),
        ("前天|the day before yesterday", "2026-11-20", "2026-11-21"),
        ("本周|这周|this week|这个星期", "2026-11-16", "2026-11-23"),
        ("上周|上个星期|上礼拜|last week|previous week", "2026-11-09", "2026-11-16"),
        ("上上周|两周前|two weeks ago|week before last", "2026-11-02", "2026-11-09"),
        ("本月|这个月|this month", "2026-11-01", "2026-12-01"),
        (
            "上月|上个月|last month|10月|十月|10月份|October|Oct|in October|2026年10月|2026-10|Oct 2026",
            "2026-10-01",
            "2026-11-01",
        ),
        ("前月|上上个月|month before last|9月|Sept|September 2026", "2026-09-01", "2026-10-01"),
        (
            "去年10月|2025年10月|October 2025|October of last year|Oct '25|25年10月",
            "2025-10-01",
            "2025-11-01",
        ),
        ("12月|December", "2025-12-01", "2026-01-01"),
        ("今年|this year|2026年|2026", "2026-01-01", "2027-01-01"),
        ("去年|last year|2025|in 2025|2025年度", "2025-01-01", "2026-01-01"),
        (
            "Q3|第三季度|三季度|上季度|last quarter|Q3 2026|2026Q3|2026 Q3|2026年第三季度|third quarter",
            "2026-07-01",
            "2026-10-01",
        ),
        ("本季度|this quarter|Q4", "2026-10-01", "2027-01-01"),
        ("去年Q4|2025年四季度|Q4 of last year|fourth quarter of 2025", "2025-10-01", "2026-01-01"),
        ("上半年|H1|first half of 2026|2026年上半年", "2026-01-01", "2026-07-01"),
        ("近7天|最近一周|past week|last 7 days|过去7天|past seven days", "2026-11-16", "2026-11-23"),
        (
            "近30天|最近30天|last 30 days|the last 30 days|past thirty days|最近|recently",
            "2026-10-24",
            "2026-11-23",
        ),
        ("过去两周|past two weeks|last 14 days|last couple of weeks", "2026-11-09", "2026-11-23"),
        ("过去三个月|近3个月|last 3 months|past three months|近三月", "2026-08-23", "2026-11-23"),
        ("近半年|过去半年|last six months|past half year", "2026-05-23", "2026-11-23"),
        ("近一年|past year|last 12 months", "2025-11-23", "2026-11-23"),
        ("previous 7 days|上7天", "2026-11-15", "2026-11-22"),
        ("上两周|previous two weeks", "2026-11-02", "2026-11-16"),
        (
            "10月1日到10月15日|10月1日-15日|10月1-15日|10.1-10.15|2026-10-01~2026-10-15"
            "|2026-10-01 to 2026-10-15"
            "|between 1 and 15 October|October 1-15|1-15 October 2026|Oct 1 to 15|from Oct 1 to Oct 15"
            "|2026/10/1至2026/10/15|from the 1st to the 15th of October|十月一日至十月十五日",
            "2026-10-01",
            "2026-10-16",
        ),
        ("9月到10月|9-10月|September to October|Sep-Oct 2026|2026年9月至10月", "2026-09-01", "2026-11-01"),
        ("12月到1月|Dec to Jan", "2025-12-01", "2026-02-01"),
        ("2025年11月到2026年2月|Nov 2025 - Feb 2026", "2025-11-01", "2026-03-01"),
        (
            "自10月以来|10月以来|10月至今|since October|from October onwards|10月1日至今|October to now",
            "2026-10-01",
            "2026-11-23",
        ),
        ("今年以来|year to date|YTD|年初至今|so far this year", "2026-01-01", "2026-11-23"),
        ("月初以来|month to date|MTD", "2026-11-01", "2026-11-23"),
        ("截至10月15日|until October 15|up to 2026-10-15", None, "2026-10-16"),
        ("10月之前|before October", None, "2026-10-01"),
        ("10月15日之后|after October 15", "2026-10-16", "2026-11-23"),
        ("10月上旬|early October|10月初", "2026-10-01", "2026-10-11"),
        ("10月下旬|late October|10月底", "2026-10-21", "2026-11-01"),
        ("second half of October|10月下半月", "2026-10-16", "2026-11-01"),
        ("国庆期间|国庆|National Day", "2026-10-01", "2026-10-08"),
        ("春节", "2026-02-16", "2026-02-24"),
        ("去年双十一|2025年双11", "2025-11-01", "2025-11-12"),
        ("上周三", "2026-11-11", "2026-11-12"),
        ("last Wednesday|周三", "2026-11-18", "2026-11-19"),
        ("上周三到周五", "2026-11-11", "2026-11-14"),
        ("上周末|last weekend", "2026-11-14", "2026-11-16"),
        ("本月15号|11月15日|15 Nov|the 15th", "2026-11-15", "2026-11-16"),
        ("week of 2026-10-07|10月7日那周", "2026-10-05", "2026-10-12"),
        ("全部|all time|", None, None),
        ("13/10/2026|10/13/2026|20261013|2026.10.13", "2026-10-13", "2026-10-14"),
        ("２０２６年１０月", "2026-10-01", "2026-11-01"),
    ],
)
def test_phrases_name_their_days(phrases: str, start: str | None, end: str | None) -> None:
    for phrase in phrases.split("|"):
        assert days(read(phrase)) == (start, end), phrase


def test_none_is_all_time_and_includes_undated() -> None:
    period = read(None)
    assert period.window == (None, None)
    assert period.label == "全部时间"
    assert period.result().model_dump(by_alias=True) == {"from": None, "to": None}


def test_window_is_half_open_in_utc() -> None:
    window = read("10月").window
    assert window.start == datetime(2026, 9, 30, 16, tzinfo=UTC)
    assert window.end == datetime(2026, 10, 31, 16, tzinfo=UTC)


def test_explicit_ends_are_half_open_and_may_be_open() -> None:
    assert days(read(PeriodArg(from_="2026-10-01", to="2026-10-15"))) == ("2026-10-01", "2026-10-15")
    assert days(read(PeriodArg(from_="2026-10", to=None))) == ("2026-10-01", None)


def test_offsets_are_converted_to_the_zone() -> None:
    period = read(PeriodArg(from_="2026-10-01T00:00:00Z", to="2026-10-01T12:00:00+08:00"))
    assert period.start is not None and period.start.hour == 8
    assert period.end is not None and period.end.hour == 12


@pytest.mark.parametrize(
    ("phrase", "says"),
    [
        ("2月30日", "not a possible date"),
        ("2026-13-01", "not a possible date"),
        ("10月15日到10月1日", "reversed"),
        ("2026-10-15 to 2026-10-01", "reversed"),
        ("5/6/2026", "cannot be told apart"),
        ("随便什么时候", "not understood"),
        ("hello", "not understood"),
        ("since 2027-01-01", "after today"),
        ("last 9999 years", "calendar"),
    ],
)
def test_unusable_phrases_are_refused_in_words(phrase: str, says: str) -> None:
    with pytest.raises(ToolInputError, match=says):
        read(phrase)


@pytest.mark.parametrize(("first", "last"), [("2026-10-15", "2026-10-01"), ("2026-10-01", "2026-10-01")])
def test_empty_and_reversed_ends_are_refused(first: str, last: str) -> None:
    with pytest.raises(ToolInputError, match="first day after"):
        read(PeriodArg(from_=first, to=last))


@pytest.mark.parametrize(
    ("phrase", "before"),
    [
        ("10月", ("2026-09-01", "2026-10-01")),
        ("3月", ("2026-02-01", "2026-03-01")),
        ("Q3", ("2026-04-01", "2026-07-01")),
        ("上周", ("2026-11-02", "2026-11-09")),
        ("去年", ("2024-01-01", "2025-01-01")),
        ("近7天", ("2026-11-09", "2026-11-16")),
        ("近30天", ("2026-09-24", "2026-10-24")),
        ("过去三个月", ("2026-05-23", "2026-08-23")),
        ("10月1日到10月15日", ("2026-09-16", "2026-10-01")),
        ("9月到10月", ("2026-07-01", "2026-09-01")),
        ("今年以来", ("2025-01-01", "2025-11-23")),
        ("月初以来", ("2026-10-01", "2026-10-23")),
    ],
)
def test_previous_is_the_comparable_period(phrase: str, before: tuple[str, str]) -> None:
    assert days(previous(read(phrase))) == before


def test_previous_of_explicit_month_ends_is_the_month_before() -> None:
    period = read(PeriodArg(from_="2026-03-01", to="2026-04-01"))
    assert days(previous(period)) == ("2026-02-01", "2026-03-01")


def test_unbounded_has_no_previous() -> None:
    with pytest.raises(ToolInputError, match="beginning and an end"):
        previous(read(None))


def test_year_earlier_keeps_weekdays_of_weeks() -> None:
    assert days(year_earlier(read("10月"))) == ("2025-10-01", "2025-11-01")
    week = year_earlier(read("上周"))
    assert week.start is not None and week.start.weekday() == 0


@pytest.mark.parametrize(
    ("period", "compare_to", "expected"),
    [
        ("10月", None, ("2026-09-01", "2026-10-01")),
        ("10月", "环比", ("2026-09-01", "2026-10-01")),
        ("10月", "去年同期", ("2025-10-01", "2025-11-01")),
        ("10月", "same period last year", ("2025-10-01", "2025-11-01")),
        ("2025年10月", "9月", ("2025-09-01", "2025-10-01")),
        ("9月", "10月", ("2026-10-01", "2026-11-01")),
        ("国庆期间", "前一周", ("2026-09-24", "2026-10-01")),
        ("last week", "previous week", ("2026-11-02", "2026-11-09")),
    ],
)
def test_comparable_periods(period: str, compare_to: str | None, expected: tuple[str, str]) -> None:
    found = comparable(compare_to, read(period), now=NOW, zone=ZONE)
    assert days(found) == expected


def test_the_same_explicit_period_twice_is_refused() -> None:
    span = PeriodArg(from_="2026-10-01", to="2026-11-01")
    with pytest.raises(ToolInputError, match="same span"):
        comparable(span, read(span), now=NOW, zone=ZONE)


@pytest.mark.parametrize(
    ("question", "phrases"),
    [
        ("上个月NPS为什么下降？应该怎么做？", ["上个月"]),
        ("10月和9月相比，广东的差评率变化多少", ["10月", "9月"]),
        ("What may I do about complaints in May?", ["May"]),
        ("How may we help? march madness", []),
        ("NPS in October vs September?", ["October", "September"]),
        ("上周一共有多少条投诉", ["上周"]),
        ("上周一的投诉", ["上周一"]),
        ("2.1-2.3版本的评价", []),
        ("10.1-10.15期间的物流投诉", ["10.1-10.15期间"]),
        (
            "How did CSAT change between 1 and 15 October compared with September?",
            ["between 1 and 15 October", "September"],
        ),
        ("给我看前10个问题", []),
        ("三个门店5月1日以来的投诉", ["5月1日以来"]),
        ("工作日20点卡顿", []),
        ("3号线附近的门店", []),
        ("we scored 8/10 in 2025", ["2025"]),
        ("Q3NPS怎么样", ["Q3"]),
        ("跟去年同期比怎么样", []),
        ("过去三个月每个月的NPS", ["过去三个月"]),
    ],
)
def test_phrases_are_found_in_questions(question: str, phrases: list[str]) -> None:
    found = find_periods(question)
    assert [mention.phrase for mention in found] == phrases
    for mention in found:
        assert question[slice(*mention.span)].strip() == mention.phrase
        read(mention.phrase)


@given(st.text(max_size=60))
@settings(max_examples=60, deadline=None)
def test_any_text_is_scanned_and_parsed_without_a_crash(text: str) -> None:
    find_periods(text)
    try:
        period = read(text)
    except ToolInputError:
        return
    assert period.start is None or period.end is None or period.start < period.end


@given(st.dates(min_value=date(2020, 1, 1), max_value=date(2030, 12, 31)), st.integers(1, 400))
@settings(max_examples=60, deadline=None)
def test_written_ranges_round_trip(first: date, length: int) -> None:
    last = first + timedelta(days=length - 1)
    for written in (
        f"{first.isoformat()} to {last.isoformat()}",
        f"{first.year}年{first.month}月{first.day}日到{last.year}年{last.month}月{last.day}日",
        f"{first:%B} {first.day}, {first.year} - {last:%B} {last.day}, {last.year}",
    ):
        assert days(read(written)) == (first.isoformat(), (last + timedelta(days=1)).isoformat()), written


@given(st.datetimes(min_value=datetime(2021, 1, 1), max_value=datetime(2030, 1, 1)))
@settings(max_examples=60, deadline=None)
def test_months_without_a_year_have_begun_and_are_less_than_a_year_old(now: datetime) -> None:
    at = now.replace(tzinfo=UTC)
    for month in range(1, 13):
        period = read(f"{month}月", at)
        assert period.start is not None
        assert period.start <= at < period.start + timedelta(days=367)
        before = previous(period)
        assert before.end == period.start


def test_labels_read_well_in_both_languages() -> None:
    named = {
        "10月": ("2026年10月", "October 2026"),
        "Q3": ("2026年第3季度", "Q3 2026"),
        "去年": ("2025年", "2025"),
        "昨天": ("2026-11-21", "2026-11-21"),
        "近7天": ("2026-11-16 至 2026-11-22", "2026-11-16 to 2026-11-22"),
    }
    for phrase, (chinese, english) in named.items():
        assert resolve(phrase, now=NOW, zone=ZONE, language="zh").label == chinese
        assert resolve(phrase, now=NOW, zone=ZONE, language="en").label == english
