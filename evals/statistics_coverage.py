"""How often the intervals of single figures and of differences hold the truth, by simulation."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from analytics.drivers import find_drivers
from analytics.estimates import Kind, Scale, difference, estimate
from analytics.rates import rate_ratio
from analytics.sums import Sums
from evals.wording import read_yaml

Floats = NDArray[np.float64]
NOMINAL = 0.95
# Fewer expected answers of the rarer kind, and counts are so few that coverage jumps between them.
FEW = 5.0
_WOBBLE = 0.1


class Coverage(NamedTuple):
    """One case: what is shown, the sample, the truth, and how often the interval held it.

    `rare` is the expected number of answers other than the commonest (None where that means nothing).
    """

    what: str
    n: str
    truth: str
    held: int
    samples: int
    rare: float | None = None

    @property
    def share(self) -> float:
        """Held over samples."""
        return float(self.held / self.samples)

    def row(self) -> dict[str, Any]:
        """As the report keeps it, with the Monte-Carlo interval of the share."""
        bounds = estimate("proportion", Sums(self.samples, self.held, self.held))
        return {
            "what": self.what,
            "n": self.n,
            "truth": self.truth,
            "coverage": round(self.share, 4),
            "low": round(bounds.ci_low or 0.0, 4),
            "high": round(bounds.ci_high or 0.0, 4),
            "samples": int(self.samples),
            "few": bool(self.rare is not None and self.rare < FEW),
        }


class _Drawn(NamedTuple):
    """Samples of one truth: their sums, and the true mean of each."""

    sums: list[Sums]
    means: Floats


def figure_coverage(samples: int, seed: int) -> Iterator[Coverage]:
    """Intervals of NPS, shares, CSAT, CES, order values and counts."""
    plan, rng = read_yaml("statistics.yaml"), np.random.default_rng(seed)
    for name, truths in plan["truths"].items():
        for n in plan["sizes"]:
            for truth, chances in truths.items():
                drawn = _draw(rng, plan["scales"][name], chances, n, samples)
                held = sum(
                    _holds(estimate(_kind(name), one, scale=_scale(name, plan)), mean * _unit(name))
                    for one, mean in zip(drawn.sums, drawn.means, strict=True)
                )
                yield Coverage(name, str(n), truth, held, samples, n * (1 - max(chances)))
    yield from _amounts(rng, plan, samples)
    for rate in plan["counts"]:
        found = (estimate("count", Sums(int(n), 0.0, 0.0)) for n in rng.poisson(rate, samples))
        yield Coverage("volume", str(rate), "Poisson", sum(_holds(one, rate) for one in found), samples)


def difference_coverage(samples: int, seed: int) -> Iterator[Coverage]:
    """Intervals of differences between two samples, equal in size and one three times the other."""
    plan, rng = read_yaml("statistics.yaml"), np.random.default_rng(seed)
    for name, pairs in plan["pairs"].items():
        for n in plan["sizes"]:
            for factor in (1, 3):
                for before, after in pairs:
                    first = _draw(rng, plan["scales"][name], plan["truths"][name][before], n, samples)
                    second = _draw(
                        rng, plan["scales"][name], plan["truths"][name][after], n * factor, samples
                    )
                    held = sum(
                        _holds(
                            difference(_kind(name), one, other, scale=_scale(name, plan)), move * _unit(name)
                        )
                        for one, other, move in zip(
                            first.sums, second.sums, second.means - first.means, strict=True
                        )
                    )
                    rare = n * (1 - max(max(plan["truths"][name][side]) for side in (before, after)))
                    yield Coverage(
                        f"change of {name}",
                        f"{n} and {n * factor}",
                        f"{before} to {after}",
                        held,
                        samples,
                        rare,
                    )
    for rate in plan["counts"]:
        counts = rng.poisson((rate, 1.5 * rate), (samples, 2))
        changes = (difference("count", *(Sums(int(n), 0.0, 0.0) for n in pair)) for pair in counts)
        held = sum(_holds(one, 0.5 * rate) for one in changes)
        yield Coverage("change of volume", str(rate), "Poisson, 1.5 times", held, samples)
        ratios = (rate_ratio(int(one), int(other)) for one, other in counts)
        held = sum(one.ci_low <= 1.5 <= one.ci_high for one in ratios)
        yield Coverage("ratio of rates", str(rate), "Poisson, 1.5 times", held, samples)


def driver_coverage(samples: int, seed: int) -> Iterator[Coverage]:
    """Effects and importance of flags that go together on a score from 1 to 5."""
    rng = np.random.default_rng(seed)
    truth = find_drivers(*_moments(_scores(rng, 2_000_000)))
    if truth is None:
        raise ValueError("the drivers of two million rows must be found")
    effect = {one.index: one.coefficient for one in truth.drivers}
    weight = {one.index: one.importance for one in truth.drivers}
    for n in (100, 400, 2000):
        found = [find_drivers(*_moments(_scores(rng, n)), seed=at) for at in range(samples)]
        each = [one for run in found if run is not None for one in run.drivers]
        for index in range(len(effect)):
            own = [one for one in each if one.index == index]
            held = sum(one.ci_low <= effect[index] <= one.ci_high for one in own)
            yield Coverage("driver: effect", str(n), f"{effect[index]:+.2f} points", held, len(own))
            held = sum(one.importance_low <= weight[index] <= one.importance_high for one in own)
            yield Coverage("driver: importance", str(n), f"{weight[index]:.1%}", held, len(own))


def _draw(
    rng: np.random.Generator, values: Sequence[int], chances: Sequence[float], n: int, samples: int
) -> _Drawn:
    wobbled = np.asarray(chances) * np.exp(_WOBBLE * rng.normal(size=(samples, len(values))))
    wobbled /= wobbled.sum(axis=1, keepdims=True)
    counts = rng.multinomial(n, wobbled)
    scale = np.asarray(values, dtype=np.float64)
    totals, squares = counts @ scale, counts @ scale**2
    sums = [Sums(n, float(a), float(b)) for a, b in zip(totals, squares, strict=True)]
    return _Drawn(sums, wobbled @ scale)


def _amounts(rng: np.random.Generator, plan: Mapping[str, Any], samples: int) -> Iterator[Coverage]:
    for spread in plan["amounts"]["spreads"]:
        middle = float(plan["amounts"]["median"])
        known = middle * np.exp(spread * rng.normal(size=20_000))
        truth = middle * math.exp(spread * spread / 2)
        for n in plan["sizes"]:
            held, drawn = 0, max(200, min(samples, 4_000_000 // n))
            for _ in range(drawn):
                one = middle * np.exp(spread * rng.normal(size=n))
                sums = Sums(n, float(one.sum()), float(one @ one))
                scale = float(min(known.min(), one.min())), float(max(known.max(), one.max()))
                held += _holds(estimate("mean", sums, scale=scale), truth)
            yield Coverage("order value", str(n), f"log-normal {spread}", held, drawn)


def _scores(rng: np.random.Generator, n: int) -> Floats:
    """Rows of a score and four flags; the second goes with the first, the last has no effect."""
    first = rng.random(n) < 0.2
    second = rng.random(n) < np.where(first, 0.5, 0.1)
    third, idle = rng.random(n) < 0.08, rng.random(n) < 0.3
    mood = 4.6 - 1.5 * first - 0.8 * second - 1.0 * third + rng.normal(size=n)
    return np.column_stack((np.clip(np.round(mood), 1, 5), first, second, third, idle)).astype(np.float64)


def _moments(rows: Floats) -> tuple[int, list[float], list[list[float]]]:
    return len(rows), rows.sum(axis=0).tolist(), (rows.T @ rows).tolist()


def _holds(found: Any, truth: float) -> bool:
    """Whether an interval is given and holds the truth."""
    low, high = found.ci_low, found.ci_high
    return low is not None and high is not None and low - 1e-9 <= truth <= high + 1e-9


def _kind(name: str) -> Kind:
    kinds: Mapping[str, Kind] = {"nps": "nps", "proportion": "proportion"}
    return kinds.get(name, "mean")


def _scale(name: str, plan: Mapping[str, Any]) -> Scale:
    return float(plan["scales"][name][0]), float(plan["scales"][name][-1])


def _unit(name: str) -> float:
    return 100.0 if name == "nps" else 1.0


COVERAGES: Sequence[Callable[[int, int], Iterator[Coverage]]] = (figure_coverage, difference_coverage)
