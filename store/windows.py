"""Several spans of time answered in one pass."""

from collections.abc import Sequence

from sqlglot import exp

from store.dialect import Dialect, integer
from store.dimensions import column
from store.facts import Window
from store.query import Query, is_null


class Segments:
    """Windows cut at all their boundaries: sums over disjoint segments add up to those over each window.

    Segment -1 is the undated rows, 0 lies before the first boundary, i between boundaries i-1 and i.
    """

    def __init__(self, windows: Sequence[Window]) -> None:
        self._bounds = sorted({moment for window in windows for moment in window if moment is not None})
        place = {moment: i for i, moment in enumerate(self._bounds)}
        self._owners: dict[int, list[int]] = {i: [] for i in range(-1, len(self._bounds) + 1)}
        for number, window in enumerate(windows):
            first = 0 if window.start is None else place[window.start] + 1
            last = len(self._bounds) if window.end is None else place[window.end]
            for segment in range(first, last + 1):
                self._owners[segment].append(number)
            if window == Window():
                self._owners[-1].append(number)
        self.overlap = any(len(owners) > 1 for owners in self._owners.values())
        # A selection keeps to the hull of its windows: what lies outside need not be told apart.
        self._from_start = all(window.start is not None for window in windows)
        self._to_end = all(window.end is not None for window in windows)

    @property
    def gaps(self) -> bool:
        """Whether a row within the hull may lie in no window."""
        return any(not self._owners[segment] for segment in self._inside())

    def expression(self, query: Query) -> exp.Expression:
        """The segment of a row (its window where none overlap), NULL where no window covers it."""
        if not self._bounds:
            return self._number(0)
        moment = column("occurred_at")
        inside = self._inside()
        case = exp.Case()
        if -1 in inside:
            case = case.when(is_null(moment), self._number(-1))
        *earlier, last = [segment for segment in inside if segment >= 0]
        for segment in earlier:
            bound = query.bind(self._bounds[segment], "time")
            before = exp.LT(this=moment.copy(), expression=bound)
            case = case.when(before, self._number(segment), copy=False)
        return case.else_(self._number(last)) if case.args.get("ifs") else self._number(last)

    def _inside(self) -> list[int]:
        """The segments of the hull, undated rows first where it holds them."""
        first = 1 if self._from_start else 0
        end = len(self._bounds) if self._to_end else len(self._bounds) + 1
        undated = [] if self._from_start or self._to_end else [-1]
        return [*undated, *range(first, end)]

    def windows_of(self, segment: exp.Expression, dialect: Dialect) -> exp.Expression:
        """The array of windows that cover a segment."""
        case = exp.Case()
        for number, owners in self._owners.items():
            if owners:
                test = exp.EQ(this=segment.copy(), expression=integer(number))
                case = case.when(test, dialect.integers(owners), copy=False)
        return case.else_(dialect.integers(()))

    def owners(self, number: int) -> frozenset[int]:
        """The windows that a row with this number lies in."""
        return frozenset(self._owners[number]) if self.overlap else frozenset((number,))

    def _number(self, segment: int) -> exp.Expression:
        owners = self._owners[segment]
        if not owners:
            return exp.Null()
        return integer(segment if self.overlap else owners[0])
