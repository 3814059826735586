"""Which attribute combinations missed their forecast: a set of elements over leaf cells.

Where a figure is one number a cell with a forecast (visits, orders, items a day), there is no sample to test
and the search of `root_cause` does not apply. What holds instead is the ripple effect (Squeeze, ISSRE 2019):
the cells of one cause deviate by the same proportion. An element is therefore worth what it saves in the
description of the deviations: their log likelihood around a mean and spread of its own, against that under
the forecast's ordinary error, less the price of the element's name and of those two numbers (minimum
description length; J. Rissanen 1978). Elements are taken greedily, each from the cells the ones before leave;
one whose parts along another dimension would describe the cells better is replaced by its best part.
"""

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from analytics.cell_cube import Column
from analytics.cells import Conditions
from store.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Codes = NDArray[np.integer]

Element = tuple[tuple[str, int], ...]

_MAX_ELEMENTS, _MAX_TRIED = 20, 60
# Part of an element's cells that its mean and spread may fail to describe.
_NOT_HIT = 0.05
# An element must deviate by this part of a cell's ordinary error.
_LEAST_DEVIATION = 0.5
# Smallest spread a cause is given: a cell alone has none of its own. Smallest ordinary error of a forecast.
_LEAST_SPREAD, _LEAST_NOISE = 0.03, 0.005
# Cells are put into groups of this size by magnitude, each with its own ordinary error.
_NOISE_GROUP = 2000
# Gross errors lie beyond this many scales; the tail of the ordinary error begins at this quantile; fewer
# cells than this show no shape.
_GROSS, _TAIL_FROM, _LEAST_SAMPLE = 8.0, 0.98, 200


@dataclass(frozen=True)
class _Tables:
    """Sums over the cells of each element of one set of dimensions: number, deviation, its square, log p."""

    dims: tuple[str, ...]
    sizes: tuple[int, ...]
    sums: "Floats"


def localise_forecast(
    columns: Mapping[str, Column], actual: "Floats", forecast: "Floats"
) -> list[Conditions]:
    """The elements that account for the gap between the total and its forecast, the most evident first.

    One actual and one forecast value a leaf cell, neither negative but for noise; `columns` name the cells.
    Only elements that deviate in the direction of the total are looked for. Time and memory grow with the
    number of elements of all combinations, the product of (values + 1). Raises InputError where lengths or
    numbers do not fit.
    """
    import numpy as np

    if any(len(column.codes) != len(actual) for column in columns.values()) or len(forecast) != len(actual):
        raise InputError("the columns of leaf cells differ in length")
    if not (np.isfinite(actual).all() and np.isfinite(forecast).all()):
        raise InputError("actual and forecast values must be numbers")
    size = np.maximum(np.abs(actual), np.abs(forecast))
    alive = size > 0
    gap = float(forecast.sum() - actual.sum())
    if not alive.any() or gap == 0 or not columns:
        return []
    # The relative drop, in -1 to 1: by how much the smaller of the two falls short of the larger.
    deviation = np.clip((forecast - actual)[alive] / size[alive], -1.0, 1.0) * math.copysign(1.0, gap)
    codes = {name: column.codes[alive].astype(np.int64) for name, column in columns.items()}
    scale = _scale(deviation, size[alive])
    normal = _log_density(deviation, scale)
    search = _Search(
        codes, {name: len(column.values) for name, column in columns.items()}, deviation, scale, normal
    )
    return [
        tuple((name, str(columns[name].values[code])) for name, code in element) for element in search.run()
    ]


