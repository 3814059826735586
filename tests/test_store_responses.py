"""First responses on both engines."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from store.clickhouse_facts import ClickHouseFactStore
from store.duckdb_facts import DuckDBFactStore
from store.facts import Aggregate, FactStore, Group, Selection, Window
from store.records import Feedback, LabelledFeedback
from tests.store_chdb import ChdbClient

ZONE = ZoneInfo("Asia/Shanghai")
NINE = datetime(2026, 3, 1, 9, tzinfo=UTC)


@pytest.fixture(params=["duckdb", "clickhouse"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[FactStore]:
    made: FactStore
    if request.param == "duckdb":
        made = DuckDBFactStore(tmp_path / "facts.duckdb", ZONE)
    else:
        made = ClickHouseFactStore(ChdbClient("responses"), ZONE)
    yield made
    made.close()


def said(talk: str, turn: int, speaker: str, minutes: float | None, **more: Any) -> LabelledFeedback:
    more.setdefault("source", "chat")
    at = None if minutes is None else NINE + timedelta(minutes=minutes)
    feedback = Feedback(
        feedback_id=f"{more['source']}-{talk}-{turn}",
        channel="chat",
        conversation_id=talk,
        turn=turn,
        speaker=speaker,
        occurred_at=at,
        text=f"{talk} {turn}",
        **more,
    )
    return LabelledFeedback(feedback=feedback, labels=None, text_key=None, batch_id="b")


TURNS = [
    # An agent's greeting is no answer; the customer asks twice before one comes.
    *(said("a", 0, "agent", 0), said("a", 1, "customer", 1, region="广东")),
    *(said("a", 2, "customer", 3), said("a", 3, "agent", 5.5), said("a", 4, "agent", 6)),
    *(said("b", 0, "customer", 60, region="广东"), said("b", 1, "agent", 70), said("b", 2, "customer", 71)),
    # One time for two turns: `turn` tells who came first.
    *(said("c", 0, "customer", 90, region="上海"), said("c", 1, "agent", 90), said("c", 2, "customer", 95)),
    said("d", 0, "customer", 100, region="上海"),
    # All turns at one time: answered, but nobody knows how soon.
    *(said("e", 0, "customer", 120, region="上海"), said("e", 1, "agent", 120)),
    said("f", 0, "customer", None),
    # A source without agents has no answers to miss; another source's "a" is another conversation.
    said("g", 0, "customer", 130, source="tickets"),
    *(said("a", 0, "customer", 200, source="calls"), said("a", 1, "agent", 230, source="calls")),
]


def test_minutes_to_the_first_answer_of_each_conversation(store: FactStore) -> None:
    store.add_feedback(TURNS)
    assert store.aggregate(Aggregate("first_response")) == [
        Group(0, (), 4, 4.5 + 10 + 0 + 30, 4.5**2 + 100 + 900)
    ]
    by_region = store.aggregate(Aggregate("first_response", group_by=("region",)))
    assert {g.key[0]: (g.n, g.total) for g in by_region} == {
        "广东": (2, 14.5),
        "上海": (1, 0.0),
        None: (1, 30.0),
    }
    # Of a conversation, the first customer turn decides the period, whenever the answer came.
    spans = (Window(NINE, NINE + timedelta(minutes=2)), Window(NINE + timedelta(minutes=2), None))
    assert [g.n for g in store.aggregate(Aggregate("first_response", windows=spans))] == [1, 3]


def test_unanswered_conversations_are_counted_apart(store: FactStore) -> None:
    store.add_feedback(TURNS)
    assert store.aggregate(Aggregate("unanswered_share")) == [Group(0, (), 6, 1.0, 1.0)]


def test_values_by_rank(store: FactStore) -> None:
    store.add_feedback(TURNS)
    assert store.ranked(Aggregate("first_response"), (1, 2, 4, 9)) == {(): {1: 0.0, 2: 4.5, 4: 30.0}}
    grouped = store.ranked(Aggregate("first_response", group_by=("region",)), (1, 2))
    assert grouped == {("广东",): {1: 4.5, 2: 10.0}, ("上海",): {1: 0.0}, (None,): {1: 30.0}}
    asked = Aggregate("first_response", Selection(filters={"region": ("广东",)}))
    assert store.ranked(asked, (2,)) == {(): {2: 10.0}}


def test_it_is_a_metric_of_the_data_only_where_agents_answer(store: FactStore) -> None:
    store.add_feedback([said("d", 0, "customer", 100), said("g", 0, "customer", 130, source="tickets")])
    assert "first_response" not in store.catalogue().metrics
    assert store.aggregate(Aggregate("first_response")) == [Group(0, (), 0, 0.0, 0.0)]
    store.add_feedback([said("d", 1, "agent", 103)])
    found = store.catalogue().metrics["first_response"]
    assert (found.n, found.low, found.high) == (1, 3.0, 3.0)


def test_it_can_be_a_factor_beside_scores(store: FactStore) -> None:
    store.add_feedback([said("a", 0, "customer", 0, csat=2), said("a", 1, "agent", 4), *TURNS[5:8]])
    found = store.moments(Selection(), [("csat",), ("first_response",)])
    assert (found.n, found.sums) == (1, (2.0, 4.0))
