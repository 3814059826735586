"""What a scoped store gives: exactly what a store would that holds the rows within the scope alone."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from store.clickhouse_facts import ClickHouseFactStore
from store.customer_features import CustomerQuestion, Deed, Trait
from store.duckdb_facts import DuckDBFactStore
from store.errors import ConfigError, NotPermitted
from store.facts import Aggregate, FactStore, Find, Selection, Window
from store.identity import text_key
from store.records import (
    BehaviourEvent,
    Customer,
    Feedback,
    LabelledFeedback,
    Labels,
    Outcome,
    Sentiment,
    Theme,
    TopicLabel,
)
from store.units import OutOfScope, scope_of
from tests.store_chdb import ChdbClient

SHANGHAI = ZoneInfo("Asia/Shanghai")
START = datetime(2026, 10, 1, 4, tzinfo=UTC)
EAST, WEST = ("hq/east",), ("hq/west/store-9",)
ONE, TWO = Window(START, START + timedelta(days=4)), Window(START + timedelta(days=4), None)


@pytest.fixture(scope="module", params=["duckdb", "clickhouse"])
def stores(request: pytest.FixtureRequest, tmp_path_factory: Any) -> Iterator[tuple[FactStore, FactStore]]:
    """All rows, and those of the east alone."""
    folder: Path = tmp_path_factory.mktemp(request.param)
    made: list[FactStore] = []
    for name, units in (("whole", ("hq/east", "hq/west", "hq/eastern", None)), ("part", ("hq/east",))):
        if request.param == "duckdb":
            made.append(DuckDBFactStore(folder / f"{name}.duckdb", SHANGHAI))
        else:
            made.append(ClickHouseFactStore(ChdbClient(name), SHANGHAI))
        fill(made[-1], units)
    yield made[0], made[1]
    for store in made:
        store.close()


def fill(store: FactStore, units: tuple[str | None, ...]) -> None:
    for at, unit in enumerate(units):
        name = "none" if unit is None else unit.replace("/", "-")
        store.add_feedback([row(unit, name, number) for number in range(12 + 3 * at)])
        customers = [Customer(customer_id=f"{name}-c{n}", org_unit=unit, tier=f"{name}-t") for n in range(3)]
        customers[0] = customers[0].model_copy(update={"attributes": {f"{name}-owner": "x"}})
        store.add_customers([*customers, Customer(customer_id=f"{name}-own", org_unit=unit, name=name)])
        store.add_events([event(f"{name}-c{n % 3}", name, n) for n in range(6)])
        store.add_outcomes(
            [
                Outcome(customer_id=f"{name}-c1", occurred_at=START, outcome="renewed"),
                Outcome(customer_id=f"{name}-c2", occurred_at=START, outcome="churned"),
            ]
        )
    store.save_themes(
        [
            Theme(theme_id="both", label="slow、hq-west-word", keywords=("slow", "hq-west-word")),
            Theme(theme_id="west", label="hq-west-word", keywords=("hq-west-word",)),
            Theme(theme_id="named", label="hq-west told", keywords=("slow",), named_by="a model"),
        ],
        assignment(units),
    )


def assignment(units: tuple[str | None, ...]) -> dict[str, str]:
    found = {text_key("the same everywhere"): "both"}
    for unit in units:
        name = "none" if unit is None else unit.replace("/", "-")
        theme = "both" if unit in ("hq/east", "hq/west") else "west"
        found |= {text_key(said(name, number)): theme for number in (1, 2)}
        found |= {text_key(said(name, 3)): "named"}
    return found


def said(name: str, number: int) -> str:
    return f"slow {name}-word {number % 5}" if number % 4 else "the same everywhere"


def row(unit: str | None, name: str, number: int) -> LabelledFeedback:
    text = said(name, number)
    polarity = Sentiment.NEGATIVE if number % 3 else Sentiment.POSITIVE
    feedback = Feedback(
        feedback_id=f"{name}-{number}",
        source=f"{name}-file",
        occurred_at=None if number == 7 else START + timedelta(days=number % 9, hours=number),
        # One customer speaks in every unit.
        customer_id="shared" if number % 6 == 0 else f"{name}-c{number % 3}",
        conversation_id=f"talk-{number // 3}" if number < 9 else None,
        turn=number % 3 if number < 9 else None,
        speaker=None if number >= 9 else "agent" if number % 3 == 1 else "customer",
        text=text,
        language="en",
        nps=number % 11,
        product=f"{name}-product-{number % 2}",
        version="1" if unit else None,
        org_unit=f"{unit}/store-{number % 2}" if unit and number % 4 else unit,
        metrics={"wait": float(number), f"{name}-metric": 1.0},
        attributes={"colour": f"{name}-red", f"{name}-field": "y"},
    )
    labels = Labels(
        sentiment=polarity,
        sentiment_confidence=0.9,
        topics=(TopicLabel(topic=f"service/{name}", polarity=polarity),),
        competitors=(f"{name}-rival",),
        labeller="test/1",
    )
    return LabelledFeedback(feedback=feedback, labels=labels, text_key=text_key(text), batch_id="b")


def event(customer_id: str, name: str, number: int) -> BehaviourEvent:
    at = START + timedelta(days=number)
    return BehaviourEvent(
        event_id=f"{name}-e{number}", customer_id=customer_id, occurred_at=at, kind="search", detail=name
    )


EVERY = Selection()
FEATURES = CustomerQuestion(
    (Trait("n", "volume"), Trait("late", "nps", TWO)), (Deed("search", ("search",)),), scores={"nps": (0, 10)}
)
QUESTIONS: dict[str, Callable[[FactStore], Any]] = {
    "aggregate": lambda s: s.aggregate(Aggregate("nps", group_by=("org_unit", "product"))),
    "windows": lambda s: s.aggregate(Aggregate("wait", windows=(ONE, TWO, Window()), group_by=("colour",))),
    "many": lambda s: s.aggregate(Aggregate("volume", group_by=("competitor",))),
    "themes": lambda s: s.aggregate(Aggregate("volume", group_by=("theme",))),
    "outcomes": lambda s: s.aggregate(Aggregate("churn_rate", group_by=("tier",))),
    "responses": lambda s: s.aggregate(Aggregate("unanswered_share", group_by=("source",))),
    "share": lambda s: s.aggregate(Aggregate("share:product=hq-east-product-1")),
    "leaves": lambda s: sorted(s.leaves(Aggregate("nps", group_by=("product",))).x.tolist()),
    "moments": lambda s: s.moments(EVERY, [("nps",), ("wait",)]),
    "ranked": lambda s: s.ranked(Aggregate("nps", group_by=("source",)), (1, 5)),
    "count": lambda s: s.count(EVERY),
    "count without unit": lambda s: s.count(Selection(filters={"org_unit": (None,)})),
    "find": lambda s: s.find(Find(limit=100)),
    "find by id": lambda s: s.find(Find(feedback_ids=("hq-east-2", "hq-west-2", "none-2"))),
    "find by text": lambda s: s.find(Find(text_keys=(text_key("the same everywhere"),), order="oldest")),
    "contains": lambda s: s.find(Find(contains=("word",), order="lowest_score", limit=100)),
    "voices": lambda s: s.voices(EVERY),
    "voices of": lambda s: s.voices(EVERY, ["shared", "hq-west-c1"]),
    "features": lambda s: repr(sorted(zip(*table(s), strict=True))),
    "outcome_table": lambda s: (s.outcome_table().ids, s.outcome_table().churned.tolist()),
    "event_texts": lambda s: s.event_texts(),
    "reach": lambda s: (s.reach(EVERY), s.reach(EVERY, "product")),
    "text_keys": lambda s: s.text_keys(EVERY),
    "text_keys among": lambda s: s.text_keys(EVERY, among=[text_key(said("hq-west", 1))]),
    "texts": lambda s: s.texts(),
    "texts by key": lambda s: s.texts([text_key(said("hq-west", 1)), text_key(said("hq-east", 1))]),
    "texts_of_batch": lambda s: s.texts_of_batch("b"),
    "existing_ids": lambda s: s.existing_ids(["hq-east-1", "hq-west-1", "none-1", "hq-eastern-1"]),
    "customers": lambda s: s.customers(),
    "customer": lambda s: s.customers(["hq-west-c1", "hq-east-c1"]),
    "events": lambda s: s.events(["hq-west-c1", "hq-east-c1", "none-c1"]),
    "outcome rows": lambda s: (s.outcomes(), s.outcomes(["hq-west-c1"])),
    "catalogue": lambda s: (s.catalogue(), s.last_at()),
    "rates": lambda s: s.rates(),
}


def table(store: FactStore) -> tuple[Any, ...]:
    found = store.customer_features(FEATURES)
    return (found.ids, found.items, found.n["late"], found.total["late"], found.n["search"], found.first)


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_scoped_store_answers_as_one_of_its_rows_alone(
    name: str, stores: tuple[FactStore, FactStore]
) -> None:
    whole, part = stores
    ask = QUESTIONS[name]
    assert ask(whole.scoped(EAST)) == ask(part)


def test_every_reading_question_of_the_protocol_is_asked_here() -> None:
    writing = {"add_feedback", "replace_labels", "mark_near_duplicates", "add_customers", "add_events"}
    writing |= {"add_outcomes", "add_rates", "save_themes", "close"}
    other = {"scope", "scoped", "version", "themes", "mark", "as_of"}
    names = {name for name in vars(FactStore) if not name.startswith("_")}
    asked = {name for ask in QUESTIONS.values() for name in ask.__code__.co_names}
    asked |= set(table.__code__.co_names)
    assert names - writing - other <= asked


def test_a_unit_outside_is_not_permitted_whether_it_exists_or_not(
    stores: tuple[FactStore, FactStore],
) -> None:
    scoped = stores[0].scoped(EAST)
    words = []
    for unit in ("hq/west", "hq/nowhere", "hq/eastern", "hq"):
        for ask in (
            Selection(filters={"org_unit": (unit,)}),
            Selection(exclude={"org_unit": ("hq/east/store-1", unit)}),
        ):
            with pytest.raises(OutOfScope) as refused:
                scoped.count(ask)
            words.append(str(refused.value).replace(f" {unit} ", " … "))
        with pytest.raises(OutOfScope):
            scoped.aggregate(Aggregate(f"share:org_unit={unit}"))
        with pytest.raises(OutOfScope):
            scoped.aggregate(Aggregate("churn_rate", Selection(filters={"org_unit": (unit,)})))
    assert len(set(words)) == 1
    assert scoped.count(Selection(filters={"org_unit": ("hq/east/store-1",)})) > 0


def test_themes_tell_only_what_the_texts_within_tell(stores: tuple[FactStore, FactStore]) -> None:
    themes = {theme.theme_id: theme for theme in stores[0].scoped(EAST).themes()}
    assert set(themes) == {"both", "named"}
    assert (themes["both"].label, themes["both"].keywords) == ("slow", ("slow",))
    assert themes["named"].label == "slow" and themes["named"].named_by is None


def test_two_scopes_share_nothing(stores: tuple[FactStore, FactStore]) -> None:
    east, west = stores[0].scoped(EAST), stores[0].scoped(WEST)
    assert east.catalogue().items and west.catalogue().items == 0
    assert west.count(EVERY) == 0 and west.themes() == [] and "product" not in west.catalogue().dimensions
    both = stores[0].scoped(scope_of(["hq/west/", " hq/east"]))
    assert both.count(EVERY) == east.count(EVERY) + stores[0].scoped(("hq/west",)).count(EVERY)


def test_a_scope_can_be_narrowed_and_never_left(stores: tuple[FactStore, FactStore]) -> None:
    east = stores[0].scoped(EAST)
    assert 0 < east.scoped(("hq/east/store-1",)).count(EVERY) < east.count(EVERY)
    for wider in ((), ("hq",), ("hq/west",), ("hq/east", "hq/west")):
        with pytest.raises(NotPermitted):
            east.scoped(wider)


def test_nothing_is_written_from_within_a_scope(stores: tuple[FactStore, FactStore]) -> None:
    east = stores[0].scoped(EAST)
    before = stores[0].count(EVERY)
    writes: list[Callable[[], object]] = [
        lambda: east.add_feedback([row("hq/east", "new", 1)]),
        lambda: east.replace_labels({}),
        lambda: east.mark_near_duplicates({}),
        lambda: east.add_customers([Customer(customer_id="x", since=date(2026, 1, 1))]),
        lambda: east.add_events([]),
        lambda: east.add_outcomes([]),
        lambda: east.add_rates([]),
        lambda: east.save_themes([], {}),
    ]
    for write in writes:
        with pytest.raises(NotPermitted):
            write()
    east.close()
    assert stores[0].count(EVERY) == before


def test_a_blank_unit_is_no_scope() -> None:
    for blank in ("", " ", "/"):
        with pytest.raises(ConfigError):
            scope_of(["hq/east", blank])
    assert scope_of([]) == ()
