"""What feedback and outcomes can be filtered and grouped by, and how each is spelt in SQL."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from difflib import get_close_matches
from typing import Final, Literal

from sqlglot import exp

from store.dialect import Dialect, Kind, TimePart, integer
from store.errors import ToolInputError

FACTS: Final = "f"
CUSTOMERS: Final = "c"
ASSIGNED: Final = "a"
Scope = Literal["all", "labelled", "nps", "text"]
Raw = str | int | float


@dataclass(frozen=True)
class Dimension:
    """One dimension of one query.

    `expression` gives the raw key (an array where `many`); `parse` turns a filter's value into a raw key
    (ToolInputError where it cannot be one) and `render` a raw key into the text that people see.
    `scope` says of which items a share of this dimension is taken: all, those with labels, a score, a text.
    """

    name: str
    expression: exp.Expression
    kind: Kind = "text"
    many: bool = False
    scope: Scope = "all"
    needs_theme: bool = False
    parse: Callable[[str], Raw] = str
    render: Callable[[Raw], str] = str


_TEXT: Final = [
    "feedback_id",
    "source",
    "channel",
    "customer_id",
    "conversation_id",
    "speaker",
    "language",
    "region",
    "city",
    "product",
    "version",
    "org_unit",
    "customer_type",
    "tier",
    "media",
    "text_key",
    "batch_id",
]
_NUMBERS: Final = ["nps", "csat", "ces", "rating", "turn"]
_LABELS: Final = ["sentiment", "emotion", "intent", "priority", "labeller"]
MANY_VALUED: Final = {
    "topic": "topics",
    "topic_area": "topic_areas",
    "risk": "risks",
    "competitor": "competitors",
    "compliance": "compliance",
}
# The topics of an item together: sums over sets of topics can be taken without counting an item twice.
TOPIC_SET: Final = "topic_set"
TOPIC_BETWEEN: Final = "|"
TIME_DIMENSIONS: Final = ("hour", "weekday", "day_type", "date", "week", "month", "quarter", "year")
FEEDBACK_DIMENSIONS: Final = (*_TEXT, *_NUMBERS, *_LABELS, *MANY_VALUED, "theme", "nps_class")
_OUTCOME_OWN: Final = ("customer_id", "outcome")
_OUTCOME_CUSTOMER: Final = ("customer_type", "tier", "region", "city", "org_unit", "owner")
OUTCOME_DIMENSIONS: Final = (*_OUTCOME_OWN, *_OUTCOME_CUSTOMER)
_EPOCH: Final = date(1970, 1, 1)


def column(name: str, table: str = FACTS) -> exp.Expression:
    """A column of one of the joined tables."""
    return exp.column(name, table=table)


def feedback_dimension(
    name: str, dialect: Dialect, attributes: Iterable[str], attribute_key: Callable[[str], exp.Expression]
) -> Dimension:
    """Return the dimension of that name over feedback.

    `attributes` are the attribute names known; `attribute_key` binds one as a parameter. Raises
    ToolInputError that lists the known names.
    """
    if name in _TEXT:
        return Dimension(name, column(name))
    if name in _NUMBERS:
        return _number(name, column(name))
    if name in _LABELS:
        return Dimension(name, column(name), scope="labelled")
    if name in MANY_VALUED:
        return Dimension(name, column(MANY_VALUED[name]), many=True, scope="labelled")
    if name == TOPIC_SET:
        return Dimension(name, dialect.joined(column("topics"), TOPIC_BETWEEN), scope="labelled")
    if name == "theme":
        table = FACTS if dialect.theme_in_row else ASSIGNED
        return Dimension(name, column("theme_id", table), scope="text", needs_theme=True)
    if name == "nps_class":
        return Dimension(name, _nps_class(), scope="nps")
    return _shared(name, dialect, attributes, attribute_key, FACTS, FEEDBACK_DIMENSIONS)


def outcome_dimension(
    name: str, dialect: Dialect, attributes: Iterable[str], attribute_key: Callable[[str], exp.Expression]
) -> Dimension:
    """Return the dimension of that name over outcomes, which know their customer but no feedback."""
    if name in _OUTCOME_OWN:
        return Dimension(name, column(name))
    if name in _OUTCOME_CUSTOMER:
        return Dimension(name, column(name, CUSTOMERS))
    return _shared(name, dialect, attributes, attribute_key, CUSTOMERS, OUTCOME_DIMENSIONS)


def unknown(what: str, name: str, known: Iterable[str]) -> ToolInputError:
    """The error for a name that does not exist: says which do, the nearest first."""
    names = sorted(set(known))
    near = get_close_matches(name, names, n=1, cutoff=0.6)
    suggestion = f"; did you mean {near[0]!r}?" if near else ""
    listed = ", ".join(names[:80]) + (f" and {len(names) - 80} more" if len(names) > 80 else "")
    return ToolInputError(f"unknown {what} {name!r}{suggestion} Known: {listed}")


def _shared(
    name: str,
    dialect: Dialect,
    attributes: Iterable[str],
    attribute_key: Callable[[str], exp.Expression],
    attribute_table: str,
    others: Iterable[str],
) -> Dimension:
    if name in TIME_DIMENSIONS:
        return _time(name, dialect)
    known = frozenset(attributes)
    if name not in known:
        raise unknown("dimension", name, (*others, *TIME_DIMENSIONS, *known))
    return Dimension(name, dialect.map_value(column("attributes", attribute_table), attribute_key(name)))


def _number(name: str, expression: exp.Expression) -> Dimension:
    def parse(value: str) -> float:
        try:
            return float(value)
        except ValueError as error:
            raise ToolInputError(f"{name} is a number, not {value!r}") from error

    return Dimension(name, expression, kind="number", parse=parse, render=lambda raw: f"{float(raw):g}")


def _nps_class() -> exp.Expression:
    score = column("nps")
    return (
        exp.Case()
        .when(exp.GTE(this=score, expression=integer(9)), exp.Literal.string("promoter"))
        .when(exp.GTE(this=score.copy(), expression=integer(7)), exp.Literal.string("passive"))
        .when(exp.LT(this=score.copy(), expression=integer(7)), exp.Literal.string("detractor"))
    )


class _TimeForm:
    """How one time dimension is read and written: a pattern, text to number, number to text."""

    def __init__(
        self,
        part: TimePart,
        example: str,
        pattern: str,
        parse: Callable[[re.Match[str]], int],
        render: Callable[[int], str],
    ) -> None:
        self.part, self.example, self.pattern = part, example, re.compile(pattern)
        self.parse, self.render = parse, render


def _day(match: re.Match[str]) -> int:
    return (date.fromisoformat(match[0]) - _EPOCH).days


def _monday(match: re.Match[str]) -> int:
    day = date.fromisoformat(match[0])
    return (day - timedelta(days=day.weekday()) - _EPOCH).days


def _day_text(raw: int) -> str:
    return (_EPOCH + timedelta(days=raw)).isoformat()


_TIME_FORMS: Final[Mapping[str, _TimeForm]] = {
    "hour": _TimeForm("hour", "20", r"(?:0?\d|1\d|2[0-3])", lambda m: int(m[0]), str),
    "weekday": _TimeForm("weekday", "1 (Monday) to 7", r"[1-7]", lambda m: int(m[0]), str),
    "date": _TimeForm("day", "2026-11-22", r"\d{4}-\d{2}-\d{2}", _day, _day_text),
    "week": _TimeForm("day", "2026-11-16 (its Monday)", r"\d{4}-\d{2}-\d{2}", _monday, _day_text),
    "month": _TimeForm(
        "month",
        "2026-11",
        r"(\d{4})-(0[1-9]|1[0-2])",
        lambda m: int(m[1]) * 12 + int(m[2]) - 1,
        lambda raw: f"{raw // 12:04d}-{raw % 12 + 1:02d}",
    ),
    "quarter": _TimeForm(
        "quarter",
        "2026-Q4",
        r"(\d{4})-Q([1-4])",
        lambda m: int(m[1]) * 4 + int(m[2]) - 1,
        lambda raw: f"{raw // 4:04d}-Q{raw % 4 + 1}",
    ),
    "year": _TimeForm("year", "2026", r"\d{4}", lambda m: int(m[0]), lambda raw: f"{raw:04d}"),
}


def _time(name: str, dialect: Dialect) -> Dimension:
    moment = column("occurred_local")
    if name == "day_type":
        weekday = dialect.time_part("weekday", moment)
        kind = (
            exp.Case()
            .when(exp.GTE(this=weekday, expression=integer(6)), exp.Literal.string("weekend"))
            .when(exp.LT(this=weekday.copy(), expression=integer(6)), exp.Literal.string("workday"))
        )
        return Dimension(name, kind)
    form = _TIME_FORMS[name]
    expression = dialect.time_part(form.part, moment)
    if name == "week":
        since_monday = exp.Sub(
            this=dialect.time_part("weekday", moment.copy()), expression=exp.Literal.number(1)
        )
        expression = exp.Sub(this=expression, expression=exp.Paren(this=since_monday))

    def parse(value: str) -> int:
        match = form.pattern.fullmatch(value.strip())
        try:
            if match is None:
                raise ValueError(value)
            return form.parse(match)
        except ValueError as error:
            raise ToolInputError(f"{name} is written like {form.example}, not {value!r}") from error

    return Dimension(name, expression, "integer", parse=parse, render=lambda raw: form.render(int(raw)))
