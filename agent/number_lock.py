"""The number lock: a figure is shown only if it is bound to a tool result of this conversation.

Every number, percentage, date and time in an answer is looked up among the values the tools returned
(and the arguments they were called with). What cannot be bound is reported; the graph has the answer
redone once and then cuts the sentences that still hold an unbound figure.
"""

import calendar
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from agent.figures import Figure, find_figures

_BREAK = re.compile(r"(?<=[。！？!?\n])|(?<=[.;])(?=\s)")
_LIST_MARK = re.compile(r"\s*(?:[-*]\s*)?\d{1,2}\.")
_DIGITS = re.compile(r"\d+(?:\.\d+)?")
_LEVEL = re.compile(r"\s*(?:的)?(?:置信|可信|CI\b|confidence)", re.IGNORECASE)
_ROUGHLY = re.compile(
    r"(?:约|大约|大概|近|接近|左右|roughly|about|around|approximately|nearly|some)\s*$", re.IGNORECASE
)
_WHOLE = 0.5
_CITATION = re.compile(r"\[[^\[\]\s]{3,}\]")
_MONTHS = {name.lower(): number for number, name in enumerate(calendar.month_abbr) if name}


@dataclass(frozen=True)
class Source:
    """One tool call of the conversation: its id, name, arguments and result as JSON-like data."""

    tool_call_id: str
    name: str
    args: Mapping[str, Any]
    result: Mapping[str, Any]


@dataclass(frozen=True)
class Bound:
    """A figure and where it comes from: a path such as `data.groups[0].nps` in that call's result."""

    text: str
    value: float | str
    tool_call_id: str
    path: str


@dataclass(frozen=True)
class Checked:
    """The outcome for one answer."""

    bound: tuple[Bound, ...]
    unbound: tuple[Figure, ...]


@dataclass
class _Values:
    numbers: list[tuple[float, str, str]] = field(default_factory=list)
    strings: list[tuple[str, str, str]] = field(default_factory=list)


class NumberLock:
    """Binds figures to the results of a conversation; newer results are preferred."""

    def __init__(self, sources: Sequence[Source], questions: Sequence[str] = ()) -> None:
        """`questions`: what the person asked; dates and times they named themselves may be repeated."""
        self._values = _Values()
        for source in reversed(sources):
            for path, value in _walk(source.result, ""):
                self._collect(source.tool_call_id, path, value)
            for path, value in _walk(source.args, "args"):
                self._collect(source.tool_call_id, path, value)
        self._asked = " ".join(questions)

    def _collect(self, call: str, path: str, value: object) -> None:
        if isinstance(value, bool) or value is None:
            return
        if isinstance(value, int | float):
            self._values.numbers.append((float(value), call, path))
        elif isinstance(value, str):
            self._values.strings.append((value, call, path))
            if _DIGITS.fullmatch(value.strip()):
                self._values.numbers.append((float(value), call, path))

    def check(self, answer: str) -> Checked:
        """Bind every figure of `answer`. Verbatim quotes of a result are bound as text."""
        protected = self._verbatim_spans(answer)
        bound: list[Bound] = []
        unbound: list[Figure] = []
        for figure in find_figures(answer):
            if any(start <= figure.start and figure.end <= end for start, end in protected):
                continue
            hit = self._bind(figure, answer)
            if hit is None:
                unbound.append(figure)
            else:
                bound.append(hit)
        return Checked(tuple(bound), tuple(unbound))

    def cut(self, answer: str) -> str:
        """Return the answer without the sentences that hold an unbound figure."""
        bad = self.check(answer).unbound
        kept = []
        for start, end in _sentences(answer):
            if not any(start < figure.end and figure.start < end for figure in bad):
                kept.append(answer[start:end])
        return re.sub(r"\n{3,}", "\n\n", "".join(kept)).strip()

    def _verbatim_spans(self, answer: str) -> list[tuple[int, int]]:
        """Spans of citations, and of strings of the results repeated word for word (quotes, names, ids)."""
        spans = [
            match.span() for match in _CITATION.finditer(answer) if self._is_known_id(match.group()[1:-1])
        ]
        texts = {text for text, _, _ in self._values.strings if not _DIGITS.fullmatch(text.strip())}
        for text in texts:
            if len(text) < 2 or not (any(c.isdigit() for c in text) or find_figures(text)):
                continue
            at = answer.find(text)
            while at >= 0:
                spans.append((at, at + len(text)))
                at = answer.find(text, at + len(text))
        return spans

    def _is_known_id(self, text: str) -> bool:
        return any(text == value for value, _, _ in self._values.strings)

    def _bind(self, figure: Figure, answer: str) -> Bound | None:
        if figure.kind == "date":
            return self._bind_date(figure)
        if figure.kind == "time":
            return self._bind_time(figure)
        if figure.kind == "percent" and figure.value == 95 and _LEVEL.match(answer, figure.end):
            return self._level(figure)
        for value, call, path in self._values.numbers:
            if path.endswith(".length") and "." in figure.text:
                continue
            rounded = _ROUGHLY.search(answer, 0, figure.start) is not None
            if _agrees(figure, value, roughly=rounded):
                return Bound(figure.text, value, call, path)
        return None

    def _level(self, figure: Figure) -> Bound | None:
        for _, call, path in self._values.numbers:
            if path.endswith(("ci_low", "ci_high")):
                return Bound(figure.text, 95.0, call, path)
        return None

    def _bind_date(self, figure: Figure) -> Bound | None:
        wanted = _date_parts(figure.text)
        for text, call, path in self._values.strings:
            if figure.text in text or _covers(text, wanted) or _is_last_day(text, wanted, path):
                return Bound(figure.text, text, call, path)
        if figure.text in self._asked:
            return Bound(figure.text, figure.text, "", "question")
        return None

    def _bind_time(self, figure: Figure) -> Bound | None:
        hour = int(figure.value)
        for text, call, path in self._values.strings:
            if figure.text in text or text.strip() == str(hour):
                return Bound(figure.text, text, call, path)
        if figure.text in self._asked:
            return Bound(figure.text, figure.text, "", "question")
        return None


