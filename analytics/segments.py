"""Customers with similar traits: k-means on standardised traits, the number of groups by silhouette.

MacQueen 1967 with Arthur and Vassilvitskii's seeding (2007); silhouette after Rousseeuw 1987. Heavy-tailed
counts go in as logarithms, so that one loud customer is no segment of his own. Beyond 10,000 customers the
centres are found on a sample, and everybody goes to the nearest.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
LEAST_CUSTOMERS = 30
_MOST_SEGMENTS = 7
_SMALLEST_SHARE = 0.03
_JUDGED = 2000
FITTED = 10_000
_TELLING = 0.5


@dataclass(frozen=True)
class Trait:
    """One trait of a segment: its mean, the mean of all, and the distance in standard deviations of all."""

    name: str
    mean: float
    overall: float
    distance: float


@dataclass(frozen=True)
class Segment:
    """Members by index among those given; traits by how much they set the segment apart, most first."""

    members: NDArray[np.int64]
    traits: tuple[Trait, ...]

    def telling(self, most: int = 2) -> tuple[Trait, ...]:
        """The traits that set it apart by half a standard deviation or more."""
        return tuple(trait for trait in self.traits[:most] if abs(trait.distance) >= _TELLING)


@dataclass(frozen=True)
class Segmentation:
    """Segments, largest first; `silhouette` -1..1 says how well they are separated (0.25 is weak).

    `fitted` is how many customers the centres were found on.
    """

    segments: tuple[Segment, ...]
    silhouette: float
    fitted: int


def find_segments(
    traits: Mapping[str, Sequence[float | None] | Floats],
    *,
    logged: frozenset[str] = frozenset(),
    seed: int = 0,
) -> Segmentation | None:
    """Group customers by traits, each a column of the same length n; None below 30 customers.

    A missing value (None or NaN) counts as the mean of its column. Columns without spread are left out.
    `logged` names those taken as logarithms. Groups smaller than 3% are not accepted.
    """
    given = {name: np.asarray(column, dtype=np.float64) for name, column in traits.items()}
    names = [name for name, column in given.items() if _spread(column)]
    n = len(next(iter(given.values()), ()))
    if n < LEAST_CUSTOMERS or not names:
        return None
    raw = np.column_stack([_filled(given[name]) for name in names])
    scaled = np.column_stack(
        [
            _standard(np.log1p(column) if name in logged else column)
            for name, column in zip(names, raw.T, strict=True)
        ]
    )
    rng = np.random.default_rng(seed)
    some = scaled[np.sort(rng.choice(n, FITTED, replace=False))] if n > FITTED else scaled
    best = _centres(some, rng, seed)
    if best is None:
        return None
    score, centres = best
    told = _nearest(scaled, centres)
    sizes = np.bincount(told, minlength=len(centres))
    groups = sorted(np.flatnonzero(sizes).tolist(), key=lambda one: (-int(sizes[one]), one))
    segments = tuple(_segment(told == one, names, raw, scaled) for one in groups)
    return Segmentation(segments, score, len(some))


def _centres(points: Floats, rng: np.random.Generator, seed: int) -> tuple[float, Floats] | None:
    """Silhouette and centres of the best number of groups, None where no number gives groups large enough."""
    from sklearn.cluster import KMeans
    from sklearn.metrics import silhouette_score
    from threadpoolctl import threadpool_limits

    n = len(points)
    different = len(np.unique(points, axis=0))
    judged = rng.choice(n, _JUDGED, replace=False) if n > _JUDGED else np.arange(n)
    best: tuple[float, Floats] | None = None
    for count in range(2, min(_MOST_SEGMENTS, n // 10, different) + 1):
        # Seedings agree the more, the more customers there are.
        with threadpool_limits(limits=1):
            fitted = KMeans(count, n_init=10 if n <= _JUDGED else 3, random_state=seed).fit(points)
        told = fitted.labels_
        if np.bincount(told).min() < math.ceil(_SMALLEST_SHARE * n) or len(set(told[judged].tolist())) < 2:
            continue
        score = float(silhouette_score(points[judged], told[judged]))
        if best is None or score > best[0]:
            best = score, fitted.cluster_centers_
    return best


def _nearest(points: Floats, centres: Floats) -> NDArray[np.int64]:
    # The square of a point itself is the same for every centre.
    return np.asarray(np.argmin((centres**2).sum(axis=1) - 2 * points @ centres.T, axis=1), dtype=np.int64)


def _segment(members: NDArray[np.bool_], names: Sequence[str], raw: Floats, scaled: Floats) -> Segment:
    traits = [
        Trait(
            name,
            mean=float(raw[members, at].mean()),
            overall=float(raw[:, at].mean()),
            distance=float(scaled[members, at].mean()),
        )
        for at, name in enumerate(names)
    ]
    traits.sort(key=lambda trait: -abs(trait.distance))
    return Segment(np.flatnonzero(members), tuple(traits))


def _spread(column: Floats) -> bool:
    known = column[np.isfinite(column)]
    return len(known) > 0 and bool(known.max() > known.min())


def _filled(column: Floats) -> Floats:
    known = np.isfinite(column)
    return np.where(known, column, column[known].mean())


def _standard(column: Floats) -> Floats:
    return np.asarray((column - column.mean()) / max(float(column.std()), 1e-12), dtype=np.float64)
