"""Delimited text (CSV, TSV and kin) record by record, surviving whatever a record holds."""

import csv
import io
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple, TextIO

DELIMITERS = ",\t;|"
MAX_RECORD = 16 * 1024 * 1024
MAX_RECORD_LINES = 2_000


class Record(NamedTuple):
    """The cells of one record and the physical line it starts on (from 1), or why it cannot be read."""

    line: int
    cells: list[str]
    error: str = ""


def sniff_delimiter(sample: str) -> str:
    """Return the delimiter that cuts most of the sample's records into equally many cells.

    Of several the one that makes more cells is taken. The unit separator, which no text holds, is
    returned where there is but one column.
    """
    best, best_score = "\x1f", 0.0
    for delimiter in DELIMITERS:
        records = RecordReader(io.StringIO(sample), delimiter)
        cut = [len(record.cells) for record in records if not record.error]
        if not cut:
            continue
        width, agreeing = Counter(cut).most_common(1)[0]
        score = agreeing / len(cut) + 0.01 * min(width, 30)
        agreed = agreeing >= 0.5 * len(cut) or width == cut[0]
        if width > 1 and agreed and score > best_score:
            best, best_score = delimiter, score
    return best


class _Unclosed(Exception):
    """A record is too long for its quote to be closed."""


class RecordReader:
    """Reads records from a stream, one by one; blank lines are left out.

    A record that runs over 16 MiB or 2,000 lines or on to the end of the file has an unclosed quote, and so
    has one over several lines that does not have `width` cells (set it once the header is known): its first
    line becomes a Record with an `error`, and reading goes on with the line after it.
    """

    def __init__(self, stream: TextIO, delimiter: str) -> None:
        self.width: int | None = None
        self._lines = _bounded_lines(stream)
        self._delimiter = delimiter
        self._pending: list[str] = []
        self._held: list[str] = []
        self._held_size = 0
        self._ended = False

    def __iter__(self) -> Iterator[Record]:
        # The limit is one of the process; ours is the bound on records above.
        csv.field_size_limit(max(csv.field_size_limit(), 2 * MAX_RECORD))
        reader = csv.reader(self._feed(), delimiter=self._delimiter)
        number = 1
        while True:
            self._held, self._held_size, self._ended = [], 0, False
            cells, error = self._next(reader)
            if cells is None and not error:
                return
            start, used = number, len(self._held)
            if error:
                self._pending.extend(reversed(self._held[1:]))
                reader = csv.reader(self._feed(), delimiter=self._delimiter)
                cells, used = [self._held[0].rstrip("\r\n")], 1
            number += used
            if cells and (error or len(cells) > 1 or cells[0].strip()):
                yield Record(start, cells, error)

    def _next(self, reader: Iterator[list[str]]) -> tuple[list[str] | None, str]:
        try:
            cells = next(reader, None)
        except _Unclosed:
            return None, "a quote is never closed"
        except csv.Error as problem:
            return None, f"not a readable record: {problem}"
        if cells is not None:
            torn = self.width is not None and len(self._held) > 1 and len(cells) != self.width
            if self._ended or torn:
                return None, "a quote is never closed"
        return cells, ""

    def _feed(self) -> Iterator[str]:
        while True:
            if self._pending:
                line = self._pending.pop()
            else:
                following = next(self._lines, None)
                if following is None:
                    self._ended = bool(self._held)
                    return
                line = following
            self._held.append(line)
            self._held_size += len(line)
            overlong = self._held_size > MAX_RECORD or len(self._held) > MAX_RECORD_LINES
            if overlong and len(self._held) > 1:
                raise _Unclosed
            yield line


def _bounded_lines(stream: TextIO) -> Iterator[str]:
    while line := stream.readline(MAX_RECORD):
        if len(line) == MAX_RECORD and not line.endswith("\n"):
            while (rest := stream.readline(MAX_RECORD)) and not rest.endswith("\n"):
                continue
        yield line
