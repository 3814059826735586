"""Raw rows to feedback drafts: every value checked, nothing yet masked or labelled."""

import hashlib
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from pipeline.columns import Choice, free_name
from pipeline.columns import Mapping as ColumnMapping
from pipeline.dates import DateFormat, UnreadableDate, has_clock, parse_date
from pipeline.headers import Cell, RawRow
from pipeline.numbers import Scale, parse_number
from pipeline.profiles import LONGEST_CATEGORY
from pipeline.row_identity import RowIdentity
from pipeline.vocabulary import channel_of, is_empty, meaning, names, normal
from store.records import Channel

LONGEST_TEXT = 100_000
LONGEST_VALUE = 500
_SURROGATE = re.compile("[\ud800-\udfff]")
# E-mail address, Chinese mobile number, resident identity number (a date in its middle).
_PERSONAL_ID = re.compile(
    r"^\S+@\S+\.\S+$|^(?:\+?86[\- ]?)?1[3-9]\d[\- ]?\d{4}[\- ]?\d{4}$"
    r"|^\d{6}(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dXx]$"
)
_SUSPICIOUS = re.compile(r"@|\d(?:[ \-]?\d){6}")
_PLAIN_FIELDS = ("region", "city", "product", "version", "org_unit", "tier", "media", "conversation_id")


class RejectedRow(Exception):
    """A row cannot be kept; the message says why, in words for a person."""


@dataclass
class Draft:
    """A checked row before masking: the arguments of a Feedback, and which attributes may hold anything."""

    number: int
    fields: dict[str, Any]
    text: str = ""
    metrics: dict[str, float] = field(default_factory=dict)
    attributes: dict[str, str] = field(default_factory=dict)
    free: tuple[str, ...] = ()


@dataclass
class RowAccount:
    """What was set aside while rows were kept: values left out under `lenient`, values too long to keep."""

    left_out: Counter[str] = field(default_factory=Counter)
    too_long: Counter[str] = field(default_factory=Counter)


