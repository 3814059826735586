"""Files that people have labelled: which column is the text, which the label, and what each cell means."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.headers import Cell
from pipeline.label_values import (
    LEFT_OUT,
    LabelBook,
    field_of,
    is_blank,
    is_label_column,
    is_nothing,
    label_book,
    split_cell,
)
from pipeline.readers import Table, open_table
from pipeline.taxonomy import Taxonomy
from store.errors import InputError, ToolInputError


@dataclass(frozen=True)
class LabelFileOptions:
    """What to read. Columns left empty are guessed: the text as in `ingest`, the label by its name.

    `maps`: a person's value to one of ours. `blank_is_none`: an empty cell says that there is no topic (or
    risk) rather than that nobody looked.
    """

    label: str
    text_column: str = ""
    label_column: str = ""
    maps: Mapping[str, str] = field(default_factory=dict)
    encoding: str | None = None
    format: str | None = None
    blank_is_none: bool = False


@dataclass
class LabelledRows:
    """Texts as they stand in the file with their true values, and an account of the rows that have none.

    `truth[i]` holds one value, or any number where the field allows several. Row counts: `rows` = texts +
    blank + left_out + unreadable + rows with a value of `unmapped` (value to its number of rows).
    """

    book: LabelBook
    text_column: str
    label_column: str
    texts: list[str] = field(default_factory=list)
    truth: list[frozenset[str]] = field(default_factory=list)
    rows: int = 0
    blank: int = 0
    left_out: int = 0
    unreadable: int = 0
    unmapped: Counter[str] = field(default_factory=Counter)
    unmapped_rows: int = 0


def read_labelled(path: Path, options: LabelFileOptions, taxonomy: Taxonomy) -> LabelledRows:
    """Read a labelled file whole. Raises InputError where no row has a label that is known, naming those
    that are; ToolInputError for a field or a `maps` value that does not exist."""
    known = field_of(options.label)
    if not path.is_file():
        raise InputError(f"{path}: {'not a file' if path.exists() else 'no such file'}")
    table = open_table(path, options.encoding, options.format)
    text_column, label_column = _columns(table, options, known)
    cells: list[tuple[Cell, Cell]] = []
    unreadable = 0
    for row in table.rows():
        if row.error:
            unreadable += 1
        else:
            cells.append((row.values[text_column], row.values[label_column]))
    seen = {str(cell) for _, cell in cells if not is_blank(cell)}
    book = label_book(known, taxonomy, options.maps, seen)
    read = LabelledRows(book, text_column, label_column, rows=len(cells) + unreadable, unreadable=unreadable)
    for text, cell in cells:
        _take(read, text, cell, options.blank_is_none)
    if not read.texts:
        raise _nothing_known(path, read)
    return read


def column_of(table: Table, named: str, what: str) -> str:
    """Check that a column exists; InputError that lists the columns where it does not."""
    columns = header(table)
    if named not in columns:
        raise InputError(
            f"{table.path}: there is no column {named!r} for the {what}",
            hint=f"columns: {', '.join(columns)}",
        )
    return named


def guess_text_column(table: Table) -> str:
    """The column that reads like what customers say; InputError where none does."""
    from pipeline.columns import guess_mapping
    from pipeline.profiles import profile_rows

    profiles, _ = profile_rows(table.rows())
    choice = guess_mapping(profiles, context=table.path.stem).choice("text")
    if choice is None:
        raise InputError(
            f"{table.path}: which column is the text?",
            hint=f"name it: --text-column COLUMN (columns: {', '.join(header(table))})",
        )
    return choice.column


def parse_maps(given: Sequence[str]) -> dict[str, str]:
    """`value=label` pairs of the command line; ToolInputError for what is none."""
    maps: dict[str, str] = {}
    for one in given:
        raw, equals, wanted = one.rpartition("=")
        if not equals or not raw.strip() or not wanted.strip():
            raise ToolInputError(
                f"--map {one}: not of the form value=label", hint="such as --map 5分=positive"
            )
        maps[raw.strip()] = wanted.strip()
    return maps


def _columns(table: Table, options: LabelFileOptions, known: str) -> tuple[str, str]:
    text = column_of(table, options.text_column, "text") if options.text_column else guess_text_column(table)
    if options.label_column:
        return text, column_of(table, options.label_column, "label")
    for name in header(table):
        if name != text and is_label_column(name, known):
            return text, name
    raise InputError(
        f"{table.path}: which column holds the {known}?",
        hint=f"name it: --label-column COLUMN (columns: {', '.join(header(table))})",
    )


def header(table: Table) -> list[str]:
    """The names of the columns."""
    first = next((row for row in table.rows() if not row.error), None)
    return list(first.values) if first else []


def _take(read: LabelledRows, text: Cell, cell: Cell, blank_is_none: bool) -> None:
    book = read.book
    if is_blank(cell) and not (book.multiple and blank_is_none):
        read.blank += 1
        return
    parts = _parts(cell) if book.multiple else [str(cell)]
    values = [book.value(part) for part in parts]
    unknown = [part for part, value in zip(parts, values, strict=True) if value is None]
    if unknown:
        read.unmapped.update(dict.fromkeys(unknown, 1))
        read.unmapped_rows += 1
    elif LEFT_OUT in values:
        read.left_out += 1
    else:
        read.texts.append("" if text is None else str(text))
        read.truth.append(frozenset(value for value in values if value is not None))


def _parts(cell: Cell) -> list[str]:
    return [] if is_blank(cell) or is_nothing(cell) else split_cell(cell)


def _nothing_known(path: Path, read: LabelledRows) -> InputError:
    if not read.unmapped:
        return InputError(
            f"{path}: column {read.label_column!r} holds no label", hint="is it the right column?"
        )
    shown = ", ".join(repr(value) for value, _ in read.unmapped.most_common(5))
    more = len(read.unmapped) - 5
    also = f" and {more} more" if more > 0 else ""
    count = f"none of the {len(read.unmapped)} values" if more > -4 else "the only value"
    which = " known" if more > -4 else " not known"
    return InputError(
        f"{path}: {count} of column {read.label_column!r} is{which} as a label of {read.book.field}: "
        f"{shown}{also}",
        hint=f"known: {read.book.known()}; say what a value means with --map value=label, "
        f"such as --map {read.unmapped.most_common(1)[0][0]}={read.book.values[0]}",
    )