def _sentences(text: str) -> Iterator[tuple[int, int]]:
    """Spans of sentences and lines that cover the text; a list marker stays with its line."""
    start = 0
    for match in _BREAK.finditer(text):
        if match.start() > start and not _LIST_MARK.fullmatch(text[start : match.start()]):
            yield start, match.start()
            start = match.start()
    if start < len(text):
        yield start, len(text)


def _walk(value: object, path: str) -> Iterator[tuple[str, object]]:
    """Leaves of JSON-like data with their paths; a list also yields its length as `path.length`."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            if not path and key in ("args", "chart"):
                continue
            yield from _walk(item, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list | tuple):
        yield f"{path}.length", len(value)
        for index, item in enumerate(value):
            yield from _walk(item, f"{path}[{index}]")
    else:
        yield path, value


def _agrees(figure: Figure, value: float, *, roughly: bool) -> bool:
    """Whether a displayed figure is this value, rounded as shown; a drop may be written without its sign.

    Results give shares as 0-1, so a percentage is always a hundred times the value. A bare whole number
    stands for a value with decimals only where it says so ("about 32"): else every count would find some
    value near it.
    """
    bare = figure.kind == "number" and figure.tolerance == _WHOLE
    if bare and not roughly and not float(value).is_integer():
        return False
    scales: tuple[float, ...] = (1.0,)
    if figure.kind == "percent":
        scales = (100.0,)
    elif figure.kind == "points":
        scales = (1.0, 100.0) if abs(value) <= 1.0 else (1.0,)
    slack = figure.tolerance * (1 + 1e-9) + 1e-9
    for scale in scales:
        scaled = value * scale
        if abs(scaled - figure.value) <= slack:
            return True
        if not figure.signed and abs(abs(scaled) - figure.value) <= slack:
            return True
    return False


def _date_parts(text: str) -> tuple[int | None, int | None, int | None]:
    """(year, month, day) as far as they are written; a quarter or half counts as its first month."""
    lowered = text.lower()
    year_match = re.search(r"(?:19|20)\d{2}", lowered)
    year = int(year_match.group()) if year_match else None
    rest = lowered.replace(year_match.group(), " ", 1) if year_match else lowered
    if quarter := re.search(r"([qh])([1-4])", rest):
        step = 3 if quarter[1] == "q" else 6
        return year, (int(quarter[2]) - 1) * step + 1, None
    for name, number in _MONTHS.items():
        if name in rest:
            day = re.search(r"\d{1,2}", rest)
            return year, number, int(day.group()) if day else None
    numbers = [int(n) for n in re.findall(r"\d{1,2}", rest)]
    return year, numbers[0] if numbers else None, numbers[1] if len(numbers) > 1 else None


def _covers(text: str, wanted: tuple[int | None, int | None, int | None]) -> bool:
    """Whether an ISO date (or month, or a period's end) in `text` is the date that was written."""
    match = re.match(r"(\d{4})-(\d{2})(?:-(\d{2}))?", text)
    if not match or wanted == (None, None, None):
        return False
    have = (int(match[1]), int(match[2]), int(match[3]) if match[3] else None)
    return all(want is None or want == got for want, got in zip(wanted, have, strict=True))


def _is_last_day(text: str, wanted: tuple[int | None, int | None, int | None], path: str) -> bool:
    """Periods are half-open: the last day that people write is the day before `to`."""
    if not path.endswith(".to") or not re.match(r"\d{4}-\d{2}-\d{2}", text):
        return False
    last = date.fromisoformat(text[:10]) - timedelta(days=1)
    return _covers(last.isoformat(), wanted)
