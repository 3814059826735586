"""Sheets on which people label: what is shown, which columns are theirs, and how to fill them in."""

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from pipeline.label_evaluation import given_values
from pipeline.label_gold import Gold, by_text
from pipeline.label_sampling import Chosen
from pipeline.label_values import FIELDS, label_book
from pipeline.language import detect_language
from pipeline.taxonomy import Taxonomy
from store.durable_files import write_whole
from store.errors import InputError

PREFIX: Final = "human_"
KEY: Final = "text_key"
# So that no spreadsheet takes a key of digits and one "e" for a number.
KEY_MARK: Final = "t-"
# What says in a cell that the text was looked at and has none.
_NONE: Final = "none"
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
_GUIDE: Final = Path(__file__).with_name("label_guide.md")


def sheet_rows(chosen: Sequence[Chosen], *, blind: bool) -> list[dict[str, Any]]:
    """One row a text: key, masked text, why it was chosen, the machine's labels unless `blind`, and the
    empty columns for the person."""
    rows = []
    for one in chosen:
        row: dict[str, Any] = {
            KEY: f"{KEY_MARK}{one.item.text_key}",
            "feedback_id": one.item.feedback.feedback_id,
            "text": one.item.feedback.text,
            "language": one.item.feedback.language,
            "sample": one.sample,
            "weight": "" if one.weight is None else round(one.weight, 4),
        }
        if not blind:
            row |= {field: "|".join(sorted(given_values(one.labels, field))) for field in FIELDS}
        row |= {f"{PREFIX}{field}": "" for field in FIELDS}
        row["comment"] = ""
        rows.append(row)
    return rows


def labelled_rows(gold: Sequence[Gold]) -> list[dict[str, Any]]:
    """One row a text with the answers of its fields in the person's columns."""
    rows = []
    for key, answers in by_text(gold).items():
        first = answers[0]
        row = {KEY: f"{KEY_MARK}{key}", "text": first.text, "language": detect_language(first.text)}
        said = {one.field: one.value or _NONE for one in answers}
        rows.append({**row, **{f"{PREFIX}{field}": said.get(field, "") for field in FIELDS}})
    return rows


def shares(rows: Sequence[dict[str, Any]], annotators: int, overlap: float) -> list[list[dict[str, Any]]]:
    """The rows of each annotator: the first `overlap` of them for all, the others dealt out in turn."""
    if annotators == 1:
        return [list(rows)]
    common = round(len(rows) * overlap)
    return [[*rows[:common], *rows[common + person :: annotators]] for person in range(annotators)]


def write_sheet(path: Path, rows: Sequence[dict[str, Any]], taxonomy: Taxonomy) -> list[Path]:
    """Write CSV (with a mark that Excel knows UTF-8 by) or JSONL, and the guide beside it; return both.

    Cells that a spreadsheet would take for a formula are written with an apostrophe before them.
    """
    kind = path.suffix.lower()
    if kind not in (".csv", ".jsonl"):
        raise InputError(f"{path}: a sheet of labels is written as .csv or .jsonl")
    if kind == ".jsonl":
        body = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()
    else:
        body = csv_body(rows)
    guide = path.with_name(f"{path.stem}.README.md")
    write_whole(path, body)
    write_whole(guide, guide_text(taxonomy).encode())
    return [path, guide]


def guide_text(taxonomy: Taxonomy) -> str:
    """How to fill a sheet in, in both languages, with the values that exist."""
    values = []
    for field in FIELDS:
        book = label_book(field, taxonomy)
        shown = [one for one in book.shown if field != "topics" or "/" in one]
        values.append(f"- `{PREFIX}{field}`: {', '.join(shown)}")
    return _GUIDE.read_text(encoding="utf-8").replace("{values}", "\n".join(values))


def unguarded(cell: str) -> str:
    """A cell without the apostrophe that a guarded one was written with."""
    return cell[1:] if cell.startswith("'") and cell[1:2] in _FORMULA and cell[1:] else cell


def csv_body(rows: Sequence[dict[str, Any]]) -> bytes:
    """CSV that Excel opens right: marked as UTF-8, formulas guarded."""
    sink = io.StringIO()
    names = list(rows[0]) if rows else [KEY, "text"]
    writer = csv.DictWriter(sink, names, lineterminator="\r\n")
    writer.writeheader()
    writer.writerows({name: _guarded(value) for name, value in row.items()} for row in rows)
    return b"\xef\xbb\xbf" + sink.getvalue().encode()


def _guarded(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
