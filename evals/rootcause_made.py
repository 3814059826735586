"""Incidents made with a known cause: RiskLoc's three kinds of table, and faults put into real quiet minutes.

The tables follow the description in section V of the RiskLoc paper (arXiv 2205.10004): Weibull figures on the
full grid of cells, some zero, forecasts with relative noise put on either side at random, and anomalies that
scale all cells of an element by 1 less its severity, in the direction in which the totals already differ.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from analytics.cell_cube import Column
from analytics.cells import Conditions
from evals.rootcause_cases import Forecasts

if TYPE_CHECKING:
    from numpy.random import Generator


@dataclass(frozen=True)
class Recipe:
    """How to make tables: ranges are drawn from uniformly, once a table (`severity` once an anomaly)."""

    sizes: tuple[int, ...]
    noise: tuple[float, float]
    severity: tuple[float, float]
    deviation: tuple[float, float]
    anomalies: tuple[int, int]
    elements: tuple[int, int]
    only_leaves: bool = False
    shape: tuple[float, float] = (0.5, 1.0)
    zeros: tuple[float, float] = (0.0, 0.25)


# The paper's three; "H" has 24 million cells there, here its large dimension has 25 values, not 250.
RECIPES = {
    "S": Recipe((10, 12, 10, 8, 5), (0.0, 0.25), (0.2, 1.0), (0.0, 0.1), (1, 3), (1, 3)),
    "L": Recipe((10, 24, 10, 15), (0.0, 0.1), (0.5, 1.0), (0.0, 0.0), (1, 5), (1, 1), only_leaves=True),
    "H": Recipe((10, 5, 25, 20, 8, 12), (0.0, 0.25), (0.2, 1.0), (0.0, 0.1), (1, 3), (1, 3)),
}
NAMES = "abcdefgh"


def make_tables(recipe: Recipe, count: int, seed: int) -> Iterator[tuple[Forecasts, frozenset[Conditions]]]:
    """Tables of a recipe, each with its anomalous elements; the same seed, the same tables."""
    rng = np.random.default_rng(seed)
    columns = _grid(recipe.sizes)
    for _ in range(count):
        yield _table(recipe, columns, rng)


def _grid(sizes: Sequence[int]) -> dict[str, Column]:
    names = NAMES[: len(sizes)]
    codes = np.indices(sizes).reshape(len(sizes), -1)
    return {
        name: Column(codes[at], [f"{name}{value + 1}" for value in range(sizes[at])])
        for at, name in enumerate(names)
    }


def _table(
    recipe: Recipe, columns: dict[str, Column], rng: "Generator"
) -> tuple[Forecasts, frozenset[Conditions]]:
    cells = len(next(iter(columns.values())).codes)
    zeros, noise = rng.uniform(*recipe.zeros), rng.uniform(*recipe.noise)
    figures = 100 * rng.weibull(rng.uniform(*recipe.shape), cells) * (rng.uniform(size=cells) > zeros)
    noisy = figures * (1 + rng.normal(0, noise, cells))
    swapped = rng.integers(0, 2, cells) == 1
    real, predict = np.where(swapped, noisy, figures), np.where(swapped, figures, noisy)
    predict = np.maximum(predict, 0.0)
    grown = bool(real.sum() > predict.sum())
    anomalies = _places(recipe, columns, real, rng)
    for elements in anomalies:
        severity, spread = rng.uniform(*recipe.severity) + noise, rng.uniform(*recipe.deviation)
        hit = np.logical_or.reduce([_mask(columns, element) for element in elements])
        kept = np.maximum(0.0, 1 - rng.normal(severity, spread, int(hit.sum())))
        if grown:
            predict[hit] = real[hit] * kept
        else:
            real[hit] = predict[hit] * kept
    truth = frozenset(tuple(sorted(element)) for elements in anomalies for element in elements)
    return Forecasts(columns, real, predict), truth


def _places(
    recipe: Recipe, columns: dict[str, Column], real: NDArray[np.float64], rng: "Generator"
) -> list[list[Conditions]]:
    """Elements of each anomaly: one set of dimensions an anomaly, no value used by another one in it."""
    found: list[list[Conditions]] = []
    wanted = int(rng.integers(recipe.anomalies[0], recipe.anomalies[1] + 1))
    while len(found) < wanted:
        depth = len(columns) if recipe.only_leaves else int(rng.integers(1, len(columns) + 1))
        elements = int(rng.integers(recipe.elements[0], recipe.elements[1] + 1))
        dims = sorted(rng.choice(list(columns), depth, replace=False).tolist())
        if depth < len(columns) and any([name for name, _ in other[0]] == dims for other in found):
            continue
        used = {pair for other in found for element in other for pair in element}
        drawn: set[Conditions] = set()
        for _ in range(elements):
            free = [[v for v in columns[name].values if (name, v) not in used] for name in dims]
            if all(free):
                drawn.add(
                    tuple(
                        (name, str(v[int(rng.integers(len(v)))])) for name, v in zip(dims, free, strict=True)
                    )
                )
        if len(drawn) < elements:
            continue
        if depth == len(columns) and any(not real[_mask(columns, element)].any() for element in drawn):
            continue
        found.append(sorted(drawn))
    return found


def _mask(columns: dict[str, Column], element: Conditions) -> NDArray[np.bool_]:
    mask = np.ones(len(next(iter(columns.values())).codes), dtype=bool)
    for name, value in element:
        mask &= columns[name].codes == list(columns[name].values).index(value)
    return mask
