"""Records to rows and back."""

from typing import Any, TypeVar

from store.models import Model
from store.record import Record

_R = TypeVar("_R", bound=Record)


def values_of(record: Record) -> dict[str, Any]:
    """The columns of a record. JSON mode only for what is kept as JSON; times and numbers stay themselves."""
    plain, shaped = record.model_dump(), record.model_dump(mode="json")
    return {name: shaped[name] if isinstance(value, tuple | dict) else value for name, value in plain.items()}


def record_of(kind: type[_R], row: Model) -> _R:
    """The record that a row holds."""
    return kind.model_validate({column.key: getattr(row, column.key) for column in row.__table__.columns})
