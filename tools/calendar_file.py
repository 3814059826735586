"""The company's own calendar: promotions, releases, rivals' moves and outages, as people write them down."""

import csv
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from retention.settings_file import read_as
from store.errors import ConfigError

EventKind = Literal["promotion", "release", "rival", "outage", "other"]
_COLUMNS = ("kind", "name", "from", "to", "where")


def _values(given: object) -> object:
    if not isinstance(given, Mapping):
        return given
    return {key: value if isinstance(value, list | tuple) else [value] for key, value in given.items()}


class ExternalEvent(BaseModel):
    """Something that happened or will: from its first to its last day, both included.

    `where` says what it touched (dimension: value or values); nothing means everything.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: EventKind
    name: Annotated[str, Field(min_length=1)]
    first: Annotated[date, Field(alias="from")]
    last: Annotated[date, Field(alias="to")]
    where: Annotated[dict[str, tuple[str, ...]], BeforeValidator(_values)] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _one_day(cls, given: Any) -> Any:
        if isinstance(given, Mapping) and given.get("to") in (None, "") and "from" in given:
            return {**given, "to": given["from"]}
        return given

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.last < self.first:
            raise ValueError(f"it ends on {self.last}, before it begins on {self.first}")
        return self


class _Calendar(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    events: tuple[ExternalEvent, ...]


def load_calendar(path: Path) -> tuple[ExternalEvent, ...]:
    """Read a calendar, .csv or YAML, in order of days; ConfigError that names the file and what is wrong.

    YAML: `events`, a list of {kind, name, from, to, where}. CSV: the same as columns, `where` written
    "region=广东; channel=app" ("a|b" for several values). Without `to` an event lasts one day.
    """
    found = _from_csv(path) if path.suffix.lower() == ".csv" else read_as(_Calendar, path).events
    return tuple(sorted(found, key=lambda event: (event.first, event.last, event.name)))


def _from_csv(path: Path) -> list[ExternalEvent]:
    try:
        # Spreadsheets put a mark before the first column's name.
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            given = set(reader.fieldnames or ())
            if given - set(_COLUMNS) or not given >= {"kind", "name", "from"}:
                raise ConfigError(
                    f"{path.name}: columns are kind, name and from, and if need be to and where"
                )
            return [_row(path, reader.line_num, row) for row in reader]
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from error
    except (csv.Error, UnicodeDecodeError) as error:
        raise ConfigError(f"{path.name} is not valid CSV in UTF-8: {error}") from error


def _row(path: Path, line: int, row: Mapping[Any, Any]) -> ExternalEvent:
    where: dict[str, list[str]] = {}
    for part in filter(None, (one.strip() for one in (row.get("where") or "").split(";"))):
        dimension, equals, values = part.partition("=")
        if not equals or not values.strip():
            raise ConfigError(f"{path.name}, line {line}: where is written dimension=value, not {part!r}")
        where[dimension.strip()] = [value.strip() for value in values.split("|")]
    given = {key: (row.get(key) or "").strip() for key in _COLUMNS if key != "where"}
    try:
        return ExternalEvent.model_validate({**given, "where": where})
    except ValidationError as error:
        wrong = "; ".join(
            f"{'.'.join(str(part) for part in item['loc']) or 'row'}: {item['msg']}"
            for item in error.errors(include_url=False)
        )
        raise ConfigError(f"{path.name}, line {line}: {wrong}") from error
