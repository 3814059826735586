"""The rejects file: every row that was not kept, with its number, the reason and its values, masked."""

import errno
import json
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO

from pipeline.headers import RawRow
from pipeline.rows import as_text
from pipeline.vocabulary import names, normal
from store.errors import StoreError, StoreFull

_SHOWN = 2_000


class RejectsFile:
    """Writes one JSON object a line: `file`, `row`, `reason`, `values`. The file appears with its first row.

    Columns that hold personal data by their name are left out, the other values are masked and cut at 2,000
    characters: the input file keeps the whole.
    """

    def __init__(self, path: Path | None, mask: Callable[[Sequence[str]], list[str]]) -> None:
        self.path = path
        self.count = 0
        self.reasons: Counter[str] = Counter()
        self._mask = mask
        self._stream: IO[str] | None = None

    def add(self, file: Path, row: RawRow, reason: str) -> None:
        """Write one row. Raises StoreError (StoreFull on a full disk) where the file cannot be written."""
        self.count += 1
        # A reason quotes the value that was wrong, which may be a telephone number in the column of scores.
        reason = self._mask([reason])[0]
        self.reasons[reason[:200]] += 1
        if self.path is None:
            return
        kept = [name for name in row.values if normal(name) not in names("personal")]
        shown = self._mask([_cut(as_text(row.values[name])) for name in kept])
        values = dict(zip(kept, shown, strict=True))
        shown_file = f"{file.parent}/{self._mask([file.name])[0]}"
        line = {"file": shown_file, "row": row.number, "reason": reason, "values": values}
        try:
            if self._stream is None:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                self._stream = self.path.open("w", encoding="utf-8", errors="backslashreplace")
            self._stream.write(json.dumps(line, ensure_ascii=False) + "\n")
        except OSError as error:
            raise _unwritable(self.path, error) from error

    def flush(self) -> None:
        """Hand what is written to the system, so that a killed run leaves it behind."""
        if self._stream is not None and self.path is not None:
            try:
                self._stream.flush()
            except OSError as error:
                raise _unwritable(self.path, error) from error

    def close(self) -> None:
        """Close the file."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    def shown(self) -> str | None:
        """Return the path of the file, None where no row was rejected."""
        return str(self.path) if self.path is not None and self.count else None


def _cut(text: str) -> str:
    shown = text.encode("utf-8", "backslashreplace").decode("utf-8") if not text.isascii() else text
    return shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]}… ({len(text)} characters)"


def _unwritable(path: Path, error: OSError) -> StoreError:
    kind = StoreFull if error.errno in (errno.ENOSPC, errno.EDQUOT) else StoreError
    return kind(f"{path}: the rejects file cannot be written: {error.strerror or error}")
