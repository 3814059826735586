"""Files to raw rows: CSV, TSV, XLSX, JSON, JSON lines and Parquet, each also gzipped, and folders of them."""

import codecs
import hashlib
import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.delimited import RecordReader, sniff_delimiter
from pipeline.encodings import detect_encoding
from pipeline.headers import Cell, Numbered, RawRow, name_cells
from pipeline.json_rows import as_text, read_json_rows
from pipeline.packed import blocks, seekable, unpacked
from store.errors import InputError

if TYPE_CHECKING:
    from python_calamine import CalamineWorkbook

FORMATS = {
    ".csv": "delimited",
    ".tsv": "delimited",
    ".txt": "delimited",
    ".xlsx": "workbook",
    ".xlsm": "workbook",
    ".xls": "workbook",
    ".jsonl": "json",
    ".ndjson": "json",
    ".json": "json",
    ".parquet": "parquet",
    ".pq": "parquet",
}
_MAGIC = ((b"PAR1", "parquet"), (b"PK\x03\x04", "workbook"), (b"\xd0\xcf\x11\xe0", "workbook"))
_SNIFFED = 200_000


@dataclass(frozen=True)
class Table:
    """An input file that is known to be readable; `rows()` may be called again and again.

    `fingerprint` is the SHA-256 of the unpacked bytes. `skipped` names parts of the file that are not read.
    """

    path: Path
    format: str
    fingerprint: str
    encoding: str = ""
    delimiter: str = ""
    sheets: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()

    def rows(self) -> Iterator[RawRow]:
        """Stream the rows, in order. Memory is flat except for workbooks, whose sheets are held whole."""
        if self.format == "delimited":
            return self._delimited_rows()
        if self.format == "workbook":
            return self._workbook_rows()
        if self.format == "json":
            return self._json_rows()
        return self._parquet_rows()

    def _delimited_rows(self) -> Iterator[RawRow]:
        with self._text() as text:
            reader = RecordReader(text, self.delimiter)
            yield from name_cells(((record.line, record.cells, record.error) for record in reader), reader)

    def _json_rows(self) -> Iterator[RawRow]:
        with self._text() as text:
            yield from read_json_rows(text, str(self.path))

    @contextmanager
    def _text(self) -> Iterator[io.TextIOWrapper]:
        with unpacked(self.path) as stream:
            # Broken bytes become lone surrogates, by which their rows are known and rejected.
            errors = "strict" if self.encoding.startswith(("utf-16", "utf-32")) else "surrogateescape"
            with io.TextIOWrapper(stream, encoding=self.encoding, errors=errors, newline="") as text:
                yield text

    def _workbook_rows(self) -> Iterator[RawRow]:
        with _workbook(self.path) as book:
            for name in self.sheets:
                yield from name_cells(_sheet_records(book, name))

    def _parquet_rows(self) -> Iterator[RawRow]:
        from pyarrow import parquet

        with seekable(self.path) as stream:
            number = 0
            for batch in parquet.ParquetFile(stream).iter_batches(batch_size=2_000):
                for values in batch.to_pylist():
                    number += 1
                    yield RawRow(number, {str(name): _plain(value) for name, value in values.items()})


def find_files(paths: Sequence[Path]) -> tuple[list[Path], list[Path]]:
    """Return the readable files under `paths` (folders recursively, sorted) and the files left out.

    Hidden files and unknown endings inside a folder are left out; a path named outright is always taken.
    Raises InputError for a path that does not exist.
    """
    taken: list[Path] = []
    skipped: list[Path] = []
    for path in paths:
        if path.is_dir():
            for candidate in sorted(path.rglob("*")):
                if candidate.is_file():
                    (taken if _known(candidate) else skipped).append(candidate)
        elif path.exists():
            taken.append(path)
        else:
            raise InputError(f"{path}: no such file or folder")
    return list(dict.fromkeys(taken)), list(dict.fromkeys(skipped))


