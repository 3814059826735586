"""What a column holds: the evidence by which its meaning is guessed."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache

from pipeline.dates import DateProfile
from pipeline.headers import Cell, RawRow
from pipeline.numbers import parse_number
from pipeline.vocabulary import is_empty, meaning

CLOSE_LOOK = 2_000
LONG_VALUE = 500
LONGEST_CATEGORY = 60
_MOST_NUMBERS = 2_000
_LONGEST_NUMBER = 40
_ADDRESS = re.compile(r"^(?:https?://|www\.|/)[^\s]*$|^\S+@\S+\.\S+$|^[\[{]\s*[\"{\]]", re.IGNORECASE)
_SHORT_DATE = ("/", "-", ".")
_CJK = re.compile(r"[\u3400-\u9fff]")
_CLOCK = re.compile(r"^\d{1,2}[:：]\d{2}(?:[:：]\d{2})?(?:\s*[ap]m)?$", re.IGNORECASE)


@lru_cache(maxsize=65_536)
def _number(cell: Cell) -> float | None:
    return parse_number(cell)


@dataclass
class ColumnProfile:
    """Counts over one column: the first 2,000 filled values closely, numbers and dates over the whole of it.

    `weight` is the mean length in which a Chinese character counts 2.5 (it says about as much as half a
    word); `numbers` counts each numeric value.
    """

    name: str
    rows: int = 0
    filled: int = 0
    looked: int = 0
    characters: float = 0.0
    longest: int = 0
    long_values: int = 0
    addresses: int = 0
    clocks: int = 0
    likert: int = 0
    consecutive: int = 0
    dated: bool = True
    distinct_values: set[str] = field(default_factory=set)
    numbers: Counter[float] = field(default_factory=Counter)
    numeric: int = 0
    dates: DateProfile = field(default_factory=DateProfile)
    _last: float | None = None

    def add(self, cell: Cell) -> None:
        """Count one cell."""
        self.rows += 1
        if is_empty(cell):
            return
        self.filled += 1
        if isinstance(cell, str):
            length = len(cell)
            self.longest = max(self.longest, length)
            self.long_values += length > LONG_VALUE
        if self.looked < CLOSE_LOOK:
            self._look(cell)
            return
        if self.numeric > 0.5 * self.looked:
            self._add_number(cell)
        # Of further dates only those count that may tell day from month.
        if self.dated and isinstance(cell, str) and (cell[1:2] in _SHORT_DATE or cell[2:3] in _SHORT_DATE):
            self.dates.add(cell)

    def _look(self, cell: Cell) -> None:
        self.looked += 1
        text = str(cell).strip()
        self.characters += len(text) + 1.5 * len(_CJK.findall(text[:LONG_VALUE]))
        self.distinct_values.add(text[:LONG_VALUE])
        self.addresses += bool(_ADDRESS.match(text))
        self.clocks += bool(_CLOCK.match(text)) or (not isinstance(cell, str | int | float | date))
        self.likert += meaning(text[:40], "likert") is not None
        self._add_number(cell)
        self.dates.add(cell)
        self.dated = self.looked < CLOSE_LOOK or self.date_share > 0.5

    def _add_number(self, cell: Cell) -> None:
        wordy = isinstance(cell, date) or (isinstance(cell, str) and len(cell) > _LONGEST_NUMBER)
        number = None if wordy else _number(cell)
        if number is None:
            return
        self.numeric += 1
        self.consecutive += self._last is not None and number == self._last + 1
        self._last = number
        if number in self.numbers or len(self.numbers) < _MOST_NUMBERS:
            self.numbers[number] += 1

    @property
    def fill_share(self) -> float:
        """The part of the rows with a value."""
        return self.filled / self.rows if self.rows else 0.0

    @property
    def distinct_share(self) -> float:
        """Different values among those looked at closely, per value."""
        return len(self.distinct_values) / self.looked if self.looked else 0.0

    @property
    def weight(self) -> float:
        """The weighted mean length."""
        return self.characters / self.looked if self.looked else 0.0

    @property
    def numeric_share(self) -> float:
        """The part of the values that are numbers."""
        counted = self.filled if self.looked >= CLOSE_LOOK else self.looked
        return min(1.0, self.numeric / counted) if counted else 0.0

    @property
    def date_share(self) -> float:
        """The part of the values that look like dates (Excel day counts and Unix times included)."""
        return self.dates.styles.total() / self.dates.values if self.dates.values else 0.0

    @property
    def is_row_number(self) -> bool:
        """Whether the column counts the rows."""
        return (
            self.looked > 1 and self.consecutive >= 0.99 * (self.numeric - 1) and self.numeric == self.filled
        )

    @property
    def is_unique(self) -> bool:
        """Whether nearly every row has a value of its own."""
        return self.fill_share > 0.98 and self.distinct_share > 0.98

    @property
    def is_flag(self) -> bool:
        """Whether the column holds only 0 and 1, and both."""
        return self.numeric == self.filled and set(self.numbers) == {0.0, 1.0}

    @property
    def is_category(self) -> bool:
        """Whether few different short values come again and again."""
        few = len(self.distinct_values) <= min(max(20, 0.02 * self.looked), 0.5 * self.looked)
        return few and self.longest <= LONGEST_CATEGORY


def profile_rows(rows: Iterable[RawRow]) -> tuple[dict[str, ColumnProfile], int]:
    """Profile every column of a table; return the profiles in column order and the number of rows."""
    profiles: dict[str, ColumnProfile] = {}
    count = 0
    for row in rows:
        count += 1
        if row.error:
            continue
        for name, cell in row.values.items():
            profile = profiles.get(name)
            if profile is None:
                profile = profiles[name] = ColumnProfile(name)
            profile.add(cell)
    for profile in profiles.values():
        # A JSON object may leave a key out: that is an empty cell.
        profile.rows = max(profile.rows, count)
    return profiles, count
