"""Grouped sums before and after, asked for only where the search looks."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from analytics.sums import EMPTY, Sums

# (dimension, value) pairs that all hold at once, in the order of the dimension names.
Conditions = tuple[tuple[str, str], ...]
Key = tuple[str | None, ...]


class Pair(NamedTuple):
    """The sums of one group in the two windows (`before` is empty where there is one window only)."""

    before: Sums
    after: Sums

    def plus(self, other: "Pair") -> "Pair":
        """Pool two disjoint groups."""
        return Pair(self.before + other.before, self.after + other.after)

    def minus(self, other: "Pair") -> "Pair":
        """Take a subgroup out."""
        return Pair(self.before - other.before, self.after - other.after)


NOTHING = Pair(EMPTY, EMPTY)


class Cell(NamedTuple):
    """One row of a grouped query: key in the order asked, then n, sum x, sum x^2 before (0) and after (1)."""

    key: Key
    n0: int
    s0: float
    q0: float
    n1: int
    s1: float
    q1: float

    @property
    def pair(self) -> Pair:
        """The sums by window."""
        return Pair(Sums(self.n0, self.s0, self.q0), Sums(self.n1, self.s1, self.q1))


# Groups by these dimensions (none: the total), each key once. An item with several values of a dimension
# counts in each of them.
CellQuery = Callable[[tuple[str, ...]], Iterable[Cell]]


class CellTable:
    """Cells by dimensions, each combination queried once and kept."""

    def __init__(self, query: CellQuery) -> None:
        self._query = query
        self._tables: dict[tuple[str, ...], dict[Key, Cell]] = {}

    @property
    def queries(self) -> int:
        """How many queries were made."""
        return len(self._tables)

    @property
    def total(self) -> Pair:
        """All items, each once."""
        return self.rows(())

    def known(self, dims: Iterable[str]) -> bool:
        """Whether this combination has been queried already."""
        return tuple(sorted(dims)) in self._tables

    def table(self, dims: Iterable[str]) -> Mapping[Key, Cell]:
        """Cells by key; the key follows the sorted dimension names."""
        names = tuple(sorted(dims))
        if names not in self._tables:
            self._tables[names] = {cell.key: cell for cell in self._query(names)}
        return self._tables[names]

    def rows(self, conditions: Conditions) -> Pair:
        """Sums of the items on which all conditions hold."""
        names = [name for name, _ in conditions]
        cell = self.table(names).get(tuple(value for _, value in conditions))
        return cell.pair if cell else NOTHING

    def overlap(self, conditions: Conditions, others: Sequence[Conditions]) -> Pair:
        """Sums of the items on which `conditions` hold and at least one of `others`.

        Exact for dimensions with one value an item. Two values of one dimension are taken to exclude each
        other, which counts an item that carries both of them twice.
        """
        compatible = [other for other in others if not conflicting(conditions, other)]
        if not compatible:
            return NOTHING
        names = sorted({name for clause in (conditions, *compatible) for name, _ in clause})
        place = {name: index for index, name in enumerate(names)}
        wanted = [(place[name], value) for name, value in conditions]
        any_of = [[(place[name], value) for name, value in other] for other in compatible]
        found = NOTHING
        for key, cell in self.table(names).items():
            if _matches(key, wanted) and any(_matches(key, clause) for clause in any_of):
                found = found.plus(cell.pair)
        return found


def conditions_of(dims: Iterable[str], key: Key) -> Conditions | None:
    """Turn a key into conditions; None where a value is not given (absence names no cause)."""
    pairs = []
    for name, value in zip(sorted(dims), key, strict=True):
        if value is None:
            return None
        pairs.append((name, value))
    return tuple(pairs)


def conflicting(first: Conditions, second: Conditions) -> bool:
    """Whether one dimension would have to take two values at once."""
    values = dict(first)
    return any(values.get(name, value) != value for name, value in second)


def within(narrow: Conditions, wide: Conditions) -> bool:
    """Whether `narrow` implies `wide`."""
    return set(wide) <= set(narrow)


def _matches(key: Key, clause: Sequence[tuple[int, str]]) -> bool:
    return all(key[index] == value for index, value in clause)
