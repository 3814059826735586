"""Figures a customer in one pass, on DuckDB and on the real ClickHouse engine (chDB)."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from store.clickhouse_facts import ClickHouseFactStore
from store.customer_features import CustomerQuestion, CustomerTable, Deed, Trait
from store.duckdb_facts import DuckDBFactStore
from store.errors import ToolInputError
from store.facts import Aggregate, FactStore, Selection, Window
from store.records import (
    BehaviourEvent,
    Customer,
    Feedback,
    LabelledFeedback,
    Labels,
    Outcome,
    Sentiment,
)
from tests.store_chdb import ChdbClient

AT = datetime(2026, 6, 1, tzinfo=UTC)
SCALES = {"nps": (0.0, 10.0), "csat": (1.0, 5.0), "满意度": (1.0, 10.0), "unknown": (0.0, 1.0)}
RECENT = Window(AT - timedelta(days=30), AT)
BEFORE = Window(None, AT - timedelta(days=30))


@pytest.fixture(params=["duckdb", "clickhouse"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[FactStore]:
    zone = ZoneInfo("Asia/Shanghai")
    made: FactStore
    if request.param == "duckdb":
        made = DuckDBFactStore(tmp_path / "facts.duckdb", zone)
    else:
        made = ClickHouseFactStore(ChdbClient("features"), zone)
    yield made
    made.close()


def item(
    name: str, customer: str | None, days: float, mood: str | None = None, **fields: Any
) -> LabelledFeedback:
    risks = fields.pop("risks", ())
    labels = (
        Labels(sentiment=Sentiment(mood), sentiment_confidence=1, labeller="t", risk_signals=risks)
        if mood
        else None
    )
    when = AT - timedelta(days=days)
    feedback = Feedback(
        feedback_id=name, source="t", customer_id=customer, occurred_at=when, text=name, **fields
    )
    return LabelledFeedback(feedback=feedback, labels=labels)


def event(
    name: str, customer: str, days: float, kind: str, detail: str = "", value: float | None = None
) -> BehaviourEvent:
    when = AT - timedelta(days=days)
    return BehaviourEvent(
        event_id=name, customer_id=customer, occurred_at=when, kind=kind, detail=detail, value=value
    )


def by_id(table: CustomerTable, column: Any) -> dict[str, Any]:
    return dict(zip(table.ids, column.tolist(), strict=True))


def test_figures_by_customer_within_their_windows(store: FactStore) -> None:
    store.add_feedback(
        [
            item("1", "a", 40, "positive", nps=9),
            item("2", "a", 10, "negative", nps=4, csat=1, risks=("cancel", "price")),
            item("3", "a", 5, metrics={"满意度": 5.5}),
            item("3b", "a", 6, metrics={"满意度": 99.0}),
            item("4", "a", 0, "negative", nps=0),
            item("5", "b", 31, "negative", speaker="customer"),
            item("6", "b", 3, "negative", speaker="agent"),
            item("7", None, 3, "negative"),
        ]
    )
    store.add_customers(
        [Customer(customer_id="a", lifetime_value=50, since=date(2026, 1, 1)), Customer(customer_id="z")]
    )
    traits = (
        Trait("negative", "negative_share", RECENT),
        Trait("negative_before", "negative_share", BEFORE),
        Trait("cancel", "share:risk=cancel", RECENT),
        Trait("score", "score", RECENT),
        Trait("nps", "nps"),
    )
    table = store.customer_features(
        CustomerQuestion(traits, selection=Selection(Window(None, AT)), scores=SCALES)
    )
    assert by_id(table, table.items) == {"a": 4, "b": 1}
    assert by_id(table, table.n["negative"]) == {"a": 1, "b": 0}
    assert by_id(table, table.total["negative_before"]) == {"a": 0, "b": 1}
    assert by_id(table, table.total["cancel"])["a"] == 1
    # (0.4 + 0) / 2 of one, the middle of its scale of another, and one off its scale.
    assert by_id(table, table.total["score"])["a"] == pytest.approx(0.2 + 0.5)
    assert by_id(table, table.n["score"]) == {"a": 2, "b": 0}
    assert by_id(table, table.total["nps"])["a"] == 0
    assert by_id(table, table.last)["a"] == (AT - timedelta(days=5)).timestamp()
    assert by_id(table, table.first)["a"] == (AT - timedelta(days=40)).timestamp()
    assert by_id(table, table.since)["a"] == datetime(2026, 1, 1, tzinfo=UTC).timestamp()
    assert by_id(table, table.lifetime_value)["a"] == 50
    assert np.isnan(by_id(table, table.since)["b"])


def test_what_they_did_counts_even_without_a_word(store: FactStore) -> None:
    store.add_feedback([item("1", "a", 2)])
    store.add_events(
        [
            event("1", "a", 3, "usage", value=20),
            event("2", "a", 4, "usage"),
            event("3", "b", 5, "search", "怎么 注销"),
            event("4", "b", 50, "search", "怎么 注销"),
            event("5", "b", 0, "search", "怎么 注销"),
        ]
    )
    deeds = (Deed("usage", kinds=("usage",)), Deed("exit", texts=("search 怎么 注销",), window=RECENT))
    table = store.customer_features(CustomerQuestion((), deeds, Selection(Window(None, AT))))
    assert by_id(table, table.total["usage"]) == {"a": 21, "b": 0}
    assert by_id(table, table.n["exit"]) == {"a": 0, "b": 1}
    assert by_id(table, table.items) == {"a": 1, "b": 0}
    assert by_id(table, table.last)["b"] == (AT - timedelta(days=5)).timestamp()
    assert store.event_texts(Window(None, AT)) == [("search", "怎么 注销", 2), ("usage", "", 2)]


def test_filters_ids_and_a_share_choose_customers(store: FactStore) -> None:
    store.add_feedback([item(f"{n}", f"c{n}", 1, region="广东" if n % 2 else "浙江") for n in range(400)])
    assert len(store.customer_features(CustomerQuestion(())).ids) == 400
    some = store.customer_features(CustomerQuestion((), customer_ids=("c1", "c7", "nobody")))
    assert sorted(some.ids) == ["c1", "c7"]
    half = store.customer_features(CustomerQuestion((), share=0.5))
    assert 150 < len(half.ids) < 250
    assert sorted(half.ids) == sorted(store.customer_features(CustomerQuestion((), share=0.5)).ids)
    guangdong = CustomerQuestion((), selection=Selection(filters={"region": ("广东",)}))
    assert len(store.customer_features(guangdong).ids) == 200
    nobody = CustomerQuestion(
        (Trait("x", "nps"),), (Deed("d", kinds=("use",)),), Selection(filters={"region": ("x",)})
    )
    assert store.customer_features(nobody).ids == []
    with pytest.raises(ToolInputError, match="joy"):
        store.customer_features(CustomerQuestion((Trait("x", "joy"),)))


def test_the_figures_are_those_of_aggregate(store: FactStore) -> None:
    rng = np.random.default_rng(5)
    moods = ("positive", "neutral", "negative", None)
    store.add_feedback(
        [
            item(
                str(n), f"c{n % 13}", float(rng.uniform(0, 90)), moods[n % 4], nps=float(rng.integers(0, 11))
            )
            for n in range(300)
        ]
    )
    names = ("nps", "negative_share", "volume", "share:intent=complaint")
    table = store.customer_features(CustomerQuestion(tuple(Trait(name, name, RECENT) for name in names)))
    for name in names:
        groups = store.aggregate(Aggregate(name, Selection(RECENT), group_by=("customer_id",)))
        given = {group.key[0]: (group.n, group.total) for group in groups}
        found = dict(zip(table.ids, zip(table.n[name], table.total[name], strict=True), strict=True))
        assert {key: value for key, value in found.items() if value[0]} == given


def test_outcomes_in_columns_oldest_first(store: FactStore) -> None:
    assert store.outcome_table().ids == []
    kinds: tuple[Any, ...] = ("renewed", "churned", "refunded")
    store.add_outcomes(
        [Outcome(customer_id=f"c{n}", occurred_at=AT - timedelta(days=n), outcome=kinds[n]) for n in range(3)]
    )
    table = store.outcome_table()
    assert (table.ids, table.churned.tolist()) == (["c2", "c1", "c0"], [False, True, False])
    assert table.at.tolist() == [(AT - timedelta(days=n)).timestamp() for n in (2, 1, 0)]
