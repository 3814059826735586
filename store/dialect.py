"""The few expressions that DuckDB and ClickHouse spell differently; sqlglot writes the rest for both."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final, Literal

from sqlglot import exp

from store.schema import Table

Kind = Literal["text", "integer", "number", "time", "texts"]
TimePart = Literal["hour", "weekday", "day", "month", "quarter", "year"]


def call(name: str, *arguments: exp.Expression | str) -> exp.Expression:
    """A function call written as it is; a str argument becomes a string literal of ours."""
    return exp.Anonymous(
        this=name,
        expressions=[exp.Literal.string(a) if isinstance(a, str) else a for a in arguments],
    )


def integer(value: int) -> exp.Expression:
    """A whole-number literal."""
    return exp.Literal.number(value)


class Dialect(ABC):
    """How one engine spells what SQL leaves open. `name` is also sqlglot's name of it.

    `theme_in_row`: whether the theme of an item is a column of its row, kept by the writer, or joined by
    text key when asked for. `row_key`: the column by which single rows are fetched fastest. `starts_with`:
    the function of that meaning.
    """

    name: str
    theme_in_row: bool
    row_key: str
    starts_with: str

    def sql(self, expression: exp.Expression) -> str:
        """Write the statement for this engine; the tree may be changed by it."""
        return expression.sql(dialect=self.name, copy=False)

    @abstractmethod
    def parameter(self, name: str, kind: Kind) -> exp.Expression:
        """A named placeholder; the value travels apart from the statement."""

    @abstractmethod
    def encode(self, value: object) -> object:
        """The value as the engine's client wants it bound (times come timezone-aware)."""

    @abstractmethod
    def map_value(self, mapping: exp.Expression, key: exp.Expression) -> exp.Expression:
        """The value of a key, NULL where it is missing."""

    @abstractmethod
    def contains(self, array: exp.Expression, value: exp.Expression) -> exp.Expression:
        """Whether an array holds a value."""

    @abstractmethod
    def is_empty(self, array: exp.Expression) -> exp.Expression:
        """Whether an array has no element."""

    @abstractmethod
    def explode(self, array: exp.Expression) -> exp.Expression:
        """One row per element, and one row of NULL for an empty array."""

    @abstractmethod
    def joined(self, array: exp.Expression, between: str) -> exp.Expression:
        """The elements of an array of texts as one text."""

    @abstractmethod
    def integers(self, values: Sequence[int]) -> exp.Expression:
        """A constant array of whole numbers."""

    @abstractmethod
    def explode_integers(self, array: exp.Expression) -> exp.Expression:
        """One row per element of a non-empty array of whole numbers."""

    @abstractmethod
    def mentions(self, text: exp.Expression, part: exp.Expression, *, cased: bool) -> exp.Expression:
        """Whether a text has a part, whatever the case where the part is `cased` (Chinese is not)."""

    @abstractmethod
    def member(self, column: exp.Expression, values: exp.Expression) -> exp.Expression:
        """Whether a column is one of an array parameter's values."""

    @abstractmethod
    def part_of(self, text: exp.Expression, parts: int) -> exp.Expression:
        """A whole number 0..parts-1 that a text alone decides, spread evenly."""

    @abstractmethod
    def minutes_between(self, start: exp.Expression, end: exp.Expression) -> exp.Expression:
        """Minutes, with their fraction, from one moment to another; NULL where either is."""

    @abstractmethod
    def stored(self, table: Table) -> str:
        """A table's rows, written so that no common table expression of its name stands before them."""

    @abstractmethod
    def every_column(self, table: Table) -> str:
        """All that statements may ask of a row, the row key among it."""

    @abstractmethod
    def inlined(self, name: str, body: str) -> str:
        """A common table expression that is worked out where it is used, with the filters used there."""

    @abstractmethod
    def keys_of(self, mapping: str) -> str:
        """A row for each key of a map column."""

    @abstractmethod
    def time_part(self, part: TimePart, moment: exp.Expression) -> exp.Expression:
        """A whole number: hour 0-23, ISO weekday 1-7, days since 1970, or months, quarters, years since 0."""


