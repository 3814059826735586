"""The questions that the tools answer, asked of sqlite3 and pandas over the same rows."""

import sqlite3
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any, NamedTuple

from evals.bench_rows import raw_rows
from evals.wording import read_yaml

Answer = dict[tuple[str, str], float]
"""A figure by one or two keys; the second is empty where there is one."""

_CHUNK = 100_000
# Tools give four decimals.
_ROUNDING = 0.001


class Asked(NamedTuple):
    """What one peer said to one question, and its median seconds."""

    peer: str
    question: str
    seconds: float
    answer: Answer


def ask_sqlite(home: Path, repeats: int) -> list[Asked]:
    """Every question of bench.yaml in sqlite3, in memory."""
    with sqlite3.connect(":memory:") as connection, raw_rows(home) as rows:
        connection.execute(
            "CREATE TABLE feedback (nps REAL, region TEXT, channel TEXT, sentiment TEXT, at TEXT)"
        )
        while chunk := rows.fetchmany(_CHUNK):
            connection.executemany("INSERT INTO feedback VALUES (?, ?, ?, ?, ?)", chunk)

        def asks(sql: str) -> Callable[[], Answer]:
            return lambda: {(one, other): value for one, other, value in connection.execute(sql)}

        return _timed("sqlite3", {name: asks(sql) for name, sql in questions().items()}, repeats)


def ask_pandas(home: Path, repeats: int) -> list[Asked]:
    """Every question of bench.yaml in pandas, with categories for words and numbers for times."""
    import pandas

    with raw_rows(home) as rows:
        frame = rows.df()
    frame["at"] = pandas.to_datetime(frame["at"])
    for name in ("region", "channel", "sentiment"):
        frame[name] = frame[name].astype("category")
    return _timed("pandas", _in_pandas(frame), repeats)


def _in_pandas(frame: Any) -> dict[str, Callable[[], Answer]]:
    def nps_by_region_and_month() -> Answer:
        scored = frame[frame["nps"].notna()]
        return _flat(_mark(scored).groupby([scored["region"], _month(scored)], observed=True).mean() * 100)

    def negative_share_by_channel() -> Answer:
        negative = frame["sentiment"] == "negative"
        return _flat(negative.groupby(frame["channel"], observed=True).mean())

    def volume_by_date() -> Answer:
        return _flat(frame.groupby(frame["at"].dt.floor("D")).size(), lambda key: str(key)[:10])

    def nps_of_two_months() -> Answer:
        scored = frame[frame["nps"].notna() & (frame["at"] >= "2026-05-01") & (frame["at"] < "2026-07-01")]
        return _flat(_mark(scored).groupby(_month(scored)).mean() * 100)

    asked = (nps_by_region_and_month, negative_share_by_channel, volume_by_date, nps_of_two_months)
    return dict(zip(questions(), asked, strict=True))


def _mark(scored: Any) -> Any:
    return (scored["nps"] >= 9).astype(float) - (scored["nps"] <= 6)


def _month(rows: Any) -> Any:
    return rows["at"].dt.strftime("%Y-%m")


def _flat(series: Any, shown: Callable[[object], str] = str) -> Answer:
    pairs = ((key if isinstance(key, tuple) else (key, ""), value) for key, value in series.items())
    return {(shown(key[0]), str(key[1])): float(value) for key, value in pairs}


def questions() -> Mapping[str, str]:
    """SQL of each question by its name, in order."""
    found: Mapping[str, str] = read_yaml("bench.yaml")["questions"]
    return found


def _timed(peer: str, asks: Mapping[str, Callable[[], Answer]], repeats: int) -> list[Asked]:
    found = []
    for name, ask in asks.items():
        taken, answer = [], ask()
        for _ in range(repeats):
            started = perf_counter()
            answer = ask()
            taken.append(perf_counter() - started)
        found.append(Asked(peer, name, median(taken), answer))
    return found


def told(tool: str, data: Mapping[str, Any]) -> Answer:
    """What a tool's result says to the question of its call."""
    if tool == "compare_periods":
        return {("2026-05", ""): data["before"], ("2026-06", ""): data["after"]}
    figure = "nps" if tool == "nps_stats" else "value"
    keyed = ((list(group["keys"].values()), group[figure]) for group in data["groups"])
    return {(keys[0], keys[1] if len(keys) > 1 else ""): float(value) for keys, value in keyed}


def check_same(question: str, ours: Answer, theirs: Answer) -> None:
    """A speed counts only where the answers agree; ValueError where they do not."""
    wrong = [
        key
        for key in ours.keys() | theirs.keys()
        if key not in ours or key not in theirs or abs(ours[key] - theirs[key]) > _ROUNDING
    ]
    if wrong:
        raise ValueError(
            f"{question}: the tool and its peer disagree on {len(wrong)} groups, first {sorted(wrong)[0]}"
        )
