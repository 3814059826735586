"""What a root cause search may ask the store: candidate dimensions, cells, and the time before."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analytics.cause_report import History
from analytics.cell_cube import CellCube, Column
from analytics.cells import Cell, CellQuery
from analytics.sums import EMPTY, Sums
from store.dimensions import OUTCOME_DIMENSIONS, TIME_DIMENSIONS
from store.errors import ToolInputError
from store.facts import Aggregate, DimensionInfo, Selection, Window
from tools.context import ToolContext
from tools.dimensions import MULTI_VALUED
from tools.measures import Measure
from tools.periods import ResolvedPeriod, previous

Floats = NDArray[np.float64]
OUTCOMES = ("churn_rate", "retention_rate")
# Of two dimensions that name the same items the earlier one is reported.
_FIRST = ("product", "version", "region", "city", "channel", "org_unit", "customer_type", "tier")
_TIMES = ("hour", "day_type", "weekday")
_SYMPTOMS = ("topic", "competitor", "risk")
# Ids, labels made from the text, the scores themselves and bookkeeping are no causes.
_NEVER = frozenset(
    [
        "feedback_id",
        "customer_id",
        "conversation_id",
        "text_key",
        "batch_id",
        "media",
        "turn",
        "speaker",
        "language",
        "source",
        "labeller",
        "theme",
        "sentiment",
        "emotion",
        "intent",
        "priority",
        "nps_class",
        "nps",
        "csat",
        "ces",
        "rating",
        "owner",
    ]
)
_MAX_DISTINCT = 500
_MIN_PER_VALUE = 5
_HISTORY = 4


@dataclass(frozen=True)
class CauseQuery:
    """One search: what is asked of which items, before (None: a level) and after."""

    measure: Measure
    selection: Selection
    before: Window | None
    after: Window
    context: ToolContext

    def cells(self) -> CellQuery:
        """The callable the search asks for grouped sums.

        Rows are read once, as codes, and grouped here: a search asks for some sixty groupings, and to scan
        millions of rows for each took ten times as long. What an item has several of is summed in SQL.
        """
        windows = (self.after,) if self.before is None else (self.before, self.after)
        searched = tuple(self.dimensions())
        held: list[CellCube] = []

        def query(dims: tuple[str, ...]) -> Iterable[Cell]:
            if not set(dims) <= set(searched):
                return self._summed(dims, windows)
            if not held:
                held.append(self._cube(searched, windows))
            return held[0].query(dims)

        return query

    def _cube(self, dims: tuple[str, ...], windows: tuple[Window, ...]) -> CellCube:
        question = Aggregate(self.measure.name, self.selection, windows=windows, group_by=dims)
        leaves = self.context.facts.leaves(question)
        sums = [part for inside in leaves.inside for part in _parts(leaves.x, inside)]
        nothing = leaves.x * 0.0
        columns = {name: Column(codes, values) for name, (codes, values) in leaves.columns.items()}
        return CellCube(columns, [nothing] * 3 + sums if self.before is None else sums)

    def _summed(self, dims: tuple[str, ...], windows: tuple[Window, ...]) -> Iterator[Cell]:
        pairs: dict[tuple[str | None, ...], list[Sums]] = {}
        for group in self.context.facts.aggregate(
            Aggregate(self.measure.name, self.selection, windows=windows, group_by=dims)
        ):
            pair = pairs.setdefault(group.key, [EMPTY, EMPTY])
            pair[1 if self.before is None else group.window] = Sums(group.n, group.total, group.squares)
        for key, (first, second) in pairs.items():
            yield Cell(key, *first, *second)

    def dimensions(self) -> list[str]:
        """Dimensions with one value an item that could be a cause: neither constant nor an id."""
        catalogue = self.context.facts.catalogue()
        named = [
            *_FIRST,
            *(n for n in catalogue.dimensions if n not in _FIRST and n != "language"),
            "language",
        ]
        single = self._single_valued()
        usable = [
            name
            for name in named
            if (info := catalogue.dimensions.get(name))
            and name not in _NEVER
            and name not in MULTI_VALUED
            and name not in TIME_DIMENSIONS
            and name not in single
            and _tells_apart(info)
        ]
        if self.measure.name in OUTCOMES:
            return [name for name in usable if name in OUTCOME_DIMENSIONS or name not in _FIRST]
        return [*usable, *(name for name in _TIMES if name not in single)]

    def symptoms(self) -> list[str]:
        """Dimensions of what was said, without the one the metric is made of."""
        if self.measure.name in OUTCOMES:
            return []
        made_of = self.measure.name.removeprefix("share:").partition("=")[0]
        catalogue = self.context.facts.catalogue()
        return [name for name in _SYMPTOMS if name in catalogue.dimensions and name != made_of]

    def history(self, before: ResolvedPeriod) -> History | None:
        """Sums of a group and of everything in up to four periods before; None without a past."""
        first = self.context.facts.catalogue().first_at
        windows: list[Window] = []
        period = before
        while first is not None and len(windows) < _HISTORY:
            try:
                period = previous(period)
            except ToolInputError:
                break
            if period.window.start is None or period.window.start < first:
                break
            windows.append(period.window)
        if len(windows) < 2:
            return None
        spans = tuple(reversed(windows))
        everything = self._over(spans, {})

        def asked(conditions: Mapping[str, str]) -> Sequence[tuple[Sums, Sums]]:
            return list(zip(self._over(spans, conditions), everything, strict=True))

        return asked

    def inside(self, conditions: Mapping[str, str]) -> Selection:
        """The later items on which all conditions hold."""
        filters = {**self.selection.filters, **{name: (value,) for name, value in conditions.items()}}
        return Selection(self.after, filters, self.selection.exclude)

    def _over(self, windows: tuple[Window, ...], conditions: Mapping[str, str]) -> list[Sums]:
        groups = self.context.facts.aggregate(
            Aggregate(self.measure.name, self.inside(conditions), windows=windows)
        )
        return [Sums(g.n, g.total, g.squares) for g in groups]

    def _single_valued(self) -> set[str]:
        return {name for name, values in self.selection.filters.items() if len(values) == 1}


def _parts(x: Floats, inside: NDArray[np.bool_]) -> tuple[Floats, Floats, Floats]:
    """n, x and x^2 of each row in a window, 0 outside it; of a flag x and x^2 are one array."""
    n = inside.astype(np.float64)
    total = n * x
    squares = total * x
    return n, total, total if np.array_equal(total, squares) else squares


def _tells_apart(info: DimensionInfo) -> bool:
    filled = info.distinct > 1 or (info.distinct == 1 and info.values and info.values[0][1] < info.filled)
    return bool(filled) and info.distinct <= min(_MAX_DISTINCT, max(2, info.filled // _MIN_PER_VALUE))