class DuckDB(Dialect):
    """DuckDB 1.3 and later."""

    name = "duckdb"
    theme_in_row = True
    row_key = "rowid"
    starts_with = "starts_with"

    def parameter(self, name: str, kind: Kind) -> exp.Expression:
        """A `$name`."""
        return exp.Placeholder(this=name)

    def encode(self, value: object) -> object:
        """Times as naive UTC, the rest as it is."""
        return value.astimezone(UTC).replace(tzinfo=None) if isinstance(value, datetime) else value

    def map_value(self, mapping: exp.Expression, key: exp.Expression) -> exp.Expression:
        """`map_extract_value`, NULL where the key is missing."""
        return call("map_extract_value", mapping, key)

    def contains(self, array: exp.Expression, value: exp.Expression) -> exp.Expression:
        """`list_contains`; ten times as quick as `list_has_any` on short lists."""
        return call("list_contains", array, value)

    def is_empty(self, array: exp.Expression) -> exp.Expression:
        """`len(x) = 0`."""
        return exp.EQ(this=call("len", array), expression=integer(0))

    def explode(self, array: exp.Expression) -> exp.Expression:
        """`unnest`, with an empty list replaced by [NULL]."""
        either = (
            exp.Case().when(self.is_empty(array.copy()), exp.Array(expressions=[exp.Null()])).else_(array)
        )
        return call("unnest", either)

    def joined(self, array: exp.Expression, between: str) -> exp.Expression:
        """`array_to_string`."""
        return call("array_to_string", array, between)

    def integers(self, values: Sequence[int]) -> exp.Expression:
        """`[1, 2]`."""
        return exp.Array(expressions=[integer(v) for v in values])

    def explode_integers(self, array: exp.Expression) -> exp.Expression:
        """`unnest`."""
        return call("unnest", array)

    def mentions(self, text: exp.Expression, part: exp.Expression, *, cased: bool) -> exp.Expression:
        """`contains`, over lower case where that matters."""
        return (
            call("contains", call("lower", text), call("lower", part))
            if cased
            else call("contains", text, part)
        )

    def member(self, column: exp.Expression, values: exp.Expression) -> exp.Expression:
        """A semi-join with the unnested parameter, which stays quick for many thousands of values."""
        return exp.In(this=column, query=exp.Subquery(this=exp.select(call("unnest", values))))

    def part_of(self, text: exp.Expression, parts: int) -> exp.Expression:
        """`hash`, an unsigned 64-bit number."""
        return exp.Mod(this=call("hash", text), expression=integer(parts))

    def minutes_between(self, start: exp.Expression, end: exp.Expression) -> exp.Expression:
        """`date_diff` of microseconds."""
        passed = call("date_diff", "microsecond", start, end)
        return exp.Div(this=passed, expression=exp.cast(exp.Literal.number(60_000_000), "double"))

    def stored(self, table: Table) -> str:
        """With its schema."""
        return f"main.{table.name}"

    def every_column(self, table: Table) -> str:
        """`rowid` is no part of `*`."""
        return "rowid, *"

    def inlined(self, name: str, body: str) -> str:
        """`NOT MATERIALIZED`: a copy of all columns would cost more than any question."""
        return f"{name} AS NOT MATERIALIZED ({body})"

    def keys_of(self, mapping: str) -> str:
        """`unnest` of `map_keys`."""
        return f"unnest(map_keys({mapping}))"

    def time_part(self, part: TimePart, moment: exp.Expression) -> exp.Expression:
        """Extracts of a naive local timestamp."""
        if part in ("hour", "year"):
            return call(part, moment)
        if part == "weekday":
            return call("isodow", moment)
        if part == "day":
            return call("date_diff", "day", exp.cast(exp.Literal.string("1970-01-01"), "date"), moment)
        scale = 12 if part == "month" else 4
        year = exp.Mul(this=call("year", moment), expression=integer(scale))
        return exp.Sub(this=exp.Add(this=year, expression=call(part, moment)), expression=integer(1))


_CLICKHOUSE_TYPES: Final[Mapping[Kind, str]] = {
    "text": "String",
    "integer": "Int64",
    "number": "Float64",
    "texts": "Array(String)",
}


