"""Clusters that stay the same between runs: spherical k-means from agreed starting points.

Plain k-means depends on its seed more than on the data. Here many short runs on small samples propose
centroids, Ward's method groups the proposals, and one long run starts from the groups (Bradley and
Fayyad 1998, "Refining Initial Points for K-Means Clustering"). Every random choice about a text is drawn
from a hash of its key, so order plays no part and a text behaves alike whichever other texts are there.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vectorstore.embedder import Vectors

Draws = NDArray[np.uint64]
Assignment = NDArray[np.intp]

_RUNS = 30
_SAMPLE = 2_000
_SEARCH_RUNS = 6
_SEARCH_SAMPLE = 4_000
# Steps of a seventh: the choice of a neighbouring number changes little.
_GRID = (3, 4, 5, 6, 7, 8, 9, 10, 12, 14, 16, 18, 21, 24, 28, 32, 37, 43, 49, 56, 64, 74, 85)
# So many can always be looked through, where each holds so many texts.
_FEW = 28
_EACH = 25
# The smallest number of clusters that is nearly as good as the best is the readable one.
_NEARLY = 0.97


@dataclass(frozen=True)
class Clustering:
    """`labels` (n,) number each row's cluster; `centroids` (k, d) are unit vectors."""

    labels: Assignment
    centroids: Vectors


def draws_of(keys: Sequence[str]) -> Draws:
    """One 64-bit hash a key, from which all chance about that key is drawn; shape (len(keys),)."""
    digests = b"".join(hashlib.blake2b(key.encode(), digest_size=8).digest() for key in keys)
    return np.frombuffer(digests, dtype="<u8").astype(np.uint64)