class FeedbackRows:
    """Turns the rows of one file into drafts, by its mapping.

    `lenient` leaves an impossible value out (counted in `account`) where otherwise the row is rejected.
    """

    def __init__(
        self,
        mapping: ColumnMapping,
        dates: DateFormat,
        *,
        source: str,
        channel: Channel,
        zone: ZoneInfo,
        now: datetime,
        clean: Callable[[str], str],
        lenient: bool = False,
    ) -> None:
        self.account = RowAccount()
        self._mapping = mapping
        self._dates = dates
        self._source = source
        self._channel = channel
        self._zone = zone
        self._now = now
        self._clean = clean
        self._lenient = lenient
        self._identity = RowIdentity(source)
        self._taken = [choice for choice in mapping.choices if choice.target != "-"]
        self._by_target = {choice.target: choice for choice in self._taken}

    def draft(self, row: RawRow) -> Draft:
        """Return the draft of a row. Raises RejectedRow with every reason found."""
        if row.error:
            raise RejectedRow(row.error)
        check_bytes(row)
        draft = Draft(row.number, {"source": self._source, "channel": self._channel})
        reasons: list[str] = []
        for choice in self._taken:
            cell = row.values.get(choice.column)
            if is_empty(cell):
                continue
            try:
                self._place(draft, choice, cell, row)
            except RejectedRow as reason:
                if self._lenient and choice.target not in ("text", "feedback_id"):
                    self.account.left_out[choice.column] += 1
                else:
                    reasons.append(str(reason))
        if reasons:
            raise RejectedRow("; ".join(reasons))
        scored = draft.metrics or any(score in draft.fields for score in ("nps", "csat", "ces", "rating"))
        if not draft.text and not scored and not (self._mapping.sparse_text and draft.attributes):
            raise RejectedRow("neither a text nor a score")
        self._identify(draft, row)
        return draft

    def _place(self, draft: Draft, choice: Choice, cell: Cell, row: RawRow) -> None:
        target = choice.target
        if target == "text":
            draft.text = self._text(cell)
        elif choice.scale is not None or target.startswith("metric:"):
            self._place_number(draft, choice, cell)
        elif target == "occurred_at":
            draft.fields["occurred_at"] = self._moment(cell, row)
        elif target in _PLAIN_FIELDS:
            draft.fields[target] = self._short(choice, cell)
        elif target == "customer_id":
            draft.fields[target] = customer_key(cell, private=choice.free)
        elif target == "turn":
            number = parse_number(cell)
            if number is None or number < 0 or number % 1:
                raise RejectedRow(f"turn {as_text(cell)[:40]!r} is not a whole number")
            draft.fields[target] = int(number)
        elif target in ("channel", "speaker", "customer_type"):
            self._place_word(draft, choice, as_text(cell))
        elif target.startswith("dim:"):
            self._place_attribute(draft, choice, cell)

    def _place_number(self, draft: Draft, choice: Choice, cell: Cell) -> None:
        number = parse_number(cell)
        if number is None and choice.words:
            word = meaning(as_text(cell), "likert")
            number = None if word is None else float(word)
        if number is None:
            raise RejectedRow(f"{choice.column} {as_text(cell)[:40]!r} is not a number")
        if choice.scale is not None and not choice.scale.holds(number):
            raise RejectedRow(f"{choice.column} {number:g} is outside {choice.scale}")
        if not choice.target.startswith("metric:"):
            draft.fields[choice.target] = number
            return
        name = choice.target.removeprefix("metric:")
        draft.metrics[name] = number
        if choice.scale == Scale(0, 1) and number in (0, 1):
            # A yes/no column is asked for as a share and as a group: it is kept as both.
            draft.attributes[name] = f"{number:g}"

    def _place_word(self, draft: Draft, choice: Choice, value: str) -> None:
        if choice.target == "channel":
            draft.fields["channel"] = Channel(channel_of(value))
            if draft.fields["channel"] != value.lower():
                # The words of the source say more than our ten channels.
                draft.attributes[free_name(choice.column)] = value[:LONGEST_VALUE]
            return
        found = meaning(value, "speakers" if choice.target == "speaker" else "customer_types")
        if found is None:
            known = "customer or agent" if choice.target == "speaker" else "new or existing"
            raise RejectedRow(f"{choice.column} {value[:40]!r} is not known to be {known}")
        draft.fields[choice.target] = found

    def _place_attribute(self, draft: Draft, choice: Choice, cell: Cell) -> None:
        value = self._short(choice, cell)
        if value is None:
            return
        name = choice.target.removeprefix("dim:")
        draft.attributes[name] = value
        # A column of categories may still hold a stray note with a number in it.
        if choice.free or len(value) > LONGEST_CATEGORY or is_suspicious(value):
            draft.free = (*draft.free, name)

    def _short(self, choice: Choice, cell: Cell) -> str | None:
        value = as_text(cell)
        if len(value) > LONGEST_VALUE:
            self.account.too_long[choice.column] += 1
            return None
        return value

    def _text(self, cell: Cell) -> str:
        raw = as_text(cell)
        if len(raw) > LONGEST_TEXT:
            raise RejectedRow(f"text longer than {LONGEST_TEXT} characters ({len(raw)})")
        return self._clean(raw)

    def _moment(self, cell: Cell, row: RawRow) -> datetime:
        clock = self._by_target.get("occurred_time")
        timed = row.values.get(clock.column) if clock else None
        if not is_empty(timed) and not has_clock(cell):
            day = cell.date().isoformat() if isinstance(cell, datetime) else as_text(cell)
            cell = f"{day} {as_text(timed)}"
        try:
            return parse_date(cell, self._dates, self._zone, self._now)
        except UnreadableDate as error:
            raise RejectedRow(str(error)) from error

    def _identify(self, draft: Draft, row: RawRow) -> None:
        values = {
            choice.column: as_text(cell)
            for choice in self._taken
            if not is_empty(cell := row.values.get(choice.column))
        }
        given = self._by_target.get("feedback_id")
        own = as_text(row.values.get(given.column)) if given else ""
        timed = "occurred_time" in self._by_target
        moment = self._by_target.get("occurred_at")
        text = self._by_target.get("text")
        draft.fields["feedback_id"] = self._identity.assign(
            values,
            given=own or None,
            trusted=given is not None and not given.prefixed,
            occurred_at=draft.fields.get("occurred_at"),
            to_the_minute=timed or (moment is not None and has_clock(row.values.get(moment.column))),
            customer_id=draft.fields.get("customer_id"),
            # The text as given: a better cleaner must not turn known feedback into new feedback.
            text=values.get(text.column, "") if text else "",
        )


def is_suspicious(value: str) -> bool:
    """Whether a value that should be a category may hold personal data (an address, a long number)."""
    return _SUSPICIOUS.search(value) is not None


def check_bytes(row: RawRow) -> None:
    """Raise RejectedRow where a cell holds bytes that are no text in the file's encoding."""
    for name, cell in row.values.items():
        if isinstance(cell, str) and not cell.isascii() and _SURROGATE.search(cell):
            raise RejectedRow(f"{name}: bytes that are not valid in the file's encoding")


def as_text(cell: Cell) -> str:
    """Return a cell as a person would write it: `5` for 5.0, `2026-03-05` for a midnight."""
    if cell is None:
        return ""
    if isinstance(cell, str):
        return cell.strip().replace("\x00", "")
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, float):
        return f"{cell:.0f}" if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time() == time() else cell.isoformat(sep=" ")
    return cell.isoformat() if isinstance(cell, date | time) else str(cell)


def customer_key(cell: Cell, *, private: bool = False) -> str | None:
    """Return the id a customer is known by, None for an anonymous one.

    A telephone number, an e-mail address or an identity number, and anything where `private`, becomes a
    pseudonym: `p` and 24 hexadecimal digits of its BLAKE2b hash, the same in every file.
    """
    value = as_text(cell)
    if not value or normal(value) in names("anonymous"):
        return None
    if private or _PERSONAL_ID.match(value):
        bare = re.sub(r"[\s\-]", "", value).lower()
        return "p" + hashlib.blake2b(bare.encode("utf-8", "replace"), digest_size=12).hexdigest()
    return value if len(value) <= LONGEST_VALUE else None
