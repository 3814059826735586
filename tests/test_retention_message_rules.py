"""Quiet hours by the customer's clock, what a profile says, templates and files: pure functions in tables."""

from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from retention.address_book import AddressBook
from retention.contact_wishes import opted_out_by_profile, zone_of
from retention.coupon_file import coupons_of
from retention.guides import Guide, guide_for
from retention.playbooks import PlaybookMessage, load_playbooks
from retention.policy import load_policy
from retention.policy_messages import MessageRules, QuietHours
from retention.templates import Template
from store.errors import ConfigError, InputError
from store.records import Customer

SHANGHAI, BERLIN = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin")
NIGHT = QuietHours()
NOON = QuietHours(start=time(12), end=time(14))
RULES = MessageRules()


@pytest.mark.parametrize(
    ("rule", "zone", "now", "until"),
    [
        (NIGHT, SHANGHAI, "2026-11-20T20:59:59", None),
        (NIGHT, SHANGHAI, "2026-11-20T21:00:00", "2026-11-21T09:00:00"),
        (NIGHT, SHANGHAI, "2026-11-21T00:00:00", "2026-11-21T09:00:00"),
        (NIGHT, SHANGHAI, "2026-11-21T08:59:59", "2026-11-21T09:00:00"),
        (NIGHT, SHANGHAI, "2026-11-21T09:00:00", None),
        (NOON, SHANGHAI, "2026-11-21T11:59:00", None),
        (NOON, SHANGHAI, "2026-11-21T12:00:00", "2026-11-21T14:00:00"),
        (NOON, SHANGHAI, "2026-11-21T14:00:00", None),
        (NIGHT, BERLIN, "2026-03-28T22:00:00", "2026-03-29T09:00:00"),  # the clock goes forward at 2:00
        (NIGHT, BERLIN, "2026-10-24T22:00:00", "2026-10-25T09:00:00"),  # and back at 3:00
    ],
)
def test_quiet_hours_end_by_the_clock_on_the_wall(
    rule: QuietHours, zone: ZoneInfo, now: str, until: str | None
) -> None:
    moment = datetime.fromisoformat(now).replace(tzinfo=zone).astimezone(UTC)
    wanted = None if until is None else datetime.fromisoformat(until).replace(tzinfo=zone)
    assert rule.until(moment, zone) == wanted


def test_a_night_of_the_change_of_clocks_is_an_hour_shorter_or_longer() -> None:
    lengths = []
    for day in ("2026-03-28", "2026-06-01", "2026-10-24"):
        start = datetime.fromisoformat(f"{day}T21:00").replace(tzinfo=BERLIN).astimezone(UTC)
        end = NIGHT.until(start, BERLIN)
        assert end is not None
        lengths.append(end - start)
    assert lengths == [timedelta(hours=n) for n in (11, 12, 13)]


def test_times_without_quotes_are_read_and_nonsense_is_refused() -> None:
    # YAML 1.1 reads 21:00 as a number in base sixty.
    assert QuietHours.model_validate({"from": 1260, "to": 540}) == NIGHT
    for wrong in ({"from": "21:00", "to": "21:00"}, {"from": "25:00", "to": "9:00"}, {"from": 9999}):
        with pytest.raises(ValidationError):
            QuietHours.model_validate(wrong)
    with pytest.raises(ValidationError, match="named twice"):
        MessageRules(channels=("mail", "mail"))


@pytest.mark.parametrize(
    ("cell", "channels"),
    [
        ({"退订": "是"}, {"all"}),
        ({"退订": "否"}, set()),
        ({"unsubscribed": "TRUE"}, {"all"}),
        ({"opt_out": "mail"}, {"mail"}),
        ({"opt_out": "mail，gateway"}, {"mail", "gateway"}),
        ({"opt_out": "短信不要再发了"}, {"all"}),
        ({"opt_out": ""}, set()),
        ({}, set()),
    ],
)
def test_a_column_of_a_customers_file_is_an_opt_out(cell: dict[str, str], channels: set[str]) -> None:
    assert opted_out_by_profile(Customer(customer_id="c", attributes=cell), RULES) == channels


