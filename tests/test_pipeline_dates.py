from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from pipeline.dates import DateProfile, UnreadableDate, parse_date
from pipeline.headers import Cell

ZONE = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def read(*cells: Cell, zone: ZoneInfo = ZONE) -> list[str]:
    profile = DateProfile()
    for cell in cells:
        profile.add(cell)
    form = profile.decide(zone)
    return [parse_date(cell, form, zone, NOW).astimezone(zone).strftime("%Y-%m-%d %H:%M") for cell in cells]


@pytest.mark.parametrize(
    "spelling",
    [
        "2026-03-05 14:30",
        "2026/3/5 14:30:00",
        "2026.03.05 14:30",
        "2026年3月5日 14:30",
        "2026年3月5日14时30分",
        "2026年3月5日 下午2点30分",
        "2026年03月05日 星期四 14:30",
        "20260305143000",
        "202603051430",
        "2026-03-05T14:30:00",
        "2026-03-05T06:30:00Z",
        "2026-03-05T06:30:00.000+00:00",
        "2026-03-05 09:30 +0300",
        "Thu, 05 Mar 2026 06:30:00 GMT",
        "Mar 5, 2026 2:30 PM",
        "5 March 2026 14:30",
        "05-Mar-26 14:30",
        "3/5/26 2:30 pm",
        "1772692200",
        1772692200,
        "1772692200000",
        datetime(2026, 3, 5, 14, 30),
    ],
)
def test_spellings_of_one_moment(spelling: Cell) -> None:
    assert read(spelling) == ["2026-03-05 14:30"]


def test_a_day_is_its_first_moment_and_a_month_its_first_day() -> None:
    assert read("20260305", "2026-03", "2026年3月") == [
        "2026-03-05 00:00",
        "2026-03-01 00:00",
        "2026-03-01 00:00",
    ]


def test_excel_day_numbers_count_where_the_column_is_made_of_them() -> None:
    assert read(46086, "46086.5") == ["2026-03-05 00:00", "2026-03-05 12:00"]
    with pytest.raises(UnreadableDate):
        read("46086", "2026-03-05", "2026-03-06")


@pytest.mark.parametrize(
    ("column", "order", "name"),
    [
        (["05-03-2026", "31-03-2026"], "dmy", "DD-MM-YYYY"),
        (["05/03/2026", "03/31/2026"], "mdy", "MM/DD/YYYY"),
        (["05.03.2026"], "dmy", "DD.MM.YYYY"),
        (["2026-05-03"], "ymd", "YYYY-MM-DD"),
    ],
)
def test_the_whole_column_decides_day_and_month(column: list[str], order: str, name: str) -> None:
    profile = DateProfile()
    for cell in column:
        assert profile.add(cell)
    form = profile.decide(ZONE)
    assert (form.order, form.name) == (order, name)


def test_the_undecidable_follows_the_zone_and_says_so() -> None:
    profile = DateProfile()
    profile.add("05/03/2026")
    chinese, european = profile.decide(ZONE), profile.decide(ZoneInfo("Europe/Berlin"))
    assert (chinese.order, european.order) == ("mdy", "dmy")
    assert "no part is above 12" in chinese.reason
    assert "Europe/Berlin" in european.reason


def test_a_contradiction_goes_with_the_many_and_rejects_the_few() -> None:
    profile = DateProfile()
    for cell in ["31/03/2026", "30/03/2026", "03/31/2026"]:
        profile.add(cell)
    form = profile.decide(ZONE)
    assert form.order == "dmy"
    assert "1 the other way" in form.reason
    with pytest.raises(UnreadableDate, match="impossible"):
        parse_date("03/31/2026", form, ZONE, NOW)


@pytest.mark.parametrize(
    ("cell", "says"),
    [
        ("2026-02-30", "impossible"),
        ("2026-13-01", "impossible"),
        ("0000-00-00", "impossible"),
        ("0001-01-01", "impossible|outside"),
        ("9999-12-31", "impossible|outside"),
        ("1899-12-31", "outside"),
        ("2028-01-01", "outside"),
        ("2026-03-05 25:00", "impossible"),
        ("2026-03-05 10:61", "impossible"),
        ("上周三", "not a date"),
        ("hello", "not a date"),
        (5, "not a date"),
        (True, "not a date"),
    ],
)
def test_impossible_dates_are_refused(cell: Cell, says: str) -> None:
    form = DateProfile().decide(ZONE)
    with pytest.raises(UnreadableDate, match=says):
        parse_date(cell, form, ZONE, NOW)
