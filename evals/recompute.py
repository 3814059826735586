"""Figures worked out again from the files themselves, in plain Python and without any store.

A tool's figure that differs from these is wrong somewhere between the file and the answer.
"""

import csv
import gzip
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from evals.cases import Compute, Days
from evals.feed_files import ZONE, layout
from evals.wording import read_yaml

_SCORES = ("nps", "csat", "ces", "rating")
_PLAIN = ("region", "city", "product", "version", "org_unit", "tier")
_TYPES = {"新客户": "new", "老客户": "existing"}
_SPEAKERS = {"客户": "customer", "坐席": "agent", "customer": "customer", "agent": "agent"}
Row = TypeVar("Row")
SentimentOf = Callable[[Sequence[str]], Sequence[str]]


@dataclass
class Item:
    """One row of a file: local time, text, scores and dimensions as they stand in it."""

    source: str
    at: datetime | None
    text: str = ""
    speaker: str = ""
    customer: str = ""
    values: dict[str, float] = field(default_factory=dict)
    dimensions: dict[str, str] = field(default_factory=dict)


def load_feed(folder: Path) -> list[Item]:
    """Read every file of a sample feed's feedback folder; a row exported twice counts once."""
    items = []
    for file in layout().values():
        rows = _read(folder / Path(file["path"]).name, file)
        items += _distinct(_item(row, file) for row in rows)
    return items


def load_dataset(name: str, data: Path) -> list[Item]:
    """Read a data set of datasets.yaml from the folder of public data, or from its sample there.

    Identical rows count each where nothing tells them apart (no id, no time).
    """
    file = read_yaml("datasets.yaml")[name]
    items = [_item(row, file) for row in sampled(list(_read(data / file["path"], file)), file)]
    return _distinct(items) if "at" in file["columns"] or "id" in file["columns"] else items


def sampled(rows: "list[Row]", file: Mapping[str, Any]) -> "list[Row]":
    """The rows of a data set that are brought in: each `every`-th of the first `rows`."""
    return rows[: file.get("rows")][:: file.get("every", 1)]


def label_sentiments(items: Sequence[Item], sentiment_of: SentimentOf) -> None:
    """Fill the dimension `sentiment` of every item with text."""
    spoken = [item for item in items if item.text]
    for item, sentiment in zip(spoken, sentiment_of([item.text for item in spoken]), strict=True):
        item.dimensions["sentiment"] = sentiment


def compute(items: Sequence[Item], question: Compute) -> float | None:
    """Answer a Compute over items; None where nothing matches. Shares lie in 0..1, NPS in -100..100."""
    chosen = select(items, question.period, question.filters, question.exclude)
    value = _measure(chosen, question)
    if question.minus is not None and value is not None:
        other = compute(items, question.minus)
        return None if other is None else value - other
    return value


def select(
    items: Iterable[Item],
    period: Days | None,
    filters: Mapping[str, str | list[str]],
    exclude: Mapping[str, str | list[str]],
) -> list[Item]:
    """The items meant. Turns of agents are left out unless `speaker` is filtered."""
    kept = []
    start, end = _bounds(period)
    for item in items:
        if item.speaker == "agent" and "speaker" not in filters:
            continue
        if (start or end) and not _within(item.at, start, end):
            continue
        if all(_has(item, name, wanted) for name, wanted in filters.items()) and not any(
            _has(item, name, unwanted) for name, unwanted in exclude.items()
        ):
            kept.append(item)
    return kept


def dimension(item: Item, name: str) -> str | None:
    """The value of a dimension, time dimensions included."""
    if name in item.dimensions:
        return item.dimensions[name]
    if name == "nps_class" and "nps" in item.values:
        score = item.values["nps"]
        return "promoter" if score >= 9 else "passive" if score >= 7 else "detractor"
    if item.at is None:
        return None
    if name == "hour":
        return str(item.at.hour)
    if name == "weekday":
        return str(item.at.isoweekday())
    if name == "day_type":
        return "workday" if item.at.isoweekday() <= 5 else "weekend"
    return {"month": f"{item.at:%Y-%m}", "date": f"{item.at:%Y-%m-%d}", "year": f"{item.at:%Y}"}.get(name)