def test_the_zone_of_a_customer_is_his_own_where_there_is_such_a_zone() -> None:
    zones = {"Europe/Berlin": BERLIN, "Mars/Base": SHANGHAI, "": SHANGHAI}
    for name, zone in zones.items():
        profile = Customer(customer_id="c", attributes={"timezone": name})
        assert zone_of(profile, RULES, SHANGHAI) == zone
    assert zone_of(None, RULES, SHANGHAI) == SHANGHAI


def test_templates_refuse_what_is_missing_and_what_is_unused() -> None:
    template = Template(zh="您好，{subject}", en="Hello, {subject}")
    assert template.filled("en", {"subject": "prices"}) == "Hello, prices"
    for values, word in (({}, "missing: subject"), ({"subject": "x", "name": "y"}, "unused: name")):
        with pytest.raises(ConfigError, match=word):
            template.filled("zh", values)
    for text in ("{", "{0}", "{a.b}", "{a!r}", "{a:>3}", "{}"):
        with pytest.raises(ValidationError):
            Template(zh=text, en="x")


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ({"zh": "{subject}", "en": "nothing"}, "en: {subject} is not used"),
        ({"zh": "{subject}{deadline}", "en": "{subject}"}, "zh: {deadline} is not declared"),
    ],
)
def test_both_languages_of_a_playbook_use_what_it_declares(text: dict[str, str], wrong: str) -> None:
    words = {"variables": ["subject"], "title": {"zh": "{subject}", "en": "{subject}"}, "text": text}
    with pytest.raises(ValidationError, match=wrong):
        PlaybookMessage.model_validate(words)


def test_the_deadline_in_a_message_is_the_policys() -> None:
    book = load_playbooks()[load_policy().tiers["orange"].playbook]  # type: ignore[index]
    said = book.text("en", {"subject": "our prices", "deadline": "within 5 working days"})
    assert "within 5 working days" in said and "our prices" in said
    assert not load_playbooks()["director_intervention"].has_message


def test_the_first_guide_for_the_weightiest_topic_is_given() -> None:
    page = {"title": "t", "address": "https://example.com"}
    general = Guide.model_validate({"topics": ["product"], "zh": page, "en": page})
    export = Guide.model_validate({"topics": ["product/usability"], "zh": page, "en": page})
    assert guide_for(["price", "product/usability/export"], (export, general)) is export
    assert guide_for(["production"], (general,)) is None
    with pytest.raises(ValidationError):
        Guide.model_validate({"topics": ["x"], "zh": {**page, "address": "javascript:alert(1)"}, "en": page})


def test_addresses_are_read_again_after_a_change_and_a_wrong_line_is_named_not_quoted(
    tmp_path: Path,
) -> None:
    path = tmp_path / "addresses.csv"
    path.write_text("customer_id,mail\nc1,a@example.com\nc2,\n", encoding="utf-8-sig")
    book = AddressBook(path)
    assert (book.mail("c1"), book.mail("c2"), book.mail("c3")) == ("a@example.com", None, None)
    path.write_text("customer_id,mail\nc1,new@example.com\n")
    assert book.mail("c1") == "new@example.com"
    path.write_text("customer_id,mail\nc1,a@example.com\r\nc2,secret person <x@y>\n")
    with pytest.raises(ConfigError, match="line 3") as caught:
        book.mail("c1")
    assert "secret" not in str(caught.value)
    path.write_text("id,mail\n")
    with pytest.raises(ConfigError, match="customer_id"):
        book.mail("c1")


def test_a_coupon_is_good_until_the_end_of_its_last_day() -> None:
    header = "code,amount,currency,valid_until\n"
    [found] = coupons_of(f"{header}A1,20,CNY,2026-12-31\n", SHANGHAI)
    assert found.valid_until == datetime(2027, 1, 1, tzinfo=SHANGHAI)
    for line, wrong in (("A1,x,CNY,2026-12-31", "amount"), ("A1,2,yuan,2026-12-31", "currency"),
                        ("A1,2,CNY,soon", "valid_until"), (",2,CNY,2026-12-31", "code")):  # fmt: skip
        with pytest.raises(InputError, match=f"line 2.*{wrong}"):
            coupons_of(header + line, SHANGHAI)
