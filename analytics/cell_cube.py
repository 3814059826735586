"""Leaf cells held in memory as codes: the grouped sums a search asks for, without another query."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from analytics.cells import Cell
from store.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Codes = NDArray[np.integer]
    Sums = NDArray[np.float64]

# Up to this many possible keys are counted in one array; beyond it the keys that occur are numbered first.
_DENSE = 1 << 22


class Column(NamedTuple):
    """One dimension: a code for each leaf cell, and the value each code stands for (None: not given)."""

    codes: "Codes"
    values: Sequence[str | None]


@dataclass(frozen=True)
class CellCube:
    """Leaf cells by code, with the sums of `cells.Cell` (n0, s0, q0, n1, s1, q1) as columns of floats.

    `query` answers what `CellQuery` asks. It holds one code an item or leaf and dimension (2 bytes for up to
    65,536 values) and six floats; sums that are equal or zero everywhere may be one shared array.
    """

    columns: Mapping[str, Column]
    sums: Sequence["Sums"]

    def __post_init__(self) -> None:
        """Raises InputError where the columns differ in length."""
        if len(self.sums) != 6:
            raise InputError("a cell has six sums: n, sum and sum of squares before and after")
        if len({len(self.sums[0]), *(len(c.codes) for c in self.columns.values()), *map(len, self.sums)}) > 1:
            raise InputError("the columns of leaf cells differ in length")

    def query(self, dims: tuple[str, ...]) -> Iterator[Cell]:
        """Group by `dims`: one cell for each key that occurs. Raises InputError for an unknown dimension."""
        import numpy as np

        unknown = [name for name in dims if name not in self.columns]
        if unknown:
            raise InputError(f"the leaf cells have no dimension {unknown[0]!r}")
        keys, sizes = self.keys(dims)
        occurring, keys = _numbered(keys, int(np.prod(sizes, dtype=np.int64)) if dims else 1)
        added: dict[int, Sums] = {}
        for column in self.sums:
            if id(column) not in added:
                summed = np.bincount(keys, weights=column, minlength=len(occurring))
                added[id(column)] = summed.astype(np.float64)
        totals = [added[id(column)] for column in self.sums]
        seen = np.flatnonzero((totals[0] > 0) | (totals[3] > 0))
        for place in seen:
            n0, s0, q0, n1, s1, q1 = (float(total[place]) for total in totals)
            yield Cell(self._values(dims, sizes, int(occurring[place])), int(n0), s0, q0, int(n1), s1, q1)

    def keys(self, dims: Sequence[str]) -> tuple["Codes", list[int]]:
        """A number for each leaf that tells its values of `dims` apart; how many values each has."""
        import numpy as np

        sizes = [len(self.columns[name].values) for name in dims]
        keys = np.zeros(len(self.sums[0]), dtype=np.int64)
        for name, size in zip(dims, sizes, strict=True):
            keys = keys * size + self.columns[name].codes
        return keys, sizes

    def _values(self, dims: Sequence[str], sizes: Sequence[int], key: int) -> tuple[str | None, ...]:
        values: list[str | None] = []
        for name, size in zip(reversed(dims), reversed(sizes), strict=True):
            key, code = divmod(key, size)
            values.append(self.columns[name].values[code])
        return tuple(reversed(values))


def _numbered(keys: "Codes", possible: int) -> tuple["Codes", "Codes"]:
    """The keys that stand for places, and each leaf's place among them."""
    import numpy as np

    if possible <= _DENSE:
        return np.arange(possible), keys
    occurring, places = np.unique(keys, return_inverse=True)
    return occurring, places
