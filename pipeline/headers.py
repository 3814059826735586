"""Where a table's header is, and rows by the header's names."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from itertools import chain, islice

from pipeline.delimited import RecordReader

Cell = str | int | float | bool | datetime | date | time | None
Numbered = tuple[int, Sequence[Cell], str]

_LOOK_AHEAD = 20
_LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class RawRow:
    """One row as it stands in the file.

    `number` is the row's place as a person finds it (the line of a text file, the row of a sheet, the
    number of a record otherwise, all from 1). `error` says why the row cannot be used as it stands.
    """

    number: int
    values: dict[str, Cell]
    error: str = ""


def name_cells(records: Iterable[Numbered], reader: RecordReader | None = None) -> Iterator[RawRow]:
    """Find the header among the first records and yield the rows after it.

    Titles above the header are passed over, empty and repeated names are made up and numbered, and where
    the first record is data the columns are called `column_1`, `column_2` ... A row with more or fewer
    cells than the header comes with an `error`. `reader` is told the width of the table.
    """
    iterator = iter(records)
    first = list(islice(iterator, _LOOK_AHEAD))
    if not first:
        return
    width = Counter(len(cells) for _, cells, _ in first).most_common(1)[0][0]
    # A title above the header fills one cell of several.
    titles = (
        place for place, (_, cells, _) in enumerate(first) if len(cells) == width and _filled(cells) > 1
    )
    place = next(titles, 0) if width > 1 else 0
    names, rest = _names(first[place][1]), first[place + 1 :]
    if _is_data(first[place][1]):
        names, rest = [f"column_{n}" for n in range(1, len(names) + 1)], first[place:]
    if reader is not None:
        reader.width = len(names)
    for number, cells, error in chain(rest, iterator):
        yield _row(number, names, cells, error)


def _row(number: int, names: list[str], cells: Sequence[Cell], error: str) -> RawRow:
    if len(cells) == len(names) and not error:
        return RawRow(number, dict(zip(names, cells, strict=True)))
    if error:
        return RawRow(number, {"": cells[0]}, error)
    extra = cells[len(names) :]
    values = dict(zip(names, cells, strict=False))
    if extra and not _filled(extra):
        return RawRow(number, values)
    if extra:
        values[""] = " | ".join(str(cell) for cell in extra)
    return RawRow(number, values, f"{len(cells)} cells where the header has {len(names)}")


def _names(cells: Sequence[Cell]) -> list[str]:
    names: list[str] = []
    for place, cell in enumerate(cells, start=1):
        name = "" if cell is None else " ".join(str(cell).split()).strip("\ufeff\u200b ")
        name = name or f"column_{place}"
        fresh, copy = name, 2
        while fresh in names:
            fresh, copy = f"{name}_{copy}", copy + 1
        names.append(fresh)
    return names


def _is_data(cells: Sequence[Cell]) -> bool:
    # A header names things: a bare number, a date or a whole paragraph among the names is data.
    for cell in cells:
        if isinstance(cell, int | float | datetime | date) and not isinstance(cell, bool):
            return True
        if isinstance(cell, str):
            bare = cell.strip().lstrip("+-").replace(".", "", 1)
            if (bare.isascii() and bare.isdigit()) or len(cell) > _LONGEST_NAME:
                return True
    return False


def _filled(cells: Sequence[Cell]) -> int:
    return sum(cell is not None and str(cell).strip() != "" for cell in cells)