class ClickHouse(Dialect):
    """ClickHouse 24 and later."""

    name = "clickhouse"
    theme_in_row = False
    row_key = "feedback_id"
    starts_with = "startsWith"

    def parameter(self, name: str, kind: Kind) -> exp.Expression:
        """A `{name: Type}`; a time travels as text, since clients differ in how they write it."""
        if kind == "time":
            return call("toDateTime64", self.parameter(name, "text"), integer(6), "UTC")
        return exp.Placeholder(
            this=name, kind=exp.DataType.build(_CLICKHOUSE_TYPES[kind], dialect="clickhouse")
        )

    def encode(self, value: object) -> object:
        """Times as text in UTC, the rest as it is."""
        return f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}" if isinstance(value, datetime) else value

    def map_value(self, mapping: exp.Expression, key: exp.Expression) -> exp.Expression:
        """A subscript would give the type's default for a missing key: ask first."""
        found = exp.Bracket(this=mapping.copy(), expressions=[key.copy()])
        return call("if", call("mapContains", mapping, key), found, exp.Null())

    def contains(self, array: exp.Expression, value: exp.Expression) -> exp.Expression:
        """`has`."""
        return call("has", array, value)

    def is_empty(self, array: exp.Expression) -> exp.Expression:
        """`empty`."""
        return call("empty", array)

    def explode(self, array: exp.Expression) -> exp.Expression:
        """`arrayJoin` over a nullable array, with an empty one replaced by [NULL]."""
        kind = "Array(Nullable(String))"
        nothing = call("CAST", exp.Array(expressions=[exp.Null()]), kind)
        return call("arrayJoin", call("if", call("empty", array.copy()), nothing, call("CAST", array, kind)))

    def joined(self, array: exp.Expression, between: str) -> exp.Expression:
        """`arrayStringConcat`."""
        return call("arrayStringConcat", array, between)

    def integers(self, values: Sequence[int]) -> exp.Expression:
        """`[1, 2]`, of one type whatever the values."""
        return call("CAST", exp.Array(expressions=[integer(v) for v in values]), "Array(Int32)")

    def explode_integers(self, array: exp.Expression) -> exp.Expression:
        """`arrayJoin`."""
        return call("arrayJoin", array)

    def mentions(self, text: exp.Expression, part: exp.Expression, *, cased: bool) -> exp.Expression:
        """`positionCaseInsensitiveUTF8`; `lowerUTF8` is missing from builds without ICU."""
        found = call("positionCaseInsensitiveUTF8" if cased else "position", text, part)
        return exp.GT(this=found, expression=integer(0))

    def member(self, column: exp.Expression, values: exp.Expression) -> exp.Expression:
        """`in(column, array)`: a constant array becomes a hash set."""
        return call("in", column, values)

    def part_of(self, text: exp.Expression, parts: int) -> exp.Expression:
        """`cityHash64`."""
        return exp.Mod(this=call("cityHash64", call("assumeNotNull", text)), expression=integer(parts))

    def minutes_between(self, start: exp.Expression, end: exp.Expression) -> exp.Expression:
        """`dateDiff` of microseconds."""
        passed = call("dateDiff", "microsecond", start, end)
        return exp.Div(this=passed, expression=exp.cast(exp.Literal.number(60_000_000), "double"))

    def stored(self, table: Table) -> str:
        """The rows that the view of its name reads."""
        return f"{table.name}_rows FINAL"

    def every_column(self, table: Table) -> str:
        """As the view has them."""
        return ", ".join(table.column_names)

    def inlined(self, name: str, body: str) -> str:
        """The engine works none out beforehand."""
        return f"{name} AS ({body})"

    def keys_of(self, mapping: str) -> str:
        """`arrayJoin` of `mapKeys`."""
        return f"arrayJoin(mapKeys({mapping}))"

    def time_part(self, part: TimePart, moment: exp.Expression) -> exp.Expression:
        """Extracts of a wall-clock DateTime64; widened first, for UInt16 and UInt8 would overflow."""
        names = {"hour": "toHour", "weekday": "toDayOfWeek", "year": "toYear"}
        if part in names:
            return call(names[part], moment)
        if part == "day":
            return call("toInt32", call("toDate32", moment))
        scale, name = (12, "toMonth") if part == "month" else (4, "toQuarter")
        year = exp.Mul(this=call("toInt32", call("toYear", moment)), expression=integer(scale))
        return exp.Sub(this=exp.Add(this=year, expression=call(name, moment)), expression=integer(1))


DUCKDB = DuckDB()
CLICKHOUSE = ClickHouse()
