"""Which set of attribute combinations took a figure off its course, as incident localisation asks it.

`root_cause.find_causes` explains a change to a reader: causes one by one, the worst corner of a cause again
as a cause of its own, and each by its shortest name. Localisation wants the set of places instead, each once
and by its full name: no cause inside another one, and every value that all of a cause's items share. Both
stand on the same search, so this module only turns the one answer into the other.
"""

from collections.abc import Sequence
from typing import Literal

from analytics.cell_cube import CellCube
from analytics.cells import CellTable, Conditions, within
from analytics.estimates import Kind
from analytics.root_cause import find_causes


def localise(
    cube: CellCube,
    *,
    kind: Kind,
    direction: Literal["down", "up"] | None = None,
    best: float | None = None,
) -> list[Conditions]:
    """Disjoint or overlapping, never nested conditions that account for a change, by contribution.

    Arguments as for `find_causes`; empty where there is no cause. Raises InputError as that does.
    """
    dims = list(cube.columns)
    found = find_causes(cube.query, dims, kind=kind, direction=direction, best=best)
    clauses = [tuple(sorted(cause.conditions.items())) for cause in found.causes]
    cells = CellTable(cube.query)
    return [closed(cells, dims, clause) for clause in clauses if not _nested(clause, clauses)]


def closed(cells: CellTable, dims: Sequence[str], conditions: Conditions) -> Conditions:
    """Add every value that all later items of a condition share (closed pattern; Pasquier et al. 1999)."""
    shared = list(conditions)
    wanted = dict(conditions)
    for name in dims:
        if name in wanted:
            continue
        names = sorted({name, *wanted})
        place = {dimension: at for at, dimension in enumerate(names)}
        values = {
            key[place[name]]
            for key, cell in cells.table(names).items()
            if cell.n1 and all(key[place[other]] == value for other, value in wanted.items())
        }
        only = values.pop() if len(values) == 1 else None
        if only is not None:
            shared.append((name, only))
    return tuple(sorted(shared))


def _nested(clause: Conditions, others: Sequence[Conditions]) -> bool:
    return any(other != clause and within(clause, other) for other in others)
