"""Raw rows to customers, behaviour events, outcomes and industry rates."""

import hashlib
from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from pipeline.columns import Mapping
from pipeline.dates import DateFormat, UnreadableDate, parse_date
from pipeline.headers import Cell, RawRow
from pipeline.numbers import parse_number
from pipeline.rows import LONGEST_VALUE, RejectedRow, as_text, check_bytes, customer_key
from pipeline.vocabulary import is_empty, meaning
from store.facts import FactStore
from store.records import BehaviourEvent, Customer, IndustryRate, Outcome

Entity = Customer | BehaviourEvent | Outcome | IndustryRate
_NUMBERS = ("lifetime_value", "value", "rate", "n")
_TIMES = ("occurred_at", "since", "renewal_on")


class EntityRows:
    """Turns the rows of one file of customers, events, outcomes or rates into records, by its mapping."""

    def __init__(
        self, mapping: Mapping, dates: DateFormat, *, source: str, zone: ZoneInfo, now: datetime
    ) -> None:
        self._mapping = mapping
        self._dates = dates
        self._source = source
        self._zone = zone
        self._now = now
        self._taken = [choice for choice in mapping.choices if choice.target != "-"]

    def record(self, row: RawRow, mask: Callable[[Sequence[str]], list[str]]) -> Entity:
        """Return the record of a row, names and free text masked. Raises RejectedRow with the reason."""
        if row.error:
            raise RejectedRow(row.error)
        check_bytes(row)
        fields: dict[str, Any] = {}
        attributes: dict[str, str] = {}
        for choice in self._taken:
            cell = row.values.get(choice.column)
            if is_empty(cell):
                continue
            if choice.target.startswith("dim:"):
                value = as_text(cell)
                if len(value) > LONGEST_VALUE:
                    raise RejectedRow(f"{choice.column} is longer than {LONGEST_VALUE} characters")
                attributes[choice.target.removeprefix("dim:")] = mask([value])[0] if choice.free else value
            else:
                fields[choice.target] = self._value(choice.target, choice.column, cell)
        return self._build(fields, attributes, mask)

    def _value(self, target: str, column: str, cell: Cell) -> object:
        if target == "customer_id":
            return customer_key(cell)
        if target in _TIMES:
            return self._time(target, cell)
        if target in _NUMBERS:
            return self._number(target, column, cell)
        value = as_text(cell)
        places = {"customer_type": "customer_types", "outcome": "outcome_words"}
        if target not in places:
            return value
        found = meaning(value, places[target])
        if found is None:
            raise RejectedRow(f"{column} {value[:40]!r} is not a known {target}")
        return found

    def _time(self, target: str, cell: Cell) -> datetime | date:
        # A renewal lies in the future, so it is not held to the bound on what has happened.
        bound = self._now.replace(year=self._now.year + 50, day=1) if target == "renewal_on" else self._now
        try:
            moment = parse_date(cell, self._dates, self._zone, bound)
        except UnreadableDate as error:
            raise RejectedRow(str(error)) from error
        return moment if target == "occurred_at" else moment.astimezone(self._zone).date()

    def _number(self, target: str, column: str, cell: Cell) -> float | int:
        number = parse_number(cell)
        if number is None:
            raise RejectedRow(f"{column} {as_text(cell)[:40]!r} is not a number")
        if target == "rate" and "%" in as_text(cell):
            return number / 100
        return int(number) if target == "n" else number

    def _build(
        self, fields: dict[str, Any], attributes: dict[str, str], mask: Callable[[Sequence[str]], list[str]]
    ) -> Entity:
        kind = self._mapping.kind
        try:
            if kind == "customers":
                if name := fields.get("name"):
                    fields["name"] = hide_name(name)
                return Customer(**fields, attributes=attributes)
            if kind == "events":
                fields["detail"] = mask([fields.get("detail", "")])[0]
                fields.setdefault("event_id", _event_id(self._source, fields))
                return BehaviourEvent(**fields)
            if kind == "outcomes":
                return Outcome(**fields)
            return IndustryRate(**fields)
        except ValidationError as error:
            problems = [
                f"{'.'.join(str(step) for step in item['loc'])}: {item['msg'].lower()}"
                for item in error.errors(include_url=False, include_input=False)
            ]
            raise RejectedRow("; ".join(problems)) from error


def hide_name(name: str) -> str:
    """Return a person's name with all but its first character hidden: 张** and J***."""
    return name[:1] + "*" * max(1, min(len(name) - 1, 3))


def identity_of(record: Entity) -> str:
    """Return what makes a record the same as another one of its kind."""
    if isinstance(record, Customer):
        return record.customer_id
    if isinstance(record, BehaviourEvent):
        return record.event_id
    if isinstance(record, Outcome):
        return f"{record.customer_id}\x1f{record.occurred_at.isoformat()}\x1f{record.outcome}"
    return f"{record.theme}\x1f{record.source}"


def store_entities(facts: FactStore, records: Sequence[Entity]) -> int:
    """Write records of one kind; return how many were new."""
    customers = [record for record in records if isinstance(record, Customer)]
    events = [record for record in records if isinstance(record, BehaviourEvent)]
    outcomes = [record for record in records if isinstance(record, Outcome)]
    rates = [record for record in records if isinstance(record, IndustryRate)]
    new = facts.add_customers(customers) if customers else 0
    new += facts.add_events(events) if events else 0
    new += facts.add_outcomes(outcomes) if outcomes else 0
    return new + (facts.add_rates(rates) if rates else 0)


def _event_id(source: str, fields: dict[str, Any]) -> str:
    told = "\x1f".join(f"{name}={fields[name]}" for name in sorted(fields))
    return hashlib.blake2b(f"{source}\x1f{told}".encode("utf-8", "replace"), digest_size=16).hexdigest()
