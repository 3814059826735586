from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.identity import feedback_id, normalise_text, text_key

NOON = datetime(2026, 3, 1, 4, tzinfo=UTC)


@given(st.text())
def test_the_key_is_of_the_normalised_text(text: str) -> None:
    assert text_key(text) == text_key(normalise_text(text)) == text_key(f" {text}\n")
    assert len(text_key(text)) == 32


def test_width_and_blanks_do_not_matter_but_case_and_words_do() -> None:
    assert text_key("很好！  真的") == text_key("很好! 真的")
    assert text_key("ＡＢＣ") == text_key("ABC") != text_key("abc")
    assert text_key("质量很好") != text_key("质量不好")
    assert text_key("a\ud800b") != text_key("ab")


def test_a_given_id_wins() -> None:
    assert feedback_id("s", given=" 42 ", occurred_at=NOON, text="x") == "42"
    long = feedback_id("s", given="x" * 500)
    assert len(long) == 32
    assert long != feedback_id("s", given="x" * 501)
    assert feedback_id("s", given="  ", text="x") == feedback_id("s", text="x")


def test_said_at_the_same_time_by_the_same_customer_is_the_same() -> None:
    one = feedback_id("s", occurred_at=NOON, customer_id="c", text="慢", row={"a": 1}, occurrence=3)
    local = NOON.astimezone(timezone(timedelta(hours=8)))
    assert one == feedback_id("s", occurred_at=local, customer_id="c", text=" 慢 ", row={"b": 2})
    others = [
        feedback_id("t", occurred_at=NOON, customer_id="c", text="慢"),
        feedback_id("s", occurred_at=NOON + timedelta(seconds=1), customer_id="c", text="慢"),
        feedback_id("s", occurred_at=NOON, customer_id="d", text="慢"),
        feedback_id("s", occurred_at=NOON, customer_id="c", text="快"),
        feedback_id("s", occurred_at=NOON, text="慢"),
        feedback_id("s", customer_id="c", text="慢"),
    ]
    assert len({one, *others}) == 7


def test_without_time_and_customer_the_row_and_its_number_count() -> None:
    first = feedback_id("s", text="好", row={"a": "1", "b": None})
    assert first == feedback_id("s", text="好", row={"b": None, "a": "1"})
    assert first != feedback_id("s", text="好", row={"a": "1", "b": None}, occurrence=1)
    assert first != feedback_id("s", text="好", row={"a": "2", "b": None})


def test_scores_without_words_are_not_lumped_together() -> None:
    day = {feedback_id("s", occurred_at=NOON, row={"nps": 9}, occurrence=i) for i in range(5)}
    assert len(day) == 5
    one = feedback_id("s", occurred_at=NOON, customer_id="c", row={"nps": 9})
    assert one == feedback_id("s", occurred_at=NOON, customer_id="c", row={"nps": 9}, occurrence=1)
    assert one != feedback_id("s", occurred_at=NOON, customer_id="c", row={"nps": 3})


def test_parts_do_not_run_together() -> None:
    assert feedback_id("ab", customer_id="c", text="x") != feedback_id("a", customer_id="bc", text="x")


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="timezone-aware"):
        feedback_id("s", occurred_at=datetime(2026, 3, 1), text="x")
