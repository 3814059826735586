"""Aggregates against a recomputation in plain Python that shares no code with the builder."""

import re
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from store.builder import aggregate_statement
from store.dialect import CLICKHOUSE, DUCKDB, Dialect
from store.duckdb_facts import DuckDBFactStore
from store.facts import Aggregate, Group, Selection, Window
from store.query import KnownNames
from store.records import Feedback, LabelledFeedback, Labels, Sentiment, TopicLabel

ZONE = ZoneInfo("Asia/Shanghai")
START = datetime(2025, 12, 28, tzinfo=UTC)
SOME_TIME = ["date", "hour", "month"]
Sums = dict[tuple[int, tuple[str | None, ...]], tuple[int, float, float]]

moments = st.one_of(st.none(), st.integers(0, 24 * 14).map(lambda hours: START + timedelta(hours=hours)))
scores = st.one_of(st.none(), st.integers(0, 10).map(float))
regions = st.sampled_from([None, "广东", "x'y", ""])
topics = st.lists(st.sampled_from(["price", "service/speed", "service/manner"]), max_size=3)
sentiments = st.sampled_from([None, "positive", "neutral", "negative"])


@st.composite
def labelled(draw: st.DrawFn) -> LabelledFeedback:
    sentiment = draw(sentiments)
    labels = None
    if sentiment is not None:
        labels = Labels(
            sentiment=Sentiment(sentiment),
            sentiment_confidence=0.5,
            topics=tuple(TopicLabel(topic=topic) for topic in draw(topics)),
            labeller="l",
        )
    shop, price = draw(regions), draw(scores)
    return LabelledFeedback(
        feedback=Feedback(
            feedback_id="set later",
            source="s",
            occurred_at=draw(moments),
            nps=draw(scores),
            region=draw(regions),
            speaker=draw(st.sampled_from([None, "customer", "agent"])),
            attributes={} if shop is None else {"门店": shop},
            metrics={} if price is None else {"价": price},
        ),
        labels=labels,
    )


feeds = st.lists(labelled(), max_size=30).map(
    lambda items: [
        item.model_copy(update={"feedback": item.feedback.model_copy(update={"feedback_id": str(i)})})
        for i, item in enumerate(items)
    ]
)
spans = st.tuples(moments, moments).map(lambda pair: Window(*pair))
some_values = st.lists(st.sampled_from([None, "广东", "x'y", "", "nowhere"]), max_size=2).map(tuple)
some_topics = st.lists(st.sampled_from([None, "price", "service/speed", "else"]), max_size=2).map(tuple)
choices = st.fixed_dictionaries(
    {}, optional={"region": some_values, "门店": some_values, "topic": some_topics}
)
questions = st.builds(
    Aggregate,
    metric=st.sampled_from(
        ["nps", "volume", "negative_share", "价", "share:topic=price", "share:region=广东", "share:门店="]
    ),
    selection=st.builds(Selection, window=spans, filters=choices, exclude=choices),
    windows=st.lists(spans, max_size=4).map(tuple),
    group_by=st.lists(
        st.sampled_from(["region", "门店", "topic", "date", "hour", "month", "nps_class"]),
        max_size=2,
        unique=True,
    ).map(tuple),
)


def values_of(item: LabelledFeedback, name: str) -> list[str | None]:
    """All values of a dimension; [None] where there is none."""
    feedback = item.feedback
    if name == "topic":
        found = sorted({label.topic for label in item.labels.topics}) if item.labels else []
        return list(found) or [None]
    if name == "nps_class":
        if feedback.nps is None:
            return [None]
        return ["promoter" if feedback.nps > 8 else "passive" if feedback.nps > 6 else "detractor"]
    if name in SOME_TIME:
        if feedback.occurred_at is None:
            return [None]
        local = feedback.occurred_at.astimezone(ZONE)
        return [{"date": f"{local:%Y-%m-%d}", "hour": str(local.hour), "month": f"{local:%Y-%m}"}[name]]
    return [feedback.region if name == "region" else feedback.attributes.get("门店")]


