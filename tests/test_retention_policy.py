from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import yaml

from retention.playbooks import load_playbooks
from retention.policy import POLICY_FILE, load_policy
from retention.working_days import WorkingCalendar
from store.errors import ConfigError
from store.records import Tier

SHANGHAI = ZoneInfo("Asia/Shanghai")


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


def changed(tmp_path: Path, *path: str, value: object) -> Path:
    content = yaml.safe_load(POLICY_FILE.read_text(encoding="utf-8"))
    node = content
    for key in path[:-1]:
        node = node[key]
    node[path[-1]] = value
    file = tmp_path / "policy.yaml"
    file.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    return file


@pytest.mark.parametrize(
    ("now", "due"),
    [
        ("2026-11-16T10:00", "2026-11-19T10:00"),  # Monday to Thursday
        ("2026-11-20T10:00", "2026-11-25T10:00"),  # over a weekend
        ("2026-11-21T10:00", "2026-11-25T10:00"),  # raised on a Saturday
        ("2026-09-30T17:30", "2026-10-10T17:30"),  # National Day, then a Saturday worked in exchange
        ("2026-02-13T09:00", "2026-02-25T09:00"),  # Spring Festival, with 14 February worked
        ("2026-01-01T09:00", "2026-01-06T09:00"),  # New Year, with Sunday 4 January worked
    ],
)
def test_three_working_days_know_chinese_holidays_and_make_up_workdays(now: str, due: str) -> None:
    assert load_policy().deadline(Tier.ORANGE, local(now), SHANGHAI) == local(due)


@pytest.mark.parametrize(("tier", "hours"), [(Tier.RED, 2), (Tier.CALLBACK, 24)])
def test_clock_hours_run_through_nights_and_holidays(tier: Tier, hours: int) -> None:
    now = local("2026-10-01T23:30")
    due = load_policy().deadline(tier, now, SHANGHAI)
    assert (due - now).total_seconds() == hours * 3600
    assert due.utcoffset() == now.astimezone(UTC).utcoffset()


def test_days_are_counted_in_the_zone_and_not_in_utc() -> None:
    friday_evening_in_utc = datetime(2026, 11, 20, 17, 0, tzinfo=UTC)  # Saturday 01:00 in Shanghai
    due = load_policy().deadline(Tier.ORANGE, friday_evening_in_utc, SHANGHAI)
    assert due.astimezone(SHANGHAI).date() == date(2026, 11, 25)
    with pytest.raises(ValueError, match="timezone-aware"):
        load_policy().deadline(Tier.ORANGE, datetime(2026, 11, 20), SHANGHAI)


def test_the_year_after_the_last_notice_still_has_deadlines() -> None:
    due = load_policy().deadline(Tier.ORANGE, local("2027-12-30T10:00"), SHANGHAI)
    assert due.astimezone(SHANGHAI).date() > date(2028, 1, 1)


def test_corrections_win_over_the_library() -> None:
    calendar = WorkingCalendar(
        "CN", extra_holidays=[date(2026, 11, 23)], extra_workdays=[date(2026, 11, 22), date(2026, 10, 1)]
    )
    assert not calendar.is_working_day(date(2026, 11, 23))
    assert calendar.is_working_day(date(2026, 11, 22))
    assert calendar.is_working_day(date(2026, 10, 1))
    assert calendar.add(date(2026, 11, 21), 2) == date(2026, 11, 24)
    with pytest.raises(ValueError, match="at least 1"):
        calendar.add(date(2026, 11, 21), 0)


def test_every_tier_has_a_rule_and_a_playbook_in_both_languages() -> None:
    policy, books = load_policy(), load_playbooks()
    for tier in Tier:
        book = books[policy.tiers[tier].playbook]
        for language in ("zh", "en"):
            assert "X1" in book.advice(language, cause="X1")
        assert len(book.steps["zh"]) == len(book.steps["en"])


def test_a_signal_without_a_rule_of_its_own_has_that_of_other() -> None:
    policy = load_policy()
    assert policy.signal("churn_by_carrier_pigeon") == policy.signals["other"]
    assert policy.signal("cancel").tier is Tier.RED


@pytest.mark.parametrize(
    ("path", "value", "complaint"),
    [
        (("health", "treshold"), 60, "treshold"),
        (("tiers", "red", "deadline"), {"clock_hours": 2, "working_days": 1}, "either"),
        (("tiers", "red", "deadline"), {}, "either"),
        (("tiers", "purple"), {}, "purple"),
        (("signals", "cancel", "points"), 30, "cancel.points"),
        (("scores", "nps"), [10, 0], "scores.nps"),
        (("signals",), {"cancel": {"points": -30, "tier": "red"}}, "other"),
    ],
)
def test_a_wrong_policy_names_what_is_wrong(
    tmp_path: Path, path: tuple[str, ...], value: object, complaint: str
) -> None:
    with pytest.raises(ConfigError, match=complaint):
        load_policy(changed(tmp_path, *path, value=value))


def test_a_missing_tier_an_unknown_country_and_unreadable_files_are_said(tmp_path: Path) -> None:
    tiers = yaml.safe_load(POLICY_FILE.read_text(encoding="utf-8"))["tiers"]
    del tiers["callback"]
    with pytest.raises(ConfigError, match="missing callback"):
        load_policy(changed(tmp_path, "tiers", value=tiers))
    nowhere = load_policy(changed(tmp_path, "calendar", "country", value="XX"))
    with pytest.raises(ConfigError, match="XX"):
        nowhere.deadline(Tier.ORANGE, local("2026-11-16T10:00"), SHANGHAI)
    for name, content in (("list", "[]"), ("broken", "a: [")):
        file = tmp_path / name
        file.write_text(content, encoding="utf-8")
        with pytest.raises(ConfigError, match=name):
            load_policy(file)
    with pytest.raises(ConfigError, match="cannot be read"):
        load_policy(tmp_path / "absent.yaml")
