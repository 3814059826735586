"""What only an append-only engine can do to us: keys written twice, racing writers, a moved zone."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from store.clickhouse_facts import ClickHouseFactStore
from store.clock import FixedClock
from store.errors import StoreError
from store.facts import Aggregate, Find, Selection
from store.identity import text_key
from store.records import Feedback, LabelledFeedback, Outcome, Theme
from tests.store_chdb import ChdbClient

ZONE = ZoneInfo("Asia/Shanghai")
START = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def client() -> Iterator[ChdbClient]:
    made = ChdbClient("facts")
    yield made
    made.close()


def items(count: int, source: str = "test") -> list[LabelledFeedback]:
    return [
        LabelledFeedback(
            feedback=Feedback(
                feedback_id=str(i), source=source, text=f"text {i}", occurred_at=START + timedelta(hours=i)
            ),
            text_key=text_key(f"text {i}"),
        )
        for i in range(count)
    ]


def test_a_block_sent_twice_counts_once(client: ChdbClient) -> None:
    store = ClickHouseFactStore(client, ZONE)
    store.add_feedback(items(20))
    columns = [name for name, *_ in client.execute("DESCRIBE TABLE feedback_rows", {})]
    # What a retry after a lost answer, or a second writer that saw nothing yet, leaves behind.
    client.execute(f"INSERT INTO feedback_rows SELECT {', '.join(columns)} FROM feedback_rows", {})
    assert client.execute("SELECT count() FROM feedback_rows", {}) == [(40,)]
    assert store.count(Selection()) == 20
    assert store.aggregate(Aggregate("volume"))[0].n == 20
    assert len(store.find(Find())) == 20


def test_two_writers_see_each_others_names_and_items(client: ChdbClient) -> None:
    one, two = ClickHouseFactStore(client, ZONE), ClickHouseFactStore(client, ZONE)
    assert two.catalogue().items == 0
    named = items(1)[0]
    feedback = named.feedback.model_copy(update={"attributes": {"门店": "a"}})
    one.add_feedback([named.model_copy(update={"feedback": feedback})])
    assert two.aggregate(Aggregate("volume", group_by=("门店",)))[0].key == ("a",)
    assert two.catalogue().items == 1
    assert two.add_feedback(items(2)) == {"1"}


def test_more_ids_than_a_request_holds_are_asked_in_parts(client: ChdbClient) -> None:
    store = ClickHouseFactStore(client, ZONE)
    many = items(2500)
    assert len(store.add_feedback(many)) == 2500
    assert store.add_feedback(many) == frozenset()


def test_another_zone_moves_the_clocks(client: ChdbClient) -> None:
    store = ClickHouseFactStore(client, ZONE)
    store.add_feedback(items(24 * 60))
    store.add_outcomes([Outcome(customer_id="c", occurred_at=START, outcome="churned")])
    zone = ZoneInfo("America/New_York")
    moved = ClickHouseFactStore(client, zone)
    hours = moved.aggregate(Aggregate("volume", group_by=("date", "hour")))
    expected = {
        (f"{local:%Y-%m-%d}", str(local.hour))
        for local in ((START + timedelta(hours=i)).astimezone(zone) for i in range(24 * 60))
    }
    assert {group.key for group in hours} == expected
    assert moved.aggregate(Aggregate("churn_rate", group_by=("hour",)))[0].key == ("19",)


def test_writes_within_one_instant_keep_their_order(client: ChdbClient) -> None:
    store = ClickHouseFactStore(client, ZONE, FixedClock(START))
    for label in ("first", "second", "third"):
        store.save_themes([Theme(theme_id="t", label=label)], {})
        store.mark_near_duplicates({"key": label})
    assert [theme.label for theme in store.themes()] == ["third"]
    assert client.execute("SELECT group_key FROM text_group", {}) == [("third",)]


def test_another_schema_is_refused(client: ChdbClient) -> None:
    ClickHouseFactStore(client, ZONE)
    client.insert("meta_rows", ["key", "value", "stamp"], [["schema_version", "999", 2**62]])
    with pytest.raises(StoreError, match="schema 999"):
        ClickHouseFactStore(client, ZONE)
