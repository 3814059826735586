"""Single rows as codes: what a search over many groupings reads once, instead of asking for each of them."""

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from store.dialect import Dialect
from store.errors import ToolInputError
from store.facts import Aggregate, Leaves
from store.measures import OUTCOME_RATES, measure
from store.query import KnownNames, Query, Statement, not_null
from store.windows import Segments

if TYPE_CHECKING:
    import numpy as np
    import pyarrow
    from numpy.typing import NDArray


class Coder:
    """A column as codes that number its values in the order of their first appearance; grows by batches."""

    def __init__(self) -> None:
        self._code: dict[Any, int] = {}
        self._batches: list[NDArray[np.int32]] = []

    def add_values(self, values: Iterable[Any]) -> None:
        """Append values one by one."""
        import numpy as np

        known = self._code
        self._batches.append(np.array([known.setdefault(v, len(known)) for v in values], dtype=np.int32))

    def add_array(self, array: "pyarrow.Array") -> None:
        """Append an Arrow array: its distinct values are looked up, and no others."""
        import numpy as np

        encoded = array.dictionary_encode(null_encoding="encode")
        known = self._code
        places = [known.setdefault(v, len(known)) for v in encoded.dictionary.to_pylist()]
        found = np.asarray(encoded.indices.to_numpy(zero_copy_only=False))
        self._batches.append(np.array(places, dtype=np.int32)[found])

    @property
    def values(self) -> list[Any]:
        """The value of each code."""
        return list(self._code)

    @property
    def codes(self) -> "NDArray[np.int32]":
        """Shape (rows,)."""
        import numpy as np

        return np.concatenate(self._batches) if self._batches else np.zeros(0, dtype=np.int32)


def read_leaves(
    question: Aggregate,
    coded: Callable[[Statement, int], Sequence[Coder]],
    dialect: Dialect,
    names: KnownNames,
) -> Leaves:
    """Ask for the rows of a question; `coded` runs a statement and gives each of its columns as codes."""
    import numpy as np

    query = Query(dialect, names, outcomes=question.metric in OUTCOME_RATES)
    windows = question.windows or (question.selection.window,)
    query.select(question.selection, windows)
    x, given = measure(question.metric, query)
    if given is not None:
        query.conditions.append(given)
    dimensions = [query.dimension(name) for name in question.group_by]
    if many := next((one.name for one in dimensions if one.many), None):
        raise ToolInputError(f"{many} may have several values an item: ask for sums by it instead")
    segments = Segments(windows)
    columns = [segments.expression(query), x, *(one.expression.copy() for one in dimensions)]
    shown = [exp.alias_(one, f"c{at}", copy=False) for at, one in enumerate(columns)]
    rows = query.source(exp.select(*shown, copy=False)).subquery("r", copy=False)
    tests = [not_null(exp.column("c0"))] if segments.gaps else []
    tests += [not_null(exp.column("c1"))] if given is None else []
    answer = exp.select("*", copy=False).from_(rows, copy=False)
    answer = answer.where(*tests, copy=False) if tests else answer
    placed, told, *keys = coded(query.statement(answer), len(columns))
    owners = [segments.owners(int(segment)) for segment in placed.values]
    inside = tuple(
        np.array([number in one for one in owners], dtype=bool)[placed.codes]
        for number in range(len(windows))
    )
    values = np.array([float(value) for value in told.values], dtype=np.float64)
    named = {
        dimension.name: (
            key.codes,
            tuple(None if raw is None else dimension.render(raw) for raw in key.values),
        )
        for dimension, key in zip(dimensions, keys, strict=True)
    }
    return Leaves(values[told.codes], inside, named)
