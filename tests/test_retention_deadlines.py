"""Deadlines, table by table: weekends, holidays, make-up workdays, zones, and clocks that are put forward or back."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from retention.policy import Policy, load_policy
from retention.policy_segments import Segment
from store.records import Tier

DAYS = {"working_days": 3}


def policy(country: str = "CN", **deadline: float) -> Policy:
    change = {"tiers": {"orange": {"deadline": deadline or DAYS}}}
    given = load_policy().within([Segment.model_validate({"name": "x", "who": {"a": "b"}, "change": change})])
    return given.model_copy(update={"calendar": given.calendar.model_copy(update={"country": country})})


def due(rules: Policy, now: str, zone: str) -> str:
    """Both in wall-clock time of the zone."""
    at = datetime.fromisoformat(now).replace(tzinfo=ZoneInfo(zone))
    found = rules.deadline(Tier.ORANGE, at, ZoneInfo(zone))
    assert found.tzinfo is not None and found.utcoffset() == timedelta(0)
    return found.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%dT%H:%M")


# The State Council's notices for 2024, 2025 and 2026: 国办发明电〔2023〕7号, 〔2024〕12号 and 〔2025〕7号.
CHINESE = [
    ("2026-03-02T09:00", "2026-03-05T09:00"),  # Monday: nothing in between
    ("2026-03-06T18:30", "2026-03-11T18:30"),  # Friday evening
    ("2026-03-07T00:00", "2026-03-11T00:00"),  # Saturday, the first minute
    ("2026-03-08T23:59", "2026-03-11T23:59"),  # Sunday, the last one
    ("2025-01-24T10:00", "2025-02-05T10:00"),  # Sunday 26 January worked, then Spring Festival to 4 February
    ("2026-02-27T10:00", "2026-03-03T10:00"),  # Saturday 28 February worked
    ("2026-04-03T10:00", "2026-04-09T10:00"),  # 清明: 4 to 6 April off
    ("2026-04-30T10:00", "2026-05-08T10:00"),  # 劳动节: 1 to 5 May off
    ("2026-05-07T10:00", "2026-05-11T10:00"),  # Saturday 9 May worked in exchange
    ("2026-06-18T10:00", "2026-06-24T10:00"),  # 端午: 19 to 21 June off
    ("2026-09-18T10:00", "2026-09-22T10:00"),  # Sunday 20 September worked
    ("2026-09-24T10:00", "2026-09-30T10:00"),  # 中秋: 25 to 27 September off
    ("2024-09-13T10:00", "2024-09-19T10:00"),  # Saturday 14 September worked, 中秋 15 to 17 off
    ("2025-09-30T10:00", "2025-10-11T10:00"),  # eight days off, then a Saturday worked
    ("2024-12-31T10:00", "2025-01-06T10:00"),  # over the year's end
    ("2024-02-28T10:00", "2024-03-04T10:00"),  # a leap day is a working day
]


@pytest.mark.parametrize(("now", "expected"), CHINESE)
def test_three_working_days_in_china(now: str, expected: str) -> None:
    assert due(policy(), now, "Asia/Shanghai") == expected


@pytest.mark.parametrize(
    ("days", "expected"),
    [(1, "2026-09-30"), (2, "2026-10-08"), (3, "2026-10-09"), (4, "2026-10-10"), (5, "2026-10-12")],
)
def test_each_further_working_day_over_national_day(days: int, expected: str) -> None:
    assert due(policy(working_days=days), "2026-09-29T10:00", "Asia/Shanghai") == f"{expected}T10:00"


@pytest.mark.parametrize(
    ("country", "zone", "now", "expected"),
    [
        ("US", "America/New_York", "2026-11-24T15:00", "2026-11-30T15:00"),  # Thanksgiving
        (
            "US",
            "America/New_York",
            "2026-03-05T15:00",
            "2026-03-10T15:00",
        ),  # the clock is put forward on Sunday
        ("US", "America/New_York", "2026-10-29T15:00", "2026-11-03T15:00"),  # and back on Sunday
        ("GB", "Europe/London", "2026-03-26T09:00", "2026-03-31T09:00"),  # forward on 29 March
        ("DE", "Europe/Berlin", "2026-10-22T09:00", "2026-10-27T09:00"),  # back on 25 October
        ("AU", "Australia/Sydney", "2026-10-01T09:00", "2026-10-06T09:00"),  # forward on 4 October
        ("AE", "Asia/Dubai", "2026-03-05T09:00", "2026-03-10T09:00"),  # Saturday and Sunday off there too
    ],
)
def test_working_days_keep_the_hour_of_the_zone_whatever_its_clocks_do(
    country: str, zone: str, now: str, expected: str
) -> None:
    assert due(policy(country), now, zone) == expected


@pytest.mark.parametrize(
    ("zone", "now", "expected"),
    [
        # 25 hours that pass: 26 on the wall where an hour is skipped, 24 where one comes twice.
        ("America/New_York", "2026-03-07T12:00", "2026-03-08T14:00"),
        ("America/New_York", "2026-10-31T12:00", "2026-11-01T12:00"),
        ("Europe/Berlin", "2026-03-28T20:00", "2026-03-29T22:00"),
        ("Europe/Berlin", "2026-10-24T20:00", "2026-10-25T20:00"),
        ("Australia/Lord_Howe", "2026-10-03T20:00", "2026-10-04T21:30"),  # half an hour forward
        ("Asia/Shanghai", "2026-03-28T20:00", "2026-03-29T21:00"),
    ],
)
def test_clock_hours_are_hours_that_pass(zone: str, now: str, expected: str) -> None:
    assert due(policy(clock_hours=25), now, zone) == expected


def test_an_hour_that_comes_twice_is_told_apart() -> None:
    zone = ZoneInfo("America/New_York")
    first = datetime(2026, 11, 1, 1, 30, tzinfo=zone, fold=0)
    second = datetime(2026, 11, 1, 1, 30, tzinfo=zone, fold=1)
    rules = policy(clock_hours=2)
    dues = [rules.deadline(Tier.ORANGE, one, zone) for one in (first, second)]
    assert dues[1] - dues[0] == timedelta(hours=1)
    assert dues[0] == first.astimezone(UTC) + timedelta(hours=2)


def test_a_deadline_in_an_hour_that_does_not_exist_is_a_moment_all_the_same() -> None:
    zone = ZoneInfo("Europe/Berlin")
    raised = datetime(2026, 3, 26, 2, 30, tzinfo=zone)  # Thursday; Sunday 02:30 does not exist there
    rules = policy("DE", working_days=2)
    assert rules.deadline(Tier.ORANGE, raised, zone).astimezone(zone).strftime("%d %H:%M") == "30 02:30"
    worked = rules.model_copy(
        update={
            "calendar": rules.calendar.model_copy(update={"extra_workdays": (datetime(2026, 3, 29).date(),)})
        }
    )
    assert worked.deadline(Tier.ORANGE, raised, zone) == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)


@pytest.mark.parametrize("hour", [15, 16])
def test_the_day_is_that_of_the_zone_on_both_sides_of_its_midnight(hour: int) -> None:
    raised = datetime(2026, 3, 5, hour, 30, tzinfo=UTC)  # Thursday 23:30 or Friday 00:30 in Shanghai
    zone = ZoneInfo("Asia/Shanghai")
    found = policy(working_days=1).deadline(Tier.ORANGE, raised, zone).astimezone(zone)
    assert found.strftime("%a %H:%M") == {15: "Fri 23:30", 16: "Mon 00:30"}[hour]


def test_the_same_moment_in_another_zone_is_due_at_the_same_moment() -> None:
    rules, zone = policy(), ZoneInfo("Asia/Shanghai")
    at = datetime(2026, 9, 30, 9, 30, tzinfo=UTC)
    elsewhere = at.astimezone(ZoneInfo("America/Los_Angeles"))
    assert rules.deadline(Tier.ORANGE, elsewhere, zone) == rules.deadline(Tier.ORANGE, at, zone)
