"""Labelled incidents in a folder: one table of leaf cells a case, and what was wrong in each.

Two ways to write the truth: `anomaly.yaml` (RobustSpot: data, timestamp, cause) or `injection_info.csv`
(Squeeze and RiskLoc: timestamp, set such as "a=a1&b=b2;c=c3"). Two kinds of table, .csv or .csv.gz: counts by
minute (min, value of cnt plays that failed, dimensions), or a figure a cell and its forecast (real, predict).
"""

import csv
import gzip
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from analytics.cell_cube import CellCube, Column
from analytics.cells import Conditions
from store.errors import InputError

_COUNTS = ("min", "value", "cnt")
_FIGURES = {"real": "predict", "value": "predict", "actual": "forecast"}
_ALSO_CALLED = {"predict": ("predict", "expected", "forecast", "predicted")}
HINT = (
    "a folder of cases holds anomaly.yaml (a list of data, timestamp, cause) or injection_info.csv "
    "(timestamp, set) and one table a case (data.csv or data.csv.gz)"
)


@dataclass(frozen=True)
class Case:
    """One labelled incident. `at` is the minute it happened in, for tables of counts."""

    name: str
    path: Path
    at: int | None
    truth: frozenset[Conditions]


@dataclass(frozen=True)
class Forecasts:
    """Leaf cells with a figure and its forecast; `columns` by dimension."""

    columns: Mapping[str, Column]
    real: NDArray[np.float64]
    predict: NDArray[np.float64]


def read_folder(folder: Path) -> list[Case]:
    """The labelled cases of a folder and its subfolders. Raises InputError where there are none."""
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder", hint=HINT)
    cases: list[Case] = []
    for labels in sorted((*folder.rglob("anomaly.yaml"), *folder.rglob("injection_info.csv"))):
        cases += _robustspot(labels) if labels.suffix == ".yaml" else _squeeze(labels)
    if not cases:
        raise InputError(f"{folder} has no labelled cases", hint=HINT)
    return cases


def read_table(case: Case) -> CellCube | Forecasts:
    """The leaf cells of a case. Raises InputError naming the file, and the line where one is wrong."""
    with _open(case.path) as lines:
        reader = csv.DictReader(lines)
        names = list(reader.fieldnames or ())
        rows = list(reader)
    if not rows:
        raise InputError(f"{case.path} has no rows", hint=HINT)
    if set(_COUNTS) <= set(names):
        return _cube(case, rows, [name for name in names if name not in _COUNTS])
    for real, forecast in _FIGURES.items():
        predict = next((n for n in _ALSO_CALLED.get(forecast, (forecast,)) if n in names), None)
        if real in names and predict is not None:
            dims = [name for name in names if name not in (real, predict)]
            return Forecasts(_columns(rows, dims), _numbers(case, rows, real), _numbers(case, rows, predict))
    raise InputError(
        f"{case.path} has the columns {', '.join(names)}: neither min, value, cnt nor real, predict",
        hint=HINT,
    )


def _robustspot(labels: Path) -> Iterator[Case]:
    try:
        entries = yaml.safe_load(labels.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"{labels} is no YAML: {error}", hint=HINT) from error
    if not isinstance(entries, list):
        raise InputError(f"{labels} is not a list of cases", hint=HINT)
    for number, entry in enumerate(entries, start=1):
        if not isinstance(entry, dict) or not {"data", "cause"} <= entry.keys():
            raise InputError(f"{labels}: case {number} lacks data or cause", hint=HINT)
        causes = entry["cause"] if isinstance(entry["cause"], list) else [entry["cause"]]
        if not all(isinstance(cause, dict) and cause for cause in causes):
            raise InputError(f"{labels}: the cause of case {number} names no dimension", hint=HINT)
        name = str(entry["data"])
        at = entry.get("timestamp")
        if at is not None and not isinstance(at, int):
            raise InputError(f"{labels}: the timestamp of {name} is not a whole number", hint=HINT)
        yield Case(name, _table(labels.parent, name), at, frozenset(_element(cause) for cause in causes))


def _squeeze(labels: Path) -> Iterator[Case]:
    with labels.open(encoding="utf-8", newline="") as lines:
        for number, row in enumerate(csv.DictReader(lines), start=2):
            name, written = row.get("timestamp"), row.get("set")
            if not name or not written:
                raise InputError(f"{labels}: line {number} lacks timestamp or set", hint=HINT)
            try:
                truth = frozenset(
                    _element(dict(part.split("=", 1) for part in element.split("&")))
                    for element in written.split(";")
                )
            except ValueError as error:
                raise InputError(f"{labels}: line {number}: {written!r} is no set", hint=HINT) from error
            yield Case(name, _table(labels.parent, name), None, truth)


def _element(cause: Mapping[Any, Any]) -> Conditions:
    return tuple(sorted((str(name), str(value)) for name, value in cause.items()))


def _table(folder: Path, name: str) -> Path:
    for suffix in (".csv", ".csv.gz"):
        if (path := folder / f"{name}{suffix}").is_file():
            return path
    raise InputError(f"{folder} has no table {name}.csv or {name}.csv.gz", hint=HINT)


def _open(path: Path) -> Any:
    opened = gzip.open if path.suffix == ".gz" else open
    return opened(path, "rt", encoding="utf-8", newline="")


def _cube(case: Case, rows: Sequence[Mapping[str, str]], dims: Sequence[str]) -> CellCube:
    """The minute of the incident against all minutes before it; later ones are not known yet."""
    if case.at is None:
        raise InputError(f"{case.name} has no timestamp, which counts by minute need", hint=HINT)
    minutes = _numbers(case, rows, "min")
    known = minutes <= case.at
    now = minutes[known] == case.at
    if not now.any() or now.all():
        raise InputError(f"{case.path} has no rows at the minute {case.at} or none before it", hint=HINT)
    kept = [row for row, keep in zip(rows, known, strict=True) if keep]
    failed, count = _numbers(case, kept, "value"), _numbers(case, kept, "cnt")
    before = [np.where(now, 0.0, count), np.where(now, 0.0, failed)]
    after = [np.where(now, count, 0.0), np.where(now, failed, 0.0)]
    # Of a yes or no the sum of squares is the sum.
    return CellCube(_columns(kept, dims), (*before, before[1], *after, after[1]))


def _columns(rows: Sequence[Mapping[str, str]], dims: Iterable[str]) -> dict[str, Column]:
    columns = {}
    for name in dims:
        values, codes = np.unique([row[name] or "" for row in rows], return_inverse=True)
        columns[name] = Column(codes.astype(np.int64), [str(value) for value in values])
    return columns


def _numbers(case: Case, rows: Sequence[Mapping[str, str]], name: str) -> NDArray[np.float64]:
    try:
        return np.array([row[name] for row in rows], dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"{case.path}: column {name} has a value that is no number: {error}") from error