def contribution(item: LabelledFeedback, metric: str) -> float | None:
    feedback, labels = item.feedback, item.labels
    if metric == "nps":
        return None if feedback.nps is None else float(feedback.nps > 8) - float(feedback.nps <= 6)
    if metric == "negative_share":
        return None if labels is None else float(labels.sentiment == "negative")
    if metric == "share:topic=price":
        return None if labels is None else float("price" in values_of(item, "topic"))
    if metric == "share:region=广东":
        return float(feedback.region == "广东")
    if metric == "share:门店=":
        return float("门店" not in feedback.attributes)
    return 1.0 if metric == "volume" else feedback.metrics.get("价")


def inside(moment: datetime | None, window: Window) -> bool:
    if moment is None:
        return window == Window(None, None)
    after = window.start is None or moment >= window.start
    return after and (window.end is None or moment < window.end)


def recomputed(items: list[LabelledFeedback], question: Aggregate) -> Sums:
    sums: Sums = defaultdict(lambda: (0, 0.0, 0.0))
    chosen = question.selection
    for number, window in enumerate(question.windows or (chosen.window,)):
        for item in items:
            kept = all(set(values_of(item, name)) & set(wanted) for name, wanted in chosen.filters.items())
            dropped = any(set(values_of(item, name)) & set(un) for name, un in chosen.exclude.items())
            x = contribution(item, question.metric)
            agent = item.feedback.speaker == "agent"
            if agent or not kept or dropped or x is None or not inside(item.feedback.occurred_at, window):
                continue
            for key in product(*(values_of(item, name) for name in question.group_by)):
                n, total, squares = sums[number, key]
                sums[number, key] = n + 1, total + x, squares + x * x
    if not question.group_by:
        for number in range(max(1, len(question.windows))):
            sums[number, ()] = sums[number, ()]
    return sums


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    yield tmp_path_factory.mktemp("facts")


@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(items=feeds, asked=st.lists(questions, min_size=8, max_size=8), limit=st.integers(0, 3))
def test_sums_equal_a_recomputation(
    folder: Path, items: list[LabelledFeedback], asked: list[Aggregate], limit: int
) -> None:
    path = folder / f"{len(list(folder.iterdir()))}.duckdb"
    store = DuckDBFactStore(path, ZONE)
    # The names must be known, whatever the feed drew.
    names = LabelledFeedback(
        feedback=Feedback(
            feedback_id="names", source="s", speaker="agent", attributes={"门店": "a"}, metrics={"价": 1}
        )
    )
    store.add_feedback([*items, names])
    for question in asked:
        groups = store.aggregate(question)
        expected = recomputed(items, question)
        assert {group[:2]: group[2:] for group in groups} == expected, question
        ranked = sorted(groups, key=lambda group: (group.window, -group.n))
        assert [(g.window, g.n) for g in groups] == [(g.window, g.n) for g in ranked]
        if question.group_by:
            first = store.aggregate(
                Aggregate(question.metric, question.selection, question.windows, question.group_by, limit)
            )
            assert first == largest(groups, limit)
    store.close()


def largest(groups: list[Group], limit: int) -> list[Group]:
    taken: dict[int, int] = defaultdict(int)
    kept = []
    for group in groups:
        taken[group.window] += 1
        if taken[group.window] <= limit:
            kept.append(group)
    return kept


@pytest.mark.parametrize("dialect", [DUCKDB, CLICKHOUSE], ids=lambda dialect: dialect.name)
@given(word=st.text(min_size=3).filter(lambda text: not text.isascii() or "'" in text))
@settings(max_examples=50, deadline=None, derandomize=True)
def test_no_value_reaches_the_statement(dialect: Dialect, word: str) -> None:
    marked = f"⟦{word}⟧"
    names = KnownNames(frozenset({marked}), frozenset({marked}))
    question = Aggregate(
        marked,
        Selection(filters={marked: (marked, None), "region": (marked,)}, exclude={"topic": (marked,)}),
        group_by=(marked,),
    )
    statement = aggregate_statement(question, dialect, names)
    assert "⟦" not in statement.sql
    placeholders = set(re.findall(r"\$(p\d+)" if dialect is DUCKDB else r"\{(p\d+): \w+\}", statement.sql))
    assert placeholders == set(statement.params)
    assert marked in statement.params.values()