def open_table(path: Path, encoding: str | None = None, kind: str | None = None) -> Table:
    """Look through a file once and return how it is to be read.

    `encoding` overrides the guess, `kind` ("delimited", "workbook", "json", "parquet") what the file's first
    bytes and its ending say. Raises InputError for an empty, binary, broken or unreadable file and
    for an unknown kind of file.
    """
    try:
        with unpacked(path) as stream:
            head = stream.read(_SNIFFED)
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from error
    if not head.strip(b"\xef\xbb\xbf \t\r\n"):
        raise InputError(f"{path}: the file is empty", hint="export it again with its header and rows")
    kind = kind or next((kind for magic, kind in _MAGIC if head.startswith(magic)), None)
    kind = kind or FORMATS.get(_suffix(path))
    if kind is None:
        raise InputError(
            f"{path}: unknown kind of file",
            hint=f"known endings: {' '.join(sorted(FORMATS))}, each also with .gz",
        )
    if kind in ("delimited", "json"):
        return _open_text(path, kind, head, encoding)
    hasher = hashlib.sha256()
    for block in blocks(path):
        hasher.update(block)
    if kind == "workbook":
        sheets, skipped = _choose_sheets(path)
        return Table(path, kind, hasher.hexdigest(), sheets=sheets, skipped=skipped)
    _check_parquet(path)
    return Table(path, kind, hasher.hexdigest())


def _open_text(path: Path, kind: str, head: bytes, encoding: str | None) -> Table:
    hasher = hashlib.sha256()

    def hashed() -> Iterator[bytes]:
        for block in blocks(path):
            hasher.update(block)
            yield block

    stream = hashed()
    found = encoding or detect_encoding(stream, str(path)).name
    for _ in stream:
        continue
    try:
        sample = head.decode(found, "replace")
        if encoding:
            # Broken rows are rejected one by one, but under a broken header no column has its name.
            codecs.getincrementaldecoder(found)().decode(head.partition(b"\n")[0])
        if found.startswith(("utf-16", "utf-32")):
            with unpacked(path) as raw, io.TextIOWrapper(raw, encoding=found) as text:
                while text.read(_SNIFFED):
                    continue
    except LookupError as error:
        raise InputError(f"{path}: unknown encoding {encoding!r}") from error
    except UnicodeError as error:
        hint = "leave out --encoding: it is found out" if encoding else ""
        raise InputError(f"{path}: not valid {found}: {error}", hint=hint) from error
    delimiter = sniff_delimiter(sample[: _SNIFFED // 2]) if kind == "delimited" else ""
    return Table(path, kind, hasher.hexdigest(), encoding=found, delimiter=delimiter)


@contextmanager
def _workbook(path: Path) -> Iterator["CalamineWorkbook"]:
    from python_calamine import CalamineError, CalamineWorkbook

    with seekable(path) as stream:
        try:
            book = CalamineWorkbook.from_filelike(stream)
        except CalamineError as error:
            raise InputError(
                f"{path}: not a readable workbook: {error}", hint="save it again as XLSX, or as CSV"
            ) from error
        yield book


def _sheet_records(book: "CalamineWorkbook", name: str) -> Iterator[Numbered]:
    sheet = book.get_sheet_by_name(name)
    # Empty cells come as empty text; rows above and left of the used range do not come at all.
    offset = (sheet.start or (0, 0))[0]
    for place, row in enumerate(sheet.to_python(skip_empty_area=True), start=offset + 1):
        if any(cell != "" for cell in row):
            yield place, [_plain(cell) for cell in row], ""


def _choose_sheets(path: Path) -> tuple[tuple[str, ...], tuple[str, ...]]:
    chosen: list[str] = []
    skipped: list[str] = []
    columns: list[str] | None = None
    with _workbook(path) as book:
        for name in book.sheet_names:
            row = next(name_cells(_sheet_records(book, name)), None)
            if row is None:
                continue
            if columns is None:
                columns = list(row.values)
            if list(row.values) == columns:
                chosen.append(name)
            else:
                skipped.append(f"{path} [{name}]")
    if not chosen:
        raise InputError(f"{path}: the workbook holds no rows")
    return tuple(chosen), tuple(skipped)


def _check_parquet(path: Path) -> None:
    from pyarrow import ArrowException, parquet

    with seekable(path) as stream:
        try:
            parquet.ParquetFile(stream).schema_arrow  # noqa: B018
        except (ArrowException, OSError) as error:
            raise InputError(f"{path}: not a readable Parquet file: {error}") from error


def _plain(value: object) -> Cell:
    from datetime import date, time

    if value is None or isinstance(value, str | int | float | date | time):
        return value
    return as_text(value)


def _suffix(path: Path) -> str:
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if suffixes and suffixes[-1] == ".gz":
        suffixes.pop()
    return suffixes[-1] if suffixes else ""


def _known(path: Path) -> bool:
    return _suffix(path) in FORMATS and not path.name.startswith((".", "~$"))
