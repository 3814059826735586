"""What a fact store can be asked: the seam between the statistics and the database engine.

Every metric is a number x per row, so every aggregate is (n, sum x, sum x^2):
mean, variance, NPS (x in {-1, 0, 1}) and shares (x in {0, 1}) all follow from these three.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol

from store.records import (
    BehaviourEvent,
    Customer,
    IndustryRate,
    LabelledFeedback,
    Labels,
    Outcome,
    Sentiment,
    Theme,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from store.customer_features import CustomerQuestion, CustomerTable, OutcomeTable
    from store.units import Scope


class Window(NamedTuple):
    """A half-open span of time in UTC; None is unbounded. An unbounded window includes undated rows."""

    start: datetime | None = None
    end: datetime | None = None


class Horizon(NamedTuple):
    """What was known at a moment: by the `mark` of the last batch stored, and up to when it had `occurred`.

    None is no limit. By a mark, labels and profiles are those that it had; without one those of today.
    """

    mark: int | None = None
    occurred: datetime | None = None


@dataclass(frozen=True)
class Selection:
    """Which feedback is meant.

    `filters` and `exclude` map a dimension to the values kept (or left out); a value of None means
    "not given". Dimensions are: the columns of Feedback, any attribute by its name, the label
    dimensions `sentiment emotion intent priority topic topic_area risk competitor compliance`,
    `topic_set` (all topics of an item, joined by "|"), `theme`, `nps_class` (promoter, passive,
    detractor), and the time dimensions (in the configured
    zone) `hour` ("0".."23"), `weekday` ("1" = Monday .. "7"), `day_type` (workday, weekend), `date`
    ("2026-11-22"), `week` (its Monday), `month` ("2026-11"), `quarter` ("2026-Q4"), `year`.
    Turns spoken by agents are context, not customer voice: left out unless `speaker` is filtered.
    """

    window: Window = Window()
    filters: Mapping[str, tuple[str | None, ...]] = field(default_factory=dict)
    exclude: Mapping[str, tuple[str | None, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Aggregate:
    """A grouped question about one metric.

    `metric`: `nps csat ces rating volume positive_share neutral_share negative_share`, the name of any
    custom metric, `share:<dimension>=<value>` (share of items with that value), or
    `churn_rate retention_rate` (over outcomes, with the customer's dimensions), or `first_response
    first_response<=<minutes> unanswered_share` (over conversations, each at its first customer turn).
    `windows`: the same question over several spans in one pass (else the selection's own window).
    `group_by`: dimensions; a multi-valued one (topic, risk, competitor) counts an item once per value.
    Groups come back by n, largest first, at most `limit` per window.
    """

    metric: str
    selection: Selection = field(default_factory=Selection)
    windows: tuple[Window, ...] = ()
    group_by: tuple[str, ...] = ()
    limit: int | None = None


class Group(NamedTuple):
    """One row of an answer: the index of its window, its key in the order of `group_by`, and the sums."""

    window: int
    key: tuple[str | None, ...]
    n: int
    total: float
    squares: float


@dataclass(frozen=True)
class Find:
    """Which items to fetch, in which order; `score` names the one that `lowest_score` goes by."""

    selection: Selection = field(default_factory=Selection)
    feedback_ids: tuple[str, ...] | None = None
    text_keys: tuple[str, ...] | None = None
    contains: tuple[str, ...] = ()
    with_text: bool = False
    order: Literal["newest", "oldest", "lowest_score", "id"] = "newest"
    score: Literal["nps", "csat", "ces", "rating"] | None = None
    limit: int = 50
    offset: int = 0


class Voice(NamedTuple):
    """What a customer's health needs of one dated item; `scores` holds every metric given, by its name."""

    customer_id: str
    feedback_id: str
    occurred_at: datetime
    scores: Mapping[str, float]
    sentiment: Sentiment | None
    topics: tuple[str, ...]
    risk_signals: tuple[str, ...]


class Moments(NamedTuple):
    """Of n rows and p factors: the sums, shape (p,), and the sums of products, shape (p, p)."""

    n: int
    sums: tuple[float, ...]
    products: tuple[tuple[float, ...], ...]


class Leaves(NamedTuple):
    """Single rows, in no order: `x`, whether they lie in each window (both shape (n,)), and their values.

    A dimension's column is a code for each row, shape (n,), and the value each code stands for.
    """

    x: "NDArray[np.float64]"
    inside: tuple["NDArray[np.bool_]", ...]
    columns: "Mapping[str, tuple[NDArray[np.int32], tuple[str | None, ...]]]"


class DimensionInfo(NamedTuple):
    """A dimension that exists in the data, how many rows carry it, and its commonest values."""

    name: str
    filled: int
    distinct: int
    values: tuple[tuple[str, int], ...]


class MetricInfo(NamedTuple):
    """A metric that exists in the data."""

    name: str
    n: int
    low: float
    high: float


@dataclass(frozen=True)
class Catalogue:
    """What is in the store: the planner recognises words by it and the tools name what is missing."""

    items: int
    first_at: datetime | None
    last_at: datetime | None
    dimensions: Mapping[str, DimensionInfo]
    metrics: Mapping[str, MetricInfo]
    customers: int
    languages: Mapping[str, int]


class FactStore(Protocol):
    """Feedback, labels, customers, events, outcomes, themes. All writes are idempotent by id."""

    @property
    def scope(self) -> "Scope":
        """The org units whose rows this store holds; empty is all of them, and rows without a unit."""
        ...

    def scoped(self, scope: "Scope") -> "FactStore":
        """The same facts from within a scope, read only; NotPermitted for more than this store holds."""
        ...

    def mark(self) -> int:
        """A number that grows with every batch stored; `as_of` it only what was stored by then is seen."""
        ...

    def as_of(self, horizon: Horizon) -> "FactStore":
        """The same facts as they were known then, read only."""
        ...

    def add_feedback(self, items: Sequence[LabelledFeedback]) -> frozenset[str]:
        """Store a batch in one transaction; return the feedback ids that were new (others unchanged)."""
        ...

    def existing_ids(self, feedback_ids: Sequence[str]) -> frozenset[str]:
        """Return which of these ids are stored."""
        ...

    def replace_labels(self, labels: Mapping[str, Labels]) -> None:
        """Relabel items: feedback id to labels."""
        ...

    def mark_near_duplicates(self, groups: Mapping[str, str]) -> None:
        """Mark text keys as near duplicates: text key to the text key that represents its group."""
        ...

    def add_customers(self, customers: Sequence[Customer]) -> int:
        """Insert or replace customers; return how many were new."""
        ...

    def add_events(self, events: Sequence[BehaviourEvent]) -> int:
        """Insert events; return how many were new."""
        ...

    def add_outcomes(self, outcomes: Sequence[Outcome]) -> int:
        """Insert outcomes; return how many were new."""
        ...

    def add_rates(self, rates: Sequence[IndustryRate]) -> int:
        """Insert or replace industry rates; return how many were new."""
        ...

    def aggregate(self, query: Aggregate) -> list[Group]:
        """Answer a grouped question in SQL. Unknown names raise ToolInputError that lists known ones."""
        ...

    def leaves(self, query: Aggregate) -> Leaves:
        """The rows behind an aggregate, ungrouped, with their values of the dimensions of `group_by`.

        For a search that would ask for many groupings. ToolInputError for a dimension with several values.
        """
        ...

    def moments(self, selection: Selection, factors: Sequence[tuple[str, ...]]) -> Moments:
        """Sums and sums of products of factors over the rows that have a value of each.

        A factor is a product of metrics, such as ("share:topic=service/attitude", "negative_share").
        """
        ...

    def ranked(
        self, query: Aggregate, ranks: Sequence[int]
    ) -> dict[tuple[str | None, ...], dict[int, float]]:
        """Of each group of the selection's window, by key: the values at these ranks (1 is the smallest)."""
        ...

    def count(self, selection: Selection) -> int:
        """Count items."""
        ...

    def find(self, query: Find) -> list[LabelledFeedback]:
        """Fetch items."""
        ...

    def voices(self, selection: Selection, customer_ids: Sequence[str] | None = None) -> list[Voice]:
        """Selected items (of these customers) with a time and a customer, oldest first, without texts."""
        ...

    def customer_features(self, question: "CustomerQuestion") -> "CustomerTable":
        """Many figures of each customer in one pass over the items and one over the events."""
        ...

    def outcome_table(self) -> "OutcomeTable":
        """Every outcome in columns, oldest first."""
        ...

    def event_texts(self, window: Window = Window()) -> list[tuple[str, str, int]]:
        """Distinct (kind, detail, how often) of the events, the commonest first."""
        ...

    def reach(self, selection: Selection, dimension: str | None = None) -> dict[str | None, int]:
        """Distinct customers of a selection, by value of a dimension; of all of it under None, where none."""
        ...

    def text_keys(
        self, selection: Selection, limit: int | None = None, among: Sequence[str] | None = None
    ) -> list[tuple[str, int]]:
        """Distinct text keys of a selection (among these) with how many items carry each, by key."""
        ...

    def texts(self, text_keys: Sequence[str] | None = None) -> dict[str, str]:
        """Text by text key (all, or these)."""
        ...

    def texts_of_batch(self, batch_id: str) -> dict[str, str]:
        """Distinct customer texts by text key of one batch, to be embedded."""
        ...

    def last_at(self) -> datetime | None:
        """When the last of customers' items was; None without a dated one."""
        ...

    def catalogue(self) -> Catalogue:
        """Describe what is stored (cached until the next write)."""
        ...

    def customers(self, customer_ids: Sequence[str] | None = None) -> list[Customer]:
        """Fetch customers (all, or these)."""
        ...

    def events(self, customer_ids: Sequence[str] | None, window: Window = Window()) -> list[BehaviourEvent]:
        """Fetch the events of these customers (None: of all), oldest first."""
        ...

    def outcomes(self, customer_ids: Sequence[str] | None = None) -> list[Outcome]:
        """Fetch outcomes, oldest first."""
        ...

    def rates(self) -> list[IndustryRate]:
        """Fetch the industry table."""
        ...

    def save_themes(self, themes: Sequence[Theme], assignment: Mapping[str, str]) -> None:
        """Replace themes and the assignment text key -> theme id, in one transaction."""
        ...

    def themes(self) -> list[Theme]:
        """Fetch themes with centroids."""
        ...

    def version(self) -> object:
        """A value that changes with every write."""
        ...

    def close(self) -> None:
        """Release the engine."""
        ...