class _Search:
    """The greedy cover of deviating cells by elements."""

    def __init__(
        self,
        codes: Mapping[str, "Codes"],
        sizes: Mapping[str, int],
        deviation: "Floats",
        scale: "Floats",
        log_normal: "Floats",
    ) -> None:
        import numpy as np

        self.codes, self.sizes = codes, sizes
        self.deviation, self.scale, self.log_normal = deviation, scale, log_normal
        self.left = np.ones(len(deviation), dtype=bool)

    def run(self) -> list[Element]:
        """Elements as (dimension, code) pairs."""
        import numpy as np

        names = sorted(self.codes)
        everything = np.arange(len(self.deviation))
        tables = [
            self._sums(dims, everything)
            for length in range(1, len(names) + 1)
            for dims in itertools.combinations(names, length)
        ]
        found: list[Element] = []
        tried = 0
        while len(found) < _MAX_ELEMENTS and tried < _MAX_TRIED:
            tried += 1
            gain, element, table = max((self._best(table) for table in tables), key=lambda one: one[0])
            if gain <= 0:
                break
            part, cells = self._split(element)
            if not len(cells):
                table.sums[0, self._place(table, element)] = 0
                continue
            found.append(part)
            self.left[cells] = False
            for table in tables:
                table.sums[:] -= self._sums(table.dims, cells).sums
        return found

    def _sums(self, dims: tuple[str, ...], cells: "Codes") -> _Tables:
        import numpy as np

        sizes = tuple(self.sizes[name] for name in dims)
        keys = np.zeros(len(cells), dtype=np.int64)
        for name, size in zip(dims, sizes, strict=True):
            keys = keys * size + self.codes[name][cells]
        return _Tables(dims, sizes, self._grouped(keys, math.prod(sizes), cells))

    def _grouped(self, keys: "Codes", count: int, cells: "Codes") -> "Floats":
        import numpy as np

        away = self.deviation[cells]
        weights = (None, away, away * away, self.log_normal[cells])
        return np.stack([np.bincount(keys, weights=w, minlength=count).astype(np.float64) for w in weights])

    def _price(self, dims: Sequence[str]) -> float:
        """Nats to name an element: its dimensions among all sets of dimensions so long, then its values."""
        choices = math.comb(len(self.codes), len(dims)) * len(self.codes)
        return math.log(choices) + math.fsum(math.log(self.sizes[name]) for name in dims)

    def _best(self, table: _Tables) -> tuple[float, Element, _Tables]:
        gains = _gains(table.sums) - self._price(table.dims)
        place = int(gains.argmax())
        gain, element = float(gains[place]), []
        for name, size in zip(reversed(table.dims), reversed(table.sizes), strict=True):
            place, code = divmod(place, size)
            element.append((name, code))
        return gain, tuple(reversed(element)), table

    @staticmethod
    def _place(table: _Tables, element: Element) -> int:
        place = 0
        for (_, code), size in zip(element, table.sizes, strict=True):
            place = place * size + code
        return place

    def _split(self, element: Element) -> tuple[Element, "Codes"]:
        """The element, or its best part where its parts along one dimension are worth more; with its cells.

        No cells where neither is worth anything.
        """
        import numpy as np

        mask = self.left.copy()
        for name, code in element:
            mask &= self.codes[name] == code
        cells = np.flatnonzero(mask)
        named = {name for name, _ in element}
        whole = max(0.0, self._worth(cells, named))
        best: tuple[float, str, int] | None = None
        for name in self.codes:
            if name in named or len(cells) < 2:
                continue
            parts = self._parts(cells, name)
            worths = {code: self._worth(part, {*named, name}) for code, part in parts.items()}
            apart = self._also_hit(cells, parts, worths) if whole > 0 else set()
            rest = np.concatenate([part for code, part in parts.items() if code not in apart])
            kept = whole if not apart else max(0.0, self._worth(rest, named))
            worth = math.fsum(max(0.0, worths[code]) for code in parts if code not in apart)
            if worth > kept and (best is None or worth - kept > best[0]):
                best = worth - kept, name, max(worths.keys() - apart, key=lambda code: worths[code])
        if best is not None:
            return self._split(tuple(sorted((*element, (best[1], best[2])))))
        return element, cells if whole > 0 else cells[:0]

    def _parts(self, cells: "Codes", name: str) -> dict[int, "Codes"]:
        """The cells by their value of one more dimension."""
        import numpy as np

        order = cells[np.argsort(self.codes[name][cells], kind="stable")]
        values, starts = np.unique(self.codes[name][order], return_index=True)
        return {int(v): part for v, part in zip(values, np.split(order, starts[1:]), strict=True)}

    def _also_hit(
        self, cells: "Codes", parts: Mapping[int, "Codes"], worths: Mapping[int, float]
    ) -> set[int]:
        """The parts that deviate, but otherwise than most: a second cause crosses the element there."""
        import numpy as np

        middle, spread = _middle(self.deviation[cells])
        apart = {
            code
            for code, part in parts.items()
            if worths[code] > 0 and abs(float(np.median(self.deviation[part])) - middle) > 2 * spread
        }
        agreeing = sum(len(part) for code, part in parts.items() if worths[code] > 0 and code not in apart)
        return apart if 2 * agreeing > len(cells) else set()

    def _worth(self, cells: "Codes", named: set[str]) -> float:
        """Nats saved on some cells by one mean and spread, a few cells being none the better for it."""
        import numpy as np

        away = self.deviation[cells]
        middle, spread = _middle(away)
        if middle <= _LEAST_DEVIATION * float(np.median(self.scale[cells])):
            return -math.inf
        normal = self.log_normal[cells]
        own = -0.5 * ((away - middle) / spread) ** 2 - math.log(spread * math.sqrt(2 * math.pi))
        saved = float(np.logaddexp(own - normal + math.log1p(-_NOT_HIT), math.log(_NOT_HIT)).sum())
        return saved - math.log(len(cells) + 1) - self._price(tuple(named))