def cluster(features: Vectors, draws: Draws, weights: Vectors, smallest: int) -> Clustering:
    """Cluster unit rows into a number of clusters chosen by the data, none under `smallest` rows.

    `features` (n, d), `draws` (n,), `weights` (n,) positive. The number is the least of a grid whose
    simplified silhouette (Hruschka 2006: distances to centroids) comes within 3% of the best.
    """
    if len(features) < 2 * smallest:
        return _one(features, weights)
    # Fewer clusters than this mix matters that people tell apart; more than that cannot be read.
    count = len(features)
    fewest, most = round(np.cbrt(count)), round(max(np.sqrt(count / 4), min(count / _EACH, _FEW)))
    grid = [k for k in _GRID if fewest <= k <= min(most, len(features) // smallest)] or [
        max(2, min(fewest, _GRID[-1], len(features) // smallest))
    ]
    sample = sampled(draws, 0, _SEARCH_SAMPLE)
    chosen = _readable(features[sample], draws[sample], weights[sample], grid)
    return dissolve_small(features, weights, agreed_kmeans(features, draws, weights, chosen), smallest)


def agreed_kmeans(features: Vectors, draws: Draws, weights: Vectors, k: int, runs: int = _RUNS) -> Clustering:
    """k clusters from the agreement of many short runs on samples of 2,000."""
    proposals = _proposals(features, draws, weights, k, runs)
    return _lloyd(features, weights, _grouped(proposals, _tree(proposals), k), rounds=30)


def _readable(features: Vectors, draws: Draws, weights: Vectors, grid: Sequence[int]) -> int:
    """The least number of the grid that is nearly as good as the best, all cut from one tree."""
    if len(grid) == 1:
        return grid[0]
    proposals = _proposals(features, draws, weights, grid[-1], _SEARCH_RUNS)
    tree = _tree(proposals)
    found = [_lloyd(features, weights, _grouped(proposals, tree, k), rounds=3) for k in grid]
    scores = [simplified_silhouette(features, one) for one in found]
    best = max(scores)
    return next(k for k, score in zip(grid, scores, strict=True) if score >= best - (1 - _NEARLY) * abs(best))


def _proposals(features: Vectors, draws: Draws, weights: Vectors, k: int, runs: int) -> Vectors:
    found = []
    for run in range(1, runs + 1):
        sample = sampled(draws, run, _SAMPLE)
        rows = features[sample]
        start = rows[_spread(rows, draws[sample], run, k)]
        found.append(_lloyd(rows, weights[sample], start, rounds=8).centroids)
    return np.concatenate(found)


def _tree(rows: Vectors) -> NDArray[np.float64]:
    from scipy.cluster.hierarchy import linkage

    tree: NDArray[np.float64] = linkage(rows, method="ward")
    return tree


def _grouped(proposals: Vectors, tree: NDArray[np.float64], k: int) -> Vectors:
    """Centres of k groups of the proposals."""
    from scipy.cluster.hierarchy import fcluster

    groups = fcluster(tree, k, criterion="maxclust")
    return unit(np.stack([proposals[groups == group].mean(axis=0) for group in np.unique(groups)]))


def simplified_silhouette(features: Vectors, found: Clustering) -> float:
    """Mean of (b - a) / max(a, b), a and b the cosine distances to the own and the next centroid."""
    if len(found.centroids) < 2:
        return 0.0
    far = 1.0 - features @ found.centroids.T
    rows = np.arange(len(features))
    own = far[rows, found.labels].copy()
    far[rows, found.labels] = np.inf
    other = far.min(axis=1)
    return float(np.mean((other - own) / np.maximum(np.maximum(other, own), 1e-9)))


def dissolve_small(features: Vectors, weights: Vectors, found: Clustering, smallest: int) -> Clustering:
    """Give the rows of clusters under `smallest` rows to their next nearest cluster, smallest first."""
    centroids, labels = found.centroids, found.labels
    while len(centroids) > 1:
        sizes = np.bincount(labels, minlength=len(centroids))
        least = int(sizes.argmin())
        if sizes[least] >= smallest:
            break
        kept = np.delete(centroids, least, axis=0)
        again = _lloyd(features, weights, kept, rounds=1)
        centroids, labels = again.centroids, again.labels
    return Clustering(labels, centroids)


def _one(features: Vectors, weights: Vectors) -> Clustering:
    centre = unit((features * weights[:, None]).sum(axis=0, keepdims=True))
    return Clustering(np.zeros(len(features), dtype=np.intp), centre)


def _uniform(draws: Draws, stream: int) -> NDArray[np.float64]:
    """Numbers in (0, 1), one a draw, independent between streams (SplitMix64, Steele et al. 2014)."""
    z = draws + np.uint64((stream * 0x9E3779B97F4A7C15) % 2**64)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    whole = ((z ^ (z >> np.uint64(31))) >> np.uint64(11)).astype(np.float64)
    return whole * 2.0**-53 + 2.0**-54


def sampled(draws: Draws, run: int, size: int) -> Assignment:
    """Rows of a sample of about `size`, the same ones whatever else is there, in the order of draws."""
    order = np.argsort(draws, kind="stable")
    if len(draws) <= size:
        return order
    chosen = order[np.argsort(_uniform(draws[order], 1_000_003 * (run + 1)), kind="stable")[:size]]
    return np.sort(chosen)


def _spread(rows: Vectors, draws: Draws, run: int, k: int) -> list[int]:
    """k-means++ starting rows (Arthur and Vassilvitskii 2007), chosen by the exponential race.

    The least of -log(u) / p falls on a row with probability p, and hardly changes when rows come or go.
    """
    chosen = [int(_uniform(draws, 7_919 * run).argmin())]
    far = np.maximum(1.0 - rows @ rows[chosen[0]], 0.0)
    for step in range(1, k):
        race = -np.log(_uniform(draws, 7_919 * run + 104_729 * step)) / np.maximum(far, 1e-12)
        chosen.append(int(race.argmin()))
        far = np.minimum(far, np.maximum(1.0 - rows @ rows[chosen[-1]], 0.0))
    return chosen


def _lloyd(rows: Vectors, weights: Vectors, centroids: Vectors, rounds: int) -> Clustering:
    from scipy.sparse import csr_matrix

    count = len(rows)
    labels = (rows @ centroids.T).argmax(axis=1)
    for _ in range(rounds):
        member = csr_matrix((weights, (labels, np.arange(count))), shape=(len(centroids), count))
        sums = np.asarray(member @ rows, dtype=np.float32)
        empty = np.bincount(labels, minlength=len(centroids)) == 0
        centroids = np.where(empty[:, None], centroids, unit(sums))
        before, labels = labels, (rows @ centroids.T).argmax(axis=1)
        if (before == labels).all():
            break
    return Clustering(labels, centroids)


def unit(rows: Vectors) -> Vectors:
    """Rows at unit length; a row of nothing stays one."""
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    unit: Vectors = (rows / np.maximum(norms, 1e-12)).astype(np.float32)
    return unit
