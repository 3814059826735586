"""Turns the rows of the sample feed into the files of feed_files.yaml."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from evals.wording import read_yaml
from evals.workbook import write_workbook

ZONE = ZoneInfo("Asia/Shanghai")


def layout() -> dict[str, dict[str, Any]]:
    """feed_files.yaml: file key to path, format and columns."""
    files: dict[str, dict[str, Any]] = read_yaml("feed_files.yaml")
    return files


def write_feedback(out: Path, rows: Mapping[str, Sequence[Mapping[str, Any]]]) -> dict[str, int]:
    """Write every feedback file and truth_labels.jsonl; return rows by path (relative to `out`)."""
    counts = {}
    with (out / "truth_labels.jsonl").open("w", encoding="utf-8", newline="\n") as labels:
        for key, file in layout().items():
            path = out / file["path"]
            path.parent.mkdir(parents=True, exist_ok=True)
            table = [_record(row, file, number) for number, row in _numbered(rows[key])]
            _WRITERS[file["format"]](path, table, list(file["columns"].values()), file["encoding"])
            counts[file["path"]] = len(table)
            for number, row in enumerate(rows[key], start=1):
                if "_said" in row:
                    labels.write(_label(file["path"], number, row) + "\n")
    return counts


def write_table(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write records as UTF-8 CSV with the keys of the first as header."""
    _write_csv(path, rows, list(rows[0]), "utf-8")


def write_json(path: Path, document: Mapping[str, Any]) -> None:
    """Write readable JSON."""
    path.write_text(json.dumps(document, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def _numbered(rows: Sequence[Mapping[str, Any]]) -> list[tuple[int, Mapping[str, Any]]]:
    """Number rows from 1; a row exported twice keeps its first number."""
    numbers: dict[int, int] = {}
    numbered = []
    for number, row in enumerate(rows, start=1):
        key = row.get("_key")
        numbered.append((numbers.setdefault(key, number) if key is not None else number, row))
    return numbered


def _record(row: Mapping[str, Any], file: Mapping[str, Any], number: int) -> dict[str, Any]:
    record = {}
    for name, header in file["columns"].items():
        value = row.get(name)
        if name == "at":
            value = _written(row["at"], file["time"])
        elif name == "id":
            value = file["id"].format(number=number)
        elif name == "channel_word" and "channel_word" in file:
            value = file["channel_word"]
        elif name == "speaker" and "speakers" in file:
            value = file["speakers"][value]
        if value is not None and value != "":
            record[header] = value
    return record


def _written(at: datetime, style: str) -> str:
    aware = at.replace(tzinfo=ZONE)
    if style == "iso":
        return aware.isoformat()
    if style == "utc":
        return aware.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return aware.strftime(style)


def _label(path: str, number: int, row: Mapping[str, Any]) -> str:
    said = row["_said"]
    label = {"file": path, "row": number, "sentiment": said.mood, "topics": said.topics, "kind": said.kind}
    return json.dumps(label | {"event": row.get("_event", "")}, ensure_ascii=False)


def _write_csv(
    path: Path, rows: Sequence[Mapping[str, Any]], header: Sequence[str], encoding: str, delimiter: str = ","
) -> None:
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, header, delimiter=delimiter, lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    path.write_bytes(buffer.getvalue().encode(encoding))


def _write_tsv(path: Path, rows: Sequence[Mapping[str, Any]], header: Sequence[str], encoding: str) -> None:
    _write_csv(path, rows, header, encoding, delimiter="\t")


def _write_jsonl(path: Path, rows: Sequence[Mapping[str, Any]], header: Sequence[str], encoding: str) -> None:
    lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    path.write_bytes("".join(lines).encode(encoding))


def _write_xlsx(path: Path, rows: Sequence[Mapping[str, Any]], header: Sequence[str], encoding: str) -> None:
    write_workbook(path, header, ([row.get(name) for name in header] for row in rows))


_WRITERS = {"csv": _write_csv, "tsv": _write_tsv, "jsonl": _write_jsonl, "xlsx": _write_xlsx}
