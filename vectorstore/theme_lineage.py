"""Which new theme is which old one: ids that survive a new clustering."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

# Shared texts over all texts of both; below this a theme is another one.
_SAME = 0.2


@dataclass(frozen=True)
class Descent:
    """The id of a new theme and where it comes from: kept (`old` is its id), split off, or born."""

    theme_id: str
    kept: bool
    parent: str | None = None
    merged: tuple[str, ...] = ()


def trace(
    clusters: Sequence[Sequence[str]], old: Mapping[str, str], weights: Mapping[str, int], prefix: str = "t"
) -> list[Descent]:
    """Say for each new cluster (of text keys) which old theme it continues.

    `old` maps text keys to old theme ids. Pairs are those of greatest total overlap (Jaccard of shared
    items, assigned by the Hungarian method, Kuhn 1955). An old theme that continues nowhere is merged
    into the cluster that holds most of it; a new cluster made mostly of one old theme is split from it.
    """
    ids = sorted(set(old.values()))
    shared = _shared(clusters, old, weights, ids)
    sizes = np.array([sum(weights[key] for key in keys) for keys in clusters], dtype=np.float64)
    before = dict.fromkeys(ids, 0)
    for key, theme in old.items():
        before[theme] += weights.get(key, 0)
    held = np.array([before[theme] for theme in ids], dtype=np.float64)
    pairs = _pairs(shared, sizes, held)
    merged: dict[int, list[str]] = {}
    for column, theme in enumerate(ids):
        if column not in pairs.values() and held[column] and shared[:, column].max() * 2 > held[column]:
            merged.setdefault(int(shared[:, column].argmax()), []).append(theme)
    taken = set(ids)
    found = []
    for row, keys in enumerate(clusters):
        into = tuple(merged.get(row, ()))
        if row in pairs:
            found.append(Descent(ids[pairs[row]], kept=True, merged=into))
            continue
        parent = None
        if ids and shared[row].max() * 2 > sizes[row]:
            parent = ids[int(shared[row].argmax())]
        theme_id = new_id(keys, taken, prefix)
        taken.add(theme_id)
        found.append(Descent(theme_id, kept=False, parent=parent, merged=into))
    return found


def new_id(keys: Sequence[str], taken: set[str], prefix: str = "t") -> str:
    """An id drawn from the texts a theme was born with, and not yet taken."""
    for salt in range(len(taken) + 1):
        digest = hashlib.sha256("\n".join([str(salt), *sorted(keys)]).encode()).hexdigest()
        if (theme_id := f"{prefix}-{digest[:10]}") not in taken:
            return theme_id
    raise AssertionError("more salts than taken ids cannot all be taken")


def _shared(
    clusters: Sequence[Sequence[str]], old: Mapping[str, str], weights: Mapping[str, int], ids: Sequence[str]
) -> "np.ndarray[tuple[int, int], np.dtype[np.float64]]":
    column = {theme: number for number, theme in enumerate(ids)}
    shared = np.zeros((len(clusters), len(ids)))
    for row, keys in enumerate(clusters):
        for key in keys:
            if (theme := old.get(key)) is not None:
                shared[row, column[theme]] += weights[key]
    return shared


def _pairs(
    shared: "np.ndarray[tuple[int, int], np.dtype[np.float64]]",
    sizes: "np.ndarray[tuple[int], np.dtype[np.float64]]",
    held: "np.ndarray[tuple[int], np.dtype[np.float64]]",
) -> dict[int, int]:
    from scipy.optimize import linear_sum_assignment

    if not shared.size:
        return {}
    overlap = shared / np.maximum(sizes[:, None] + held[None, :] - shared, 1.0)
    rows, columns = linear_sum_assignment(overlap, maximize=True)
    return {
        int(row): int(column)
        for row, column in zip(rows, columns, strict=True)
        if overlap[row, column] >= _SAME
    }
