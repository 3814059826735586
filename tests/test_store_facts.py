"""The FactStore contract, on DuckDB and on the real ClickHouse engine (chDB)."""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from store.clickhouse_facts import ClickHouseFactStore
from store.duckdb_facts import DuckDBFactStore
from store.errors import ToolInputError
from store.facts import Aggregate, FactStore, Find, Group, Selection, Window
from store.identity import text_key
from store.records import (
    BehaviourEvent,
    Customer,
    Feedback,
    IndustryRate,
    LabelledFeedback,
    Labels,
    Outcome,
    Sentiment,
    Theme,
    TopicLabel,
)
from tests.store_chdb import ChdbClient

SHANGHAI = ZoneInfo("Asia/Shanghai")


@pytest.fixture(params=["duckdb", "clickhouse"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[FactStore]:
    made: FactStore
    if request.param == "duckdb":
        made = DuckDBFactStore(tmp_path / "facts.duckdb", SHANGHAI)
    else:
        made = ClickHouseFactStore(ChdbClient("facts"), SHANGHAI)
    yield made
    made.close()


def test_sums_of_products_take_rows_with_every_factor(store: FactStore) -> None:
    store.add_feedback(
        [
            item("a", labels("negative", "service/attitude"), nps=3, metrics={"wait": 4.0}),
            item("b", labels("positive", "service/attitude"), nps=10, metrics={"wait": 2.0}),
            item("c", labels("positive"), nps=9, metrics={"wait": 1.0}),
            item("d", labels("negative"), nps=8),
            item("e", None, metrics={"wait": 7.0}),
        ]
    )
    factors = [("nps",), ("wait",), ("share:topic=service/attitude", "negative_share")]
    found = store.moments(Selection(), factors)
    assert (found.n, found.sums) == (3, (1.0, 7.0, 1.0))
    assert found.products == ((3.0, -1.0, -1.0), (-1.0, 21.0, 4.0), (-1.0, 4.0, 1.0))
    nothing = store.moments(Selection(filters={"channel": ("call",)}), factors)
    assert nothing.n == 0 and nothing.sums == (0.0, 0.0, 0.0)
    with pytest.raises(ToolInputError, match="joy"):
        store.moments(Selection(), [("joy",)])


def labels(sentiment: str = "negative", *topics: str, **more: Any) -> Labels:
    return Labels(
        sentiment=Sentiment(sentiment),
        sentiment_confidence=0.75,
        topics=tuple(TopicLabel(topic=topic, polarity=Sentiment.NEGATIVE) for topic in topics),
        labeller="lexicon/1",
        **more,
    )


def item(feedback_id: str, said: Labels | None = None, **fields: Any) -> LabelledFeedback:
    fields.setdefault("text", f"words of {feedback_id}")
    key = text_key(fields["text"]) if fields["text"] else None
    batch = fields.pop("batch_id", "batch")
    return LabelledFeedback(
        feedback=Feedback(feedback_id=feedback_id, source="test", **fields),
        labels=said,
        text_key=key,
        batch_id=batch,
    )


def at(day: int, hour: int = 4, month: int = 3) -> datetime:
    return datetime(2026, month, day, hour, tzinfo=UTC)


def where(**filters: Any) -> Selection:
    return Selection(
        filters={name: value if isinstance(value, tuple) else (value,) for name, value in filters.items()}
    )


def keys(groups: Sequence[Group]) -> dict[tuple[str | None, ...], int]:
    return {group.key: group.n for group in groups}


def test_an_item_comes_back_as_it_went_in(store: FactStore) -> None:
    rich = item(
        "a",
        labels("negative", "service/speed", "price", risk_signals=("refund",), competitors=("京东",)),
        channel="survey",
        occurred_at=datetime(2026, 3, 1, 4, 5, 6, 789012, tzinfo=UTC),
        customer_id="c1",
        conversation_id="v1",
        turn=0,
        speaker="customer",
        text="慢 \\ 'quoted' \"double\"\n{p0} 😀\t$p1",
        language="zh",
        nps=3,
        csat=2.5,
        metrics={"总体评分": 7.25, "order value": -1.5},
        region="广东",
        customer_type="new",
        attributes={"门店": "A'店", "空": ""},
    )
    bare = item("b", text="", nps=10)
    store.add_feedback([rich, bare])
    assert store.find(Find(order="id")) == [rich, bare]


def test_only_new_ids_are_written(store: FactStore) -> None:
    first = [item("a", text="one"), item("b"), item("a", text="two")]
    assert store.add_feedback(first) == {"a", "b"}
    assert store.add_feedback([item("a", text="three"), item("c")]) == {"c"}
    assert [found.feedback.text for found in store.find(Find(feedback_ids=("a",)))] == ["one"]
    assert store.existing_ids(["a", "c", "zz"]) == {"a", "c"}
    assert store.add_feedback([]) == frozenset() == store.existing_ids([])
    assert store.count(Selection()) == 3


def test_nps_is_a_sum_of_signs(store: FactStore) -> None:
    store.add_feedback([item(str(i), nps=score) for i, score in enumerate([0, 6, 6.5, 7, 8, 8.5, 9, 10])])
    store.add_feedback([item("unscored")])
    assert store.aggregate(Aggregate("nps")) == [Group(0, (), 8, -1.0, 5.0)]
    assert keys(store.aggregate(Aggregate("volume", group_by=("nps_class",)))) == {
        ("detractor",): 3,
        ("passive",): 3,
        ("promoter",): 2,
        (None,): 1,
    }


def test_an_empty_answer_is_a_group_of_none(store: FactStore) -> None:
    windows = (Window(at(1), at(2)), Window(at(2), at(3)))
    assert store.aggregate(Aggregate("nps", windows=windows)) == [
        Group(0, (), 0, 0.0, 0.0),
        Group(1, (), 0, 0.0, 0.0),
    ]
    assert store.aggregate(Aggregate("nps", group_by=("region",))) == []


def test_windows_may_overlap_and_undated_rows_belong_to_the_unbounded(store: FactStore) -> None:
    store.add_feedback([item(str(day), occurred_at=at(day)) for day in range(1, 11)] + [item("undated")])
    windows = (
        Window(at(2), at(5)),
        Window(at(4), at(6)),
        Window(),
        Window(at(9)),
        Window(None, at(2)),
        Window(at(3), at(3)),
    )
    counted = store.aggregate(Aggregate("volume", windows=windows))
    assert [group.n for group in counted] == [3, 2, 11, 2, 1, 0]
    apart = store.aggregate(
        Aggregate("volume", windows=(windows[0], windows[3]), group_by=("date",), limit=2)
    )
    assert [(group.window, group.key) for group in apart] == [
        (0, ("2026-03-02",)),
        (0, ("2026-03-03",)),
        (1, ("2026-03-09",)),
        (1, ("2026-03-10",)),
    ]
    assert store.count(Selection(Window(at(2), at(5)))) == 3


def test_limit_holds_for_each_window_the_largest_first(store: FactStore) -> None:
    regions = "aaabbc"
    store.add_feedback(
        [item(f"{day}{i}", occurred_at=at(day), region=r) for day in (1, 2) for i, r in enumerate(regions)]
    )
    windows = (Window(at(1), at(2)), Window(at(1), at(3)))
    groups = store.aggregate(Aggregate("volume", windows=windows, group_by=("region",), limit=2))
    assert [(g.window, g.key, g.n) for g in groups] == [
        (0, ("a",), 3),
        (0, ("b",), 2),
        (1, ("a",), 6),
        (1, ("b",), 4),
    ]


def test_rows_behind_an_aggregate_come_as_codes(store: FactStore) -> None:
    store.add_feedback(
        [
            item("a", nps=10, region="广东", occurred_at=at(1, 9), attributes={"courier": "x"}),
            item("b", nps=3, region="浙江", occurred_at=at(2, 20)),
            item("c", nps=8, occurred_at=at(3, 20), attributes={"courier": "x"}),
            item("d", region="广东", occurred_at=at(3)),
        ]
    )
    windows = (Window(at(1), at(3)), Window(at(2), at(4)))
    query = Aggregate("nps", windows=windows, group_by=("region", "courier", "hour"))
    leaves = store.leaves(query)
    columns = [[values[code] for code in codes] for codes, values in leaves.columns.values()]
    rows = sorted(zip(leaves.x, leaves.inside[0], leaves.inside[1], *columns, strict=True), key=str)
    assert rows == [
        (-1.0, True, True, "浙江", None, rows[0][5]),
        (0.0, False, True, None, "x", rows[1][5]),
        (1.0, True, False, "广东", "x", rows[2][5]),
    ]
    hours = keys(store.aggregate(Aggregate("nps", group_by=("hour",))))
    assert {row[5] for row in rows} == {key[0] for key in hours}
    with pytest.raises(ToolInputError, match="several values"):
        store.leaves(Aggregate("nps", group_by=("topic",)))


def test_a_multi_valued_dimension_counts_an_item_once_a_value(store: FactStore) -> None:
    store.add_feedback(
        [
            item("a", labels("negative", "service/speed", "service/manner", "price"), csat=1),
            item("b", labels("positive", "price", "price"), csat=5),
            item("c", labels("neutral"), csat=3),
        ]
    )
    assert keys(store.aggregate(Aggregate("csat", group_by=("topic",)))) == {
        ("price",): 2,
        ("service/manner",): 1,
        ("service/speed",): 1,
        (None,): 1,
    }
    assert keys(store.aggregate(Aggregate("volume", group_by=("topic_area",)))) == {
        ("price",): 2,
        ("service",): 1,
        (None,): 1,
    }
    together = keys(store.aggregate(Aggregate("volume", group_by=("topic_set",))))
    assert {"|".join(sorted(key[0].split("|"))): n for key, n in together.items() if key[0]} == {
        "price|service/manner|service/speed": 1,
        "price": 1,
    }
    crossed = store.aggregate(
        Aggregate("volume", where(sentiment="negative"), group_by=("topic", "topic_area"))
    )
    assert len(crossed) == 6
    assert store.count(where(topic=("price", "service/speed"))) == 2
    assert store.count(where(topic=(None,))) == 1
    assert store.count(Selection(exclude={"topic": ("price",)})) == 1


def test_shares_are_of_those_who_could_have_it(store: FactStore) -> None:
    store.add_feedback(
        [
            item("a", labels("negative", "price"), region="x", nps=2),
            item("b", labels("positive"), nps=10),
            item("c", text="", nps=9, region="x"),
            item("d", labels("negative", "price")),
        ]
    )

    def share(metric: str) -> tuple[int, float]:
        ((_, _, n, total, squares),) = store.aggregate(Aggregate(metric))
        assert total == squares
        return n, total

    assert share("negative_share") == (3, 2.0)
    assert share("positive_share") == (3, 1.0)
    assert share("neutral_share") == (3, 0.0)
    assert share("share:topic=price") == (3, 2.0)
    assert share("share:region=x") == (4, 2.0)
    assert share("share:region=") == (4, 2.0)
    assert share("share:nps_class=promoter") == (3, 2.0)
    assert share("volume") == (4, 4.0)


def test_what_the_data_brought_along_is_used_by_its_name(store: FactStore) -> None:
    store.add_feedback(
        [
            item("a", metrics={"总体评分": 8.0}, attributes={"门店": "一店", "a=b": "x"}),
            item("b", metrics={"总体评分": 5.0}, attributes={"门店": "二店"}),
            item("c", attributes={"门店": "一店"}),
            item("d", attributes={"门店": ""}),
        ]
    )
    assert store.aggregate(Aggregate("总体评分")) == [Group(0, (), 2, 13.0, 89.0)]
    assert store.aggregate(Aggregate("总体评分", group_by=("门店",))) == [
        Group(0, ("一店",), 1, 8.0, 64.0),
        Group(0, ("二店",), 1, 5.0, 25.0),
    ]
    assert store.count(where(门店="一店")) == 2
    assert store.count(where(门店="")) == 1
    assert store.count(Selection(exclude={"a=b": ("x",)})) == 3
    assert store.aggregate(Aggregate("share:a=b=x"))[0].total == 1.0


def test_none_means_not_given(store: FactStore) -> None:
    store.add_feedback([item("a", region="x"), item("b"), item("c", region="y")])
    assert store.count(where(region=(None,))) == 1
    assert store.count(where(region=("x", None))) == 2
    assert store.count(Selection(exclude={"region": (None,)})) == 2
    assert store.count(Selection(exclude={"region": ("x",)})) == 2
    assert store.count(where(region=())) == 0
    assert store.count(Selection(exclude={"region": ()})) == 3


def test_times_are_read_off_the_wall_clock_of_the_zone(store: FactStore) -> None:
    # 20:30 UTC on Saturday 28 February is 04:30 on Sunday 1 March in Shanghai.
    store.add_feedback([item("a", occurred_at=datetime(2026, 2, 28, 20, 30, tzinfo=UTC)), item("undated")])
    expected = {
        "hour": "4",
        "weekday": "7",
        "day_type": "weekend",
        "date": "2026-03-01",
        "week": "2026-02-23",
        "month": "2026-03",
        "quarter": "2026-Q1",
        "year": "2026",
    }
    for name, value in expected.items():
        assert keys(store.aggregate(Aggregate("volume", group_by=(name,)))) == {(value,): 1, (None,): 1}, name
        assert store.count(where(**{name: value})) == 1, name
    assert store.count(where(hour="04")) == 1
    assert store.count(where(month="2026-02")) == 0


@pytest.mark.parametrize(
    ("name", "value"),
    [("hour", "25"), ("month", "2026-13"), ("date", "2026-02-30"), ("quarter", "Q1"), ("rating", "five")],
)
def test_a_value_that_cannot_be_is_said_to_be_so(store: FactStore, name: str, value: str) -> None:
    with pytest.raises(ToolInputError, match=name):
        store.count(where(**{name: value}))


def test_unknown_names_list_the_known(store: FactStore) -> None:
    store.add_feedback([item("a", metrics={"总体评分": 1}, attributes={"门店": "x"})])
    with pytest.raises(ToolInputError, match=r"unknown dimension 'regoin'; did you mean 'region'.*门店"):
        store.aggregate(Aggregate("nps", group_by=("regoin",)))
    with pytest.raises(ToolInputError, match=r"unknown metric 'npss'; did you mean 'nps'.*总体评分"):
        store.aggregate(Aggregate("npss"))
    with pytest.raises(ToolInputError, match="unknown dimension 'nope'"):
        store.aggregate(Aggregate("share:nope=1"))
    with pytest.raises(ToolInputError, match="share:<dimension>=<value>"):
        store.aggregate(Aggregate("share:region"))
    with pytest.raises(ToolInputError, match="unknown dimension 'channel'"):
        store.aggregate(Aggregate("churn_rate", where(channel="chat")))


@pytest.mark.parametrize(
    "value",
    [
        "' OR 1=1 --",
        "x'; DROP TABLE feedback; --",
        "$p0",
        "{p0: String}",
        "\\",
        "\\'",
        "%",
        "_",
        "\n",
        "\u0000x",
    ],
)
def test_a_value_is_never_read_as_sql(store: FactStore, value: str) -> None:
    store.add_feedback([item("a", region="x", text="plain"), item("b", region="y", attributes={"k": "v"})])
    assert store.count(where(region=value)) == 0
    assert store.find(Find(contains=(value,))) == []
    assert store.find(Find(feedback_ids=(value,), text_keys=(value,))) == []
    assert store.aggregate(Aggregate(f"share:k={value}"))[0].total == 0.0
    with pytest.raises(ToolInputError):
        store.aggregate(Aggregate("nps", group_by=(value,)))
    assert store.count(Selection()) == 2


def test_odd_names_are_bound_too(store: FactStore) -> None:
    odd = 'it\'s "odd" \\ {p0}'
    store.add_feedback([item("a", attributes={odd: odd}, metrics={odd: 2.0})])
    assert store.aggregate(Aggregate(odd, where(**{odd: odd}), group_by=(odd,))) == [
        Group(0, (odd,), 1, 2.0, 4.0)
    ]


def test_agents_are_context_not_voice(store: FactStore) -> None:
    store.add_feedback(
        [
            item("a", conversation_id="v", turn=1, speaker="customer"),
            item("b", conversation_id="v", turn=2, speaker="agent"),
            item("c", conversation_id="v", turn=3),
        ]
    )
    assert store.count(Selection()) == 2
    assert store.count(where(speaker=("agent",))) == 1
    assert store.count(where(speaker=("customer", "agent", None))) == 3
    assert len(store.find(Find(where(conversation_id="v")))) == 2
    assert len(store.find(Find(feedback_ids=("b",)))) == 1
    assert set(store.texts_of_batch("batch").values()) == {"words of a", "words of c"}
    assert store.catalogue().items == 2


def test_find_orders_and_pages(store: FactStore) -> None:
    store.add_feedback(
        [
            item("a", occurred_at=at(1), nps=9, text="Battery DIED"),
            item("b", occurred_at=at(3), rating=1, text="电池 很差 Battery"),
            item("c", occurred_at=at(2), csat=3, text=""),
            item("d", text="nothing scored"),
        ]
    )

    def ids(query: Find) -> str:
        return "".join(found.feedback.feedback_id for found in store.find(query))

    assert ids(Find()) == "bcad"
    assert ids(Find(order="oldest")) == "acbd"
    assert ids(Find(order="id")) == "abcd"
    assert ids(Find(order="lowest_score")) == "bcad"
    assert ids(Find(order="lowest_score", score="csat")) == "cbad"
    assert ids(Find(limit=2, offset=1)) == "ca"
    assert ids(Find(contains=("battery",), order="id")) == "ab"
    assert ids(Find(contains=("battery", "很差"))) == "b"
    assert ids(Find(with_text=True, order="id")) == "abd"
    assert ids(Find(text_keys=(text_key("nothing scored"),))) == "d"
    assert ids(Find(feedback_ids=())) == ""


def test_relabelling_replaces_labels_and_nothing_else(store: FactStore) -> None:
    before = item("a", labels("negative", "price"), nps=3, occurred_at=at(1), attributes={"k": "v"})
    store.add_feedback([before, item("b", labels("negative", "price"))])
    after = labels("positive", "service/speed", "quality", risk_signals=("legal",))
    store.replace_labels({"a": after, "absent": after})
    assert store.find(Find(feedback_ids=("a",))) == [before.model_copy(update={"labels": after})]
    assert keys(store.aggregate(Aggregate("volume", group_by=("topic",)))) == {
        ("price",): 1,
        ("service/speed",): 1,
        ("quality",): 1,
    }
    assert store.count(where(risk="legal")) == 1
    assert store.count(Selection()) == 2


def test_near_duplicates_are_marked_and_counted(store: FactStore) -> None:
    store.add_feedback([item("a", text="很好"), item("b", text="很好！"), item("c", text="很好")])
    group = text_key("很好")
    store.mark_near_duplicates({text_key("很好！"): "other"})
    store.mark_near_duplicates({text_key("很好！"): group})
    assert [found.near_duplicate_of for found in store.find(Find(order="id"))] == [None, group, None]
    assert store.count(Selection()) == 3
    marked = item("d", text="很好啊").model_copy(update={"near_duplicate_of": group})
    store.add_feedback([marked])
    assert store.find(Find(feedback_ids=("d",))) == [marked]


def test_themes_are_replaced_as_a_whole(store: FactStore) -> None:
    store.add_feedback([item("a", text="x"), item("b", text="y"), item("c", text="")])
    first = Theme(theme_id="t1", label="慢", keywords=("慢",), centroid=(0.6, 0.8), born_at=at(1))
    store.save_themes([first, Theme(theme_id="t2", label="贵")], {text_key("x"): "t1", text_key("y"): "t2"})
    assert store.themes()[0] == first
    assert keys(store.aggregate(Aggregate("volume", group_by=("theme",)))) == {
        ("t1",): 1,
        ("t2",): 1,
        (None,): 1,
    }
    assert store.aggregate(Aggregate("share:theme=t1")) == [Group(0, (), 2, 1.0, 1.0)]
    store.save_themes([Theme(theme_id="t3", label="新")], {text_key("y"): "t3"})
    assert [theme.theme_id for theme in store.themes()] == ["t3"]
    assert [found.theme_id for found in store.find(Find(order="id"))] == [None, "t3", None]
    assert store.count(where(theme="t1")) == 0
    assert store.count(where(theme="t3")) == 1
    late = item("d", text="y")
    store.add_feedback([late])
    assert store.count(where(theme="t3")) == 2
    store.save_themes([], {})
    assert store.themes() == []
    assert store.count(where(theme=(None,))) == 4


def test_customers_are_replaced_events_and_outcomes_kept(store: FactStore) -> None:
    customer = Customer(
        customer_id="c1",
        name="n",
        tier="gold",
        since=date(2024, 2, 29),
        lifetime_value=1.5,
        attributes={"行业": "零售"},
    )
    assert store.add_customers([customer, Customer(customer_id="c2")]) == 2
    changed = customer.model_copy(update={"tier": "silver"})
    assert store.add_customers([changed]) == 0
    assert store.customers(["c1", "nobody"]) == [changed]
    assert len(store.customers()) == 2
    events = [
        BehaviourEvent(event_id=str(day), customer_id="c1", occurred_at=at(day), kind="view", value=0.5)
        for day in (2, 1, 3)
    ]
    assert store.add_events(events) == 3
    assert store.add_events(events[:1]) == 0
    assert store.events(["c1"], Window(at(1), at(3))) == [events[1], events[0]]
    assert store.events([]) == []
    outcome = Outcome(customer_id="c1", occurred_at=at(1), outcome="churned")
    assert store.add_outcomes([outcome, outcome]) == 1
    assert store.add_outcomes([outcome]) == 0
    assert store.outcomes() == [outcome] == store.outcomes(["c1"])
    assert store.outcomes(["c2"]) == []


def test_industry_rates_are_replaced_by_theme_and_source(store: FactStore) -> None:
    old, new = IndustryRate(theme="慢", rate=0.1), IndustryRate(theme="慢", rate=0.2, n=500)
    assert store.add_rates([old]) == 1
    assert store.add_rates([new, IndustryRate(theme="慢", rate=0.3, source="s")]) == 1
    assert store.rates()[0] == new
    assert len(store.rates()) == 2


def test_churn_is_read_off_outcomes_with_the_customers_dimensions(store: FactStore) -> None:
    store.add_customers(
        [
            Customer(customer_id="a", tier="gold", attributes={"行业": "零售"}),
            Customer(customer_id="b", tier="basic"),
        ]
    )
    kinds: list[tuple[str, Any]] = [
        ("a", "renewed"),
        ("a", "repurchased"),
        ("b", "churned"),
        ("b", "refunded"),
        ("unknown", "churned"),
    ]
    store.add_outcomes(
        [Outcome(customer_id=c, occurred_at=at(i + 1), outcome=o) for i, (c, o) in enumerate(kinds)]
    )
    assert store.aggregate(Aggregate("churn_rate")) == [Group(0, (), 4, 2.0, 2.0)]
    assert store.aggregate(Aggregate("retention_rate")) == [Group(0, (), 4, 2.0, 2.0)]
    assert store.aggregate(Aggregate("churn_rate", group_by=("tier",))) == [
        Group(0, ("gold",), 2, 0.0, 0.0),
        Group(0, ("basic",), 1, 1.0, 1.0),
        Group(0, (None,), 1, 1.0, 1.0),
    ]
    retail = store.aggregate(Aggregate("churn_rate", where(行业="零售"), windows=(Window(at(2), at(9)),)))
    assert retail == [Group(0, (), 1, 0.0, 0.0)]
    assert keys(store.aggregate(Aggregate("churn_rate", group_by=("month",)))) == {("2026-03",): 4}


def test_reach_counts_people_once(store: FactStore) -> None:
    store.add_feedback(
        [
            item("a", text="x", customer_id="c1", region="r"),
            item("b", text="x", customer_id="c1"),
            item("c", text="y", customer_id="c2", region="r"),
            item("d", text="y", speaker="agent", customer_id="c3"),
            item("e", text="x"),
        ]
    )
    store.save_themes([Theme(theme_id="t1", label="慢")], {text_key("x"): "t1"})
    assert store.reach(Selection()) == {None: 2}
    assert store.reach(Selection(), "region") == {"r": 2}
    assert store.reach(where(region="r"), "theme") == {"t1": 1}
    assert store.reach(where(region="absent")) == {None: 0}
    assert store.reach(where(region="absent"), "theme") == {}


def test_text_keys_and_texts(store: FactStore) -> None:
    store.add_feedback(
        [
            item("a", text="x", region="r"),
            item("b", text="x"),
            item("c", text="y", batch_id="other"),
            item("d", text=""),
        ]
    )
    x, y = text_key("x"), text_key("y")
    assert store.text_keys(Selection()) == sorted([(x, 2), (y, 1)])
    assert store.text_keys(where(region="r")) == [(x, 1)]
    assert store.text_keys(Selection(), limit=1) == sorted([(x, 2), (y, 1)])[:1]
    assert store.texts() == {x: "x", y: "y"}
    assert store.texts([y, "absent"]) == {y: "y"}
    assert store.texts_of_batch("other") == {y: "y"}


def test_the_catalogue_follows_every_write(store: FactStore) -> None:
    empty = store.catalogue()
    assert (empty.items, empty.first_at, empty.dimensions, empty.customers) == (0, None, {}, 0)
    store.add_feedback(
        [
            item(
                "a",
                labels("negative", "price", "service/speed"),
                occurred_at=at(1),
                customer_id="c1",
                language="zh",
            ),
            item(
                "b",
                occurred_at=at(2),
                region="x",
                metrics={"m": 3.0},
                attributes={"k": "v"},
                nps=4,
                language="en",
            ),
            item("c", region="x", metrics={"m": -1.0}, language="zh"),
        ]
    )
    store.add_customers([Customer(customer_id="c1"), Customer(customer_id="c2")])
    full = store.catalogue()
    assert (full.items, full.first_at, full.last_at, full.customers) == (3, at(1), at(2), 2)
    assert full.languages == {"zh": 2, "en": 1}
    assert full.dimensions["region"] == ("region", 2, 1, (("x", 2),))
    assert full.dimensions["topic"] == ("topic", 1, 2, (("price", 1), ("service/speed", 1)))
    assert full.dimensions["k"] == ("k", 1, 1, (("v", 1),))
    assert "city" not in full.dimensions
    assert full.metrics["m"] == ("m", 2, -1.0, 3.0)
    assert full.metrics["nps"] == ("nps", 1, 4.0, 4.0)
    assert store.catalogue() is full
    store.replace_labels({"b": labels("positive", "quality")})
    assert store.catalogue().dimensions["topic"].filled == 2


def test_voices_are_dated_items_of_known_customers(store: FactStore) -> None:
    said = labels("negative", "price", risk_signals=("refund",))
    store.add_feedback(
        [
            item("b", said, occurred_at=at(2), customer_id="c1", nps=3, metrics={"m": 1.0}),
            item("a", occurred_at=at(1), customer_id="c2"),
            item("undated", customer_id="c1"),
            item("nobody", occurred_at=at(1)),
        ]
    )
    first, second = store.voices(Selection())
    assert (first.feedback_id, first.sentiment, first.scores) == ("a", None, {})
    assert second == ("c1", "b", at(2), {"nps": 3.0, "m": 1.0}, Sentiment.NEGATIVE, ("price",), ("refund",))
    assert [v.feedback_id for v in store.voices(Selection(), ["c1"])] == ["b"]


def test_a_sum_over_a_thousand_windows_is_one_statement(store: FactStore) -> None:
    store.add_feedback([item(str(day), occurred_at=at(1) + timedelta(days=day)) for day in range(20)])
    rolling = tuple(Window(at(1) + timedelta(days=i), at(1) + timedelta(days=i + 7)) for i in range(60))
    expected = [max(0, min(20, i + 7) - i) for i in range(60)]
    assert [group.n for group in store.aggregate(Aggregate("volume", windows=rolling))] == expected
