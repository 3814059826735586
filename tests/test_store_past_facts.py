"""The facts as they were known at a moment: late items, relabelling, profiles that changed; in both engines."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pytest

from store.clickhouse_facts import ClickHouseFactStore
from store.clock import FixedClock
from store.customer_features import CustomerQuestion, Deed, Trait
from store.duckdb_facts import DuckDBFactStore
from store.errors import NotPermitted
from store.facts import FactStore, Find, Horizon, Selection
from store.identity import text_key
from store.records import BehaviourEvent, Customer, Feedback, LabelledFeedback, Labels, Outcome, Sentiment
from tests.store_chdb import ChdbClient

ZONE = ZoneInfo("Asia/Shanghai")
START = datetime(2026, 3, 1, tzinfo=UTC)
ASKED = CustomerQuestion(
    traits=(Trait("negative", "negative_share"), Trait("cancel", "share:risk=cancel", sums="total")),
    deeds=(Deed("page", ("page_view",)),),
)


@pytest.fixture(params=["duckdb", "clickhouse"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[FactStore]:
    made: FactStore
    if request.param == "duckdb":
        made = DuckDBFactStore(tmp_path / "facts.duckdb", ZONE)
        yield made
        made.close()
    else:
        client = ChdbClient("facts")
        yield ClickHouseFactStore(client, ZONE)
        client.close()


def labels(sentiment: str, *signals: str) -> Labels:
    return Labels(
        sentiment=Sentiment(sentiment), sentiment_confidence=0.9, risk_signals=signals, labeller="test"
    )


def item(name: str, hours: float, given: Labels | None, customer: str = "c1") -> LabelledFeedback:
    return LabelledFeedback(
        feedback=Feedback(
            feedback_id=name,
            source="test",
            text=f"text {name}",
            occurred_at=START + timedelta(hours=hours),
            customer_id=customer,
        ),
        labels=given,
        text_key=text_key(f"text {name}"),
    )


def seen(facts: FactStore) -> dict[str, Any]:
    """What the scan asks for."""
    table = facts.customer_features(ASKED)
    return {
        "voices": [(v.feedback_id, v.sentiment, v.risk_signals) for v in facts.voices(Selection())],
        "items": [(i.feedback.feedback_id, i.labels) for i in facts.find(Find(order="id"))],
        "table": sorted(
            zip(
                table.ids,
                table.items.tolist(),
                table.total["negative"].tolist(),
                table.total["cancel"].tolist(),
                table.n["page"].tolist(),
                strict=True,
            )
        ),
        "customers": facts.customers(),
        "events": [event.event_id for event in facts.events(["c1", "c2"])],
        "outcomes": [(one.customer_id, one.outcome) for one in facts.outcomes()],
        "last": facts.last_at(),
    }


def test_each_moment_is_seen_as_it_was_seen_then(store: FactStore) -> None:
    """Whatever is written later, the answers as of a mark are those that the store gave at that mark."""
    writes: list[Callable[[], object]] = [
        lambda: store.add_feedback([item("a", 5, labels("neutral")), item("b", 6, None, "c2")]),
        lambda: store.add_customers([Customer(customer_id="c1", owner="李", attributes={"tier": "gold"})]),
        lambda: store.add_feedback([item("late", 1, labels("negative", "cancel"))]),
        lambda: store.replace_labels({"a": labels("negative", "cancel"), "b": labels("positive")}),
        lambda: store.add_events(
            [BehaviourEvent(event_id="e1", customer_id="c1", kind="page_view", occurred_at=START)]
        ),
        lambda: store.replace_labels({"a": labels("positive"), "late": labels("neutral")}),
        lambda: store.add_customers([Customer(customer_id="c1", owner="王"), Customer(customer_id="c2")]),
        lambda: store.add_customers([Customer(customer_id="c1", owner="王")]),
        lambda: store.add_outcomes([Outcome(customer_id="c2", occurred_at=START, outcome="churned")]),
        lambda: store.replace_labels({"a": labels("positive")}),
    ]
    then = [(store.mark(), seen(store))]
    for write in writes:
        write()
        then.append((store.mark(), seen(store)))
    marks = [mark for mark, _ in then]
    assert marks == sorted(set(marks))
    assert [seen(store.as_of(Horizon(mark))) for mark in marks] == [answer for _, answer in then]


def test_without_a_mark_what_had_occurred_counts(store: FactStore) -> None:
    store.add_feedback([item("a", 1, labels("neutral")), item("b", 3, labels("neutral"))])
    before = store.as_of(Horizon(occurred=START + timedelta(hours=2)))
    assert [voice.feedback_id for voice in before.voices(Selection())] == ["a"]
    assert before.last_at() == START + timedelta(hours=1)
    assert before.catalogue().items == 1


def test_the_past_is_read_only_and_knows_no_other_moment(store: FactStore) -> None:
    store.add_feedback([item("a", 1, None)])
    past = store.as_of(Horizon(store.mark()))
    assert past.as_of(Horizon(past.mark())) is past and past.scoped(()) is past
    with pytest.raises(NotPermitted, match="past is not written"):
        past.add_feedback([item("b", 1, None)])
    with pytest.raises(NotPermitted):
        past.as_of(Horizon(past.mark() + 1))
    with pytest.raises(NotPermitted):
        past.scoped(("hq",))
    with pytest.raises(NotPermitted):
        store.scoped(("hq",)).as_of(Horizon(1))


def test_a_store_from_before_marks_were_kept_is_opened_and_its_rows_were_always_known(tmp_path: Path) -> None:
    path = tmp_path / "facts.duckdb"
    store = DuckDBFactStore(path, ZONE)
    store.add_feedback([item("old", 1, labels("neutral"))])
    store.close()
    with duckdb.connect(str(path)) as raw:
        for table in ("feedback", "customer", "event", "outcome"):
            raw.execute(f"ALTER TABLE {table} DROP COLUMN stored")
        raw.execute("DROP TABLE label_past")
        raw.execute("DROP TABLE customer_past")
        raw.execute("DELETE FROM meta WHERE key = 'mark'")
    store = DuckDBFactStore(path, ZONE, FixedClock(START))
    assert store.mark() == 0
    store.add_feedback([item("new", 2, labels("neutral"))])
    assert store.mark() == int(START.timestamp() * 1_000_000)
    assert [v.feedback_id for v in store.as_of(Horizon(0)).voices(Selection())] == ["old"]
    store.close()


def test_marks_grow_where_the_clock_does_not(tmp_path: Path) -> None:
    store = DuckDBFactStore(tmp_path / "facts.duckdb", ZONE, FixedClock(START))
    store.add_feedback([item("a", 1, None)])
    first = store.mark()
    store.add_feedback([item("b", 1, None)])
    assert store.mark() == first + 1
    store.close()


def test_rows_of_a_writer_that_ended_before_it_said_so_are_known_at_the_next_start() -> None:
    client = ChdbClient("facts")
    store = ClickHouseFactStore(client, ZONE)
    store.add_feedback([item("a", 1, None)])
    client.execute("ALTER TABLE meta_rows DELETE WHERE key = 'written' SETTINGS mutations_sync = 2", {})
    assert store.mark() == 0
    again = ClickHouseFactStore(client, ZONE)
    assert [v.feedback_id for v in again.as_of(Horizon(again.mark())).voices(Selection())] == ["a"]
    client.close()
