"""What the bench reports: each speed beside that of a peer which did comparable work in the same run."""

from collections.abc import Callable, Sequence
from statistics import median
from time import perf_counter
from typing import Literal

from pydantic import BaseModel


class Figure(BaseModel):
    """One measurement: `value` in `unit`, the same of `peer`, and `ratio` = value / peer_value.

    `better` says which way is good. `goal` is what the ratio (or, where `goal_of` is value, the value) should
    reach, `met` whether it does.
    """

    area: str
    name: str
    value: float
    unit: str
    better: Literal["higher", "lower"]
    peer: str
    peer_value: float
    ratio: float
    goal: float | None = None
    goal_of: Literal["ratio", "value"] = "ratio"
    met: bool | None = None
    note: str = ""


class BenchReport(BaseModel):
    """All figures of one run, on how many stored rows, cores, and with which repeats."""

    items: int
    cores: int
    repeats: int
    elapsed_s: float
    figures: list[Figure]


def figure(
    area: str,
    name: str,
    value: float,
    unit: str,
    *,
    better: Literal["higher", "lower"],
    peer: tuple[str, float],
    goal: float | None = None,
    goal_of: Literal["ratio", "value"] = "ratio",
    note: str = "",
) -> Figure:
    """Work out ratio and whether the goal is met."""
    ratio = value / peer[1]
    judged = ratio if goal_of == "ratio" else value
    met = None if goal is None else judged >= goal if better == "higher" else judged <= goal
    return Figure(
        area=area,
        name=name,
        value=rounded(value),
        unit=unit,
        better=better,
        peer=peer[0],
        peer_value=rounded(peer[1]),
        ratio=rounded(ratio),
        goal=goal,
        goal_of=goal_of,
        met=met,
        note=note,
    )


def rounded(value: float) -> float:
    """Four significant digits."""
    return float(f"{value:.4g}")


def alternate(
    one: Callable[[], object],
    other: Callable[[], object],
    repeats: int,
    clock: Callable[[], float] = perf_counter,
) -> tuple[float, float]:
    """Median seconds of two jobs run in turn, so that a busy moment of the machine hits both."""
    taken: tuple[list[float], list[float]] = ([], [])
    for _ in range(repeats):
        for job, times in zip((one, other), taken, strict=True):
            started = clock()
            job()
            times.append(clock() - started)
    return median(taken[0]), median(taken[1])


def quantile(values: Sequence[float], share: float) -> float:
    """The nearest-rank quantile: the smallest value that at least `share` of the values do not exceed."""
    ordered = sorted(values)
    rank = max(1, -(-len(ordered) * round(share * 1000) // 1000))
    return ordered[rank - 1]
