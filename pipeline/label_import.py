"""Filled-in sheets to human labels: every cell checked, agreement measured, what is contested listed."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, get_args

from analytics.agreement import Agreement, agreement
from pipeline.clean import clean
from pipeline.headers import Cell, RawRow
from pipeline.label_corrections import canonical_value
from pipeline.label_file import column_of, guess_text_column, header
from pipeline.label_gold import paths_of, resolve
from pipeline.label_sheet import KEY, KEY_MARK, PREFIX, csv_body, unguarded
from pipeline.label_values import (
    FIELDS,
    MULTIPLE,
    LabelBook,
    field_of,
    is_blank,
    is_label_column,
    label_book,
)
from pipeline.readers import Table, open_table
from pipeline.rejects import RejectsFile
from pipeline.taxonomy import Taxonomy
from store.clock import Clock
from store.durable_files import write_whole
from store.errors import InputError, ToolInputError
from store.facts import FactStore
from store.human_labels import HumanLabel, HumanLabels, LabelField, SavedLabels
from store.identity import text_key

DECISION: Final = "decision"
_CHUNK: Final = 1_000
Mask = Callable[[Sequence[str]], list[str]]
Progress = Callable[[int, int | None, str], None]


@dataclass(frozen=True)
class ImportOptions:
    """`annotator`: whose labels these are (else the column `annotator`, else the file's name).

    `columns`: field to column, where it does not go by the field's name. `maps`: a person's value to ours.
    """

    annotator: str = ""
    text_column: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)
    maps: Mapping[str, str] = field(default_factory=dict)


@dataclass
class ImportReport:
    """What came in. `rows` = labelled + empty + rejected; the other counts are of labels (cells)."""

    rows: int = 0
    labelled: int = 0
    empty: int = 0
    rejected: int = 0
    new: int = 0
    changed: int = 0
    same: int = 0
    annotators: list[str] = field(default_factory=list)
    fields: dict[str, int] = field(default_factory=dict)
    reject_reasons: dict[str, int] = field(default_factory=dict)
    rejects_file: str | None = None
    agreement: dict[str, Agreement] = field(default_factory=dict)
    disagreements: int = 0
    disagreements_file: str | None = None


@dataclass(frozen=True)
class _Layout:
    """Where things stand in one file. `fields`: field to column; `decides`: a file of decisions."""

    table: Table
    key_column: str | None
    text_column: str | None
    fields: Mapping[str, str]
    decides: bool
    books: Mapping[str, LabelBook]


class LabelImport:
    """Brings filled-in sheets in. The same file twice changes nothing."""

    def __init__(
        self, facts: FactStore, human: HumanLabels, taxonomy: Taxonomy, mask: Mask, clock: Clock
    ) -> None:
        self._facts = facts
        self._human = human
        self._taxonomy = taxonomy
        self._mask = mask
        self._clock = clock

    def run(
        self,
        paths: Sequence[Path],
        options: ImportOptions,
        *,
        rejects: Path,
        disagreements: Path,
        progress: Progress | None = None,
    ) -> ImportReport:
        """Import files; return the account. A row with a cell that is no label is rejected whole.

        Raises InputError for a file that cannot be used at all. `disagreements` is written where people are
        split evenly: fill in its column `decision` and import it.
        """
        tell = progress or (lambda done, total, stage: None)
        report = ImportReport()
        rejected = RejectsFile(rejects, self._mask)
        try:
            for path in paths:
                layout = self._layout(path, options)
                for chunk in _chunks(layout.table.rows()):
                    self._take(layout, path, chunk, options, report, rejected)
                    tell(report.rows, None, "import")
        finally:
            rejected.close()
        report.rejected, report.rejects_file = rejected.count, rejected.shown()
        report.reject_reasons = dict(rejected.reasons.most_common(20))
        self._compare(report, disagreements)
        return report

    def _layout(self, path: Path, options: ImportOptions) -> _Layout:
        if not path.is_file():
            raise InputError(f"{path}: {'not a file' if path.exists() else 'no such file'}")
        table = open_table(path)
        columns = header(table)
        decides = {KEY, "field", DECISION} <= set(columns)
        fields = {} if decides else _field_columns(table, columns, options)
        if not decides and not fields:
            raise InputError(
                f"{path}: no column holds labels",
                hint=f"expected {PREFIX}sentiment ... or sentiment ...; else --column sentiment=COLUMN "
                f"(columns: {', '.join(columns)})",
            )
        key = KEY if KEY in columns else None
        text = None
        if key is None:
            named = options.text_column
            text = column_of(table, named, "text") if named else guess_text_column(table)
        books = {name: label_book(name, self._taxonomy) for name in FIELDS}
        return _Layout(table, key, text, fields, decides, {**books, **self._books(table, fields, options)})

    def _books(self, table: Table, fields: Mapping[str, str], options: ImportOptions) -> dict[str, LabelBook]:
        """The names of the fields in the file, with what the person says of them."""
        used: set[str] = set()
        books: dict[str, LabelBook] = {}
        for name, column in fields.items():
            plain = label_book(name, self._taxonomy)
            own = {raw: to for raw, to in options.maps.items() if plain.value(to) is not None}
            used |= set(own)
            seen = {str(row.values[column]) for row in table.rows() if not row.error}
            books[name] = label_book(name, self._taxonomy, own, seen)
        if fields and (unused := sorted(set(options.maps) - used)):
            raise ToolInputError(
                f"--map {unused[0]}={options.maps[unused[0]]}: "
                f"none of the fields here ({', '.join(fields)}) has such a value"
            )
        return books

    def _take(
        self,
        layout: _Layout,
        path: Path,
        rows: Sequence[RawRow],
        options: ImportOptions,
        report: ImportReport,
        rejected: RejectsFile,
    ) -> None:
        texts = self._texts(layout, rows)
        labels: list[HumanLabel] = []
        for at, row in enumerate(rows):
            report.rows += 1
            try:
                found = self._labels(layout, path, row, texts.get(at), options)
            except (InputError, ToolInputError) as error:
                reason = f"{error.message}; {error.hint}" if error.hint else error.message
                rejected.add(path, row, reason)
                continue
            report.labelled += bool(found)
            report.empty += not found
            labels += found
        self._keep(labels, report)

    def _keep(self, labels: Sequence[HumanLabel], report: ImportReport) -> None:
        saved: SavedLabels = self._human.save(labels)
        report.new += saved.new
        report.changed += saved.changed
        report.same += saved.same
        for label in labels:
            report.fields[label.field] = report.fields.get(label.field, 0) + 1
        report.annotators = sorted({*report.annotators, *(label.annotator for label in labels)})

    def _texts(self, layout: _Layout, rows: Sequence[RawRow]) -> dict[int, tuple[str, str]]:
        """Text key and masked text by the place of the row: from the store, or of the file's own text."""
        if layout.key_column is not None:
            keys = {
                at: _key(row.values.get(layout.key_column)) for at, row in enumerate(rows) if not row.error
            }
            stored = self._facts.texts(sorted(set(keys.values())))
            return {at: (key, stored[key]) for at, key in keys.items() if key in stored}
        raw = {
            at: clean(unguarded(str(row.values[layout.text_column or ""] or "")))
            for at, row in enumerate(rows)
            if not row.error
        }
        masked = self._mask(list(raw.values()))
        return {at: (text_key(text), text) for at, text in zip(raw, masked, strict=True) if text.strip()}

    def _labels(
        self, layout: _Layout, path: Path, row: RawRow, text: tuple[str, str] | None, options: ImportOptions
    ) -> list[HumanLabel]:
        if row.error:
            raise InputError(row.error)
        if layout.decides:
            name = field_of(str(row.values["field"]))
            cells = {name: row.values[DECISION]}
        else:
            cells = {name: row.values[column] for name, column in layout.fields.items()}
        filled = {name: cell for name, cell in cells.items() if not is_blank(cell)}
        if not filled:
            return []
        if text is None:
            what = "its text_key is not in the store" if layout.key_column else "it has no text"
            raise InputError(f"the row is labelled, but {what}")
        own = row.values.get("annotator")
        common: dict[str, Any] = {
            "text_key": text[0],
            "text": text[1],
            "annotator": options.annotator
            or (str(own).strip() if own else "")
            or path.name.partition(".")[0],
            "origin": "adjudication" if layout.decides else "import",
            "sample": str(row.values.get("sample") or ""),
            "labelled_at": self._clock.now(),
        }
        return [
            HumanLabel.model_validate(
                {**common, "field": name, "value": canonical_value(layout.books[name], unguarded(str(cell)))}
            )
            for name, cell in filled.items()
        ]

    def _compare(self, report: ImportReport, path: Path) -> None:
        split: list[tuple[HumanLabel, ...]] = []
        for name in get_args(LabelField):
            labels = self._human.find(field=name)
            split += resolve(labels)[1]
            said: dict[str, dict[str, frozenset[str]]] = defaultdict(dict)
            for label in labels:
                if label.origin == "import":
                    said[label.text_key][label.annotator] = paths_of(name, label.value)
            found = agreement(list(said.values()), multiple=name in MULTIPLE)
            if found is not None:
                report.agreement[name] = found
        report.disagreements = len(split)
        if split:
            write_whole(path, csv_body(_contested(split)))
            report.disagreements_file = str(path)


def _contested(split: Sequence[tuple[HumanLabel, ...]]) -> list[dict[str, str]]:
    people = sorted({label.annotator for group in split for label in group})
    rows = []
    for group in split:
        said = {label.annotator: label.value for label in group}
        first = group[0]
        row = {KEY: f"{KEY_MARK}{first.text_key}", "field": first.field, "text": first.text}
        rows.append({**row, **{name: said.get(name, "") for name in people}, DECISION: ""})
    return rows


def _field_columns(table: Table, columns: Sequence[str], options: ImportOptions) -> dict[str, str]:
    given = {field_of(name): column_of(table, column, name) for name, column in options.columns.items()}
    theirs = {name: f"{PREFIX}{name}" for name in FIELDS if f"{PREFIX}{name}" in columns}
    if given or theirs:
        return {**theirs, **given}
    found: dict[str, str] = {}
    for column in columns:
        for name in FIELDS:
            if name not in found and is_label_column(column, name, generic=False):
                found[name] = column
    return found


def _key(cell: Cell) -> str:
    return str(cell or "").strip().removeprefix(KEY_MARK)


def _chunks(rows: Iterator[RawRow]) -> Iterator[list[RawRow]]:
    chunk: list[RawRow] = []
    for row in rows:
        chunk.append(row)
        if len(chunk) == _CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