def _measure(items: Sequence[Item], question: Compute) -> float | None:
    if question.measure == "count":
        return float(len(items))
    if question.measure == "share":
        name, _, value = question.of.partition("=")
        having = [found for item in items if (found := dimension(item, name)) is not None]
        return sum(found == value for found in having) / len(having) if having else None
    metric = "nps" if question.measure == "nps" else question.of
    values = [item.values[metric] for item in items if metric in item.values]
    if question.measure == "answers":
        return float(len(values))
    if not values:
        return None
    if question.measure == "nps":
        return 100.0 * (sum(v >= 9 for v in values) - sum(v <= 6 for v in values)) / len(values)
    return sum(values) / len(values)


def _bounds(period: Days | None) -> tuple[datetime | None, datetime | None]:
    if period is None:
        return None, None
    start, end = (
        datetime.fromisoformat(bound).replace(tzinfo=ZONE) if bound else None
        for bound in (period.from_, period.to)
    )
    return start, end


def _within(at: datetime | None, start: datetime | None, end: datetime | None) -> bool:
    return at is not None and (start is None or at >= start) and (end is None or at < end)


def _has(item: Item, name: str, wanted: str | list[str]) -> bool:
    value = dimension(item, name)
    choices = wanted if isinstance(wanted, list) else [wanted]
    if name == "org_unit" and value is not None:
        return any(value == choice or value.startswith(choice + "/") for choice in choices)
    return value in choices


def _read(path: Path, file: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    if file["format"] == "jsonl":
        for line in path.read_text(encoding=file["encoding"]).splitlines():
            yield {name: str(value) for name, value in json.loads(line).items()}
    elif file["format"] == "xlsx":
        from python_calamine import CalamineWorkbook

        header, *rows = CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0).to_python()
        for row in rows:
            yield {str(name): _cell(value) for name, value in zip(header, row, strict=True)}
    else:
        raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        text = raw.decode(file["encoding"])
        delimiter = "\t" if file["format"] == "tsv" else ","
        yield from csv.DictReader(io.StringIO(text), delimiter=delimiter)


def _cell(value: Any) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _item(row: Mapping[str, str], file: Mapping[str, Any]) -> Item:
    given = {name: row.get(header, "") or "" for name, header in file["columns"].items()}
    item = Item(source=given.get("id", ""), at=_time(given.get("at", ""), file.get("time", "")))
    item.text = given.get("text", "").strip()
    item.customer = given.get("customer", "")
    item.speaker = _SPEAKERS.get(given.get("speaker", ""), "")
    item.dimensions["channel"] = file["channel"]
    for name, value in given.items():
        if not value or name in ("id", "at", "text", "customer", "speaker", "conversation", "turn"):
            continue
        if name in _SCORES or name in ("amount", "likes") or file["columns"][name] in file.get("numbers", ()):
            item.values[name if name in _SCORES else file["columns"][name]] = float(value)
        elif name == "customer_type":
            item.dimensions[name] = _TYPES[value]
        elif name in _PLAIN:
            item.dimensions[name] = value
        elif name != "channel_word":
            item.dimensions[file["columns"][name]] = value
    return item


def _time(text: str, style: str) -> datetime | None:
    if not text:
        return None
    if style in ("iso", "utc"):
        return datetime.fromisoformat(text).astimezone(ZONE)
    return datetime.strptime(text, style).replace(tzinfo=UTC).replace(tzinfo=ZONE)


def _distinct(items: Iterable[Item]) -> list[Item]:
    """Without rows exported twice: the same id, or the same in everything where there is none."""
    seen: set[tuple[object, ...]] = set()
    kept = []
    for item in items:
        rest = (*sorted(item.values.items()), *sorted(item.dimensions.items()))
        key = (item.source,) if item.source else (item.at, item.customer, item.text, item.speaker, *rest)
        if key in seen:
            continue
        seen.add(key)
        kept.append(item)
    return kept