def _middle(away: "Floats") -> tuple[float, float]:
    """Median, and the spread around it by the median absolute deviation (normal consistent)."""
    import numpy as np

    middle = float(np.median(away))
    return middle, max(_LEAST_SPREAD, 1.4826 * float(np.median(np.abs(away - middle))))


def _gains(sums: "Floats") -> "Floats":
    """Nats saved by giving each element a mean and spread of its own; -inf where it goes the other way."""
    import numpy as np

    n, total, squares, log_normal = sums
    count = np.maximum(n, 1.0)
    mean = total / count
    within = np.maximum(squares - count * mean * mean, 0.0)
    variance = np.maximum(within / count, _LEAST_SPREAD**2)
    fitted = -0.5 * (count * np.log(2 * np.pi * variance) + within / variance)
    gains = fitted - log_normal - np.log(count + 1)
    return np.where((n > 0.5) & (mean > 0), gains, -np.inf)


def _scale(deviation: "Floats", size: "Floats") -> "Floats":
    """Ordinary error of each cell's forecast: 68% quantile among cells of like magnitude.

    It is read off the side to which the total does not deviate, which holds no causes, and taken to be
    symmetric.
    """
    import numpy as np

    scale = np.empty(len(deviation))
    order = np.argsort(size, kind="stable")
    for group in np.array_split(order, max(1, len(order) // _NOISE_GROUP)):
        other = -deviation[group][deviation[group] <= 0]
        scale[group] = max(_LEAST_NOISE, float(np.quantile(other, 0.6827)) if len(other) else _LEAST_NOISE)
    return scale


def _log_density(deviation: "Floats", scale: "Floats") -> "Floats":
    """Log density of each deviation under the forecast's ordinary error, from the side without causes.

    In units of the scale: the histogram of that side over equal shares up to its 98% quantile, then an
    exponential tail (mean excess), and as many gross errors anywhere as that side shows.
    """
    import numpy as np

    other = (-deviation / scale)[deviation <= 0]
    away = np.abs(deviation) / scale
    gross = np.count_nonzero(other > _GROSS)
    other = np.sort(other[other <= _GROSS])
    if len(other) < _LEAST_SAMPLE:
        # Too few to see a shape: a normal error, sure of nothing.
        density = np.exp(-0.5 * away**2) / math.sqrt(2 * math.pi)
    else:
        shares = min(50, len(other) // 20)
        edges = np.unique(np.r_[0.0, np.quantile(other, np.linspace(0, _TAIL_FROM, shares + 1)[1:])])
        counts = np.diff(np.searchsorted(other, edges, side="right"), prepend=0)[1:]
        counts[0] += np.searchsorted(other, edges[0], side="right")
        excess = max(0.1, float(np.mean(other[other > edges[-1]] - edges[-1])) if len(other) else 0.1)
        bulk = np.append(counts / (2 * len(other) * np.diff(edges)), 0.0)
        place = np.minimum(np.searchsorted(edges, away, side="right") - 1, len(edges) - 1)
        tail = (1 - _TAIL_FROM) / 2 * np.exp(-(away - edges[-1]) / excess) / excess
        density = np.where(away >= edges[-1], tail, np.maximum(bulk[place], 1e-6))
    rate = min(0.1, (2 * gross + 0.001) / len(deviation))
    return np.log((1 - rate) * density / scale + rate / 2)
