"""Customers with similar traits: k-means on standardised traits, the number of groups by silhouette.

MacQueen 1967 with Arthur and Vassilvitskii's seeding (2007); silhouette after Rousseeuw 1987. Heavy-tailed
counts go in as logarithms, so that one loud customer is no segment of his own.
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

    members: tuple[int, ...]
    traits: tuple[Trait, ...]

    def telling(self, most: int = 2) -> tuple[Trait, ...]:
        """The traits that set it apart by half a standard deviation or more."""
        return tuple(trait for trait in self.traits[:most] if abs(trait.distance) >= _TELLING)


@dataclass(frozen=True)
class Segmentation:
    """Segments, largest first; `silhouette` -1..1 says how well they are separated (0.25 is weak)."""

    segments: tuple[Segment, ...]
    silhouette: float


def find_segments(
    traits: Mapping[str, Sequence[float | None]], *, logged: frozenset[str] = frozenset(), seed: int = 0
) -> Segmentation | None:
    """Group customers by traits, each a column of the same length n; None below 30 customers.

    A missing value counts as the mean of its column. Columns without spread are left out. `logged` names
    those taken as logarithms. Groups smaller than 3% are not accepted.
    """
    from sklearn.cluster import KMeans
    from sklearn.metrics import silhouette_score

    names = [name for name, column in traits.items() if _spread(column)]
    n = len(next(iter(traits.values()), ()))
    if n < LEAST_CUSTOMERS or not names:
        return None
    raw = np.column_stack([_filled(traits[name]) for name in names])
    scaled = np.column_stack(
        [
            _standard(np.log1p(column) if name in logged else column)
            for name, column in zip(names, raw.T, strict=True)
        ]
    )
    different = len(np.unique(scaled, axis=0))
    rng = np.random.default_rng(seed)
    judged = rng.choice(n, _JUDGED, replace=False) if n > _JUDGED else np.arange(n)
    best: tuple[float, NDArray[np.int32]] | None = None
    for count in range(2, min(_MOST_SEGMENTS, n // 10, different) + 1):
        told = KMeans(count, n_init=10, random_state=seed).fit_predict(scaled)
        if np.bincount(told).min() < math.ceil(_SMALLEST_SHARE * n) or len(set(told[judged].tolist())) < 2:
            continue
        score = float(silhouette_score(scaled[judged], told[judged]))
        if best is None or score > best[0]:
            best = score, told
    if best is None:
        return None
    score, told = best
    groups = sorted({int(one) for one in told}, key=lambda one: (-int((told == one).sum()), one))
    return Segmentation(tuple(_segment(told == one, names, raw, scaled) for one in groups), score)


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
    return Segment(tuple(np.flatnonzero(members).tolist()), tuple(traits))


def _spread(column: Sequence[float | None]) -> bool:
    return len({value for value in column if value is not None}) > 1


def _filled(column: Sequence[float | None]) -> Floats:
    known = [value for value in column if value is not None]
    mean = sum(known) / len(known)
    return np.array([mean if value is None else value for value in column], dtype=np.float64)


def _standard(column: Floats) -> Floats:
    return np.asarray((column - column.mean()) / max(float(column.std()), 1e-12), dtype=np.float64)
