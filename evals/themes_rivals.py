"""What others make of the same vectors: k-means, UMAP + HDBSCAN, BERTopic. For comparison only."""

import importlib
import importlib.util
import os
import time
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from store.errors import InputError
from vectorstore.embedder import Vectors

Labels = NDArray[np.intp]
_NEEDED: Final = ("bertopic", "hdbscan", "umap")
INSTALL: Final = (
    "uv pip install -c constraints.txt --group rivals && uv pip install -c constraints.txt --no-deps bertopic"
)
# BERTopic's own settings of UMAP.
_UMAP: Final[dict[str, Any]] = {
    "n_neighbors": 15,
    "n_components": 5,
    "min_dist": 0.0,
    "metric": "cosine",
    "random_state": 42,
}
_SIZES: Final = (5, 10, 15, 20, 30, 40, 60, 80, 120, 180, 260, 400)
_SEEDS: Final = 5
# UMAP takes another way, and compiles it, from 4,096 texts.
_WARM: Final = 4_500


class Attempt(NamedTuple):
    """Labels of one method, -1 for outliers, by the name it goes by in the report."""

    method: str
    labels: Labels


def require_rivals() -> None:
    """InputError that says how to install them, where one is missing."""
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise InputError(f"not installed: {', '.join(missing)} (comparison only)", hint=INSTALL)


def attempts(texts: Sequence[str], vectors: Vectors, groups: int) -> list[Attempt]:
    """All rivals, at their own number of themes and at `groups`. One UMAP serves all that begin with it."""
    from sklearn.cluster import KMeans

    reduced = np.asarray(_module("umap").UMAP(**_UMAP).fit_transform(vectors))
    found = [
        Attempt(f"k-means, seed {seed}", KMeans(groups, n_init=1, random_state=seed).fit_predict(vectors))
        for seed in range(_SEEDS)
    ]
    by_size = {size: _hdbscan(reduced, size) for size in _SIZES}
    nearest = min(by_size.values(), key=lambda labels: abs(_count(labels) - groups))
    found += [
        Attempt("UMAP + HDBSCAN, same number", nearest),
        Attempt("UMAP + HDBSCAN, own number", by_size[10]),
        Attempt("BERTopic, same number", _bertopic(texts, vectors, reduced, groups)),
        Attempt("BERTopic, own number", _bertopic(texts, vectors, reduced, None)),
        Attempt("UMAP + k-means", KMeans(groups, n_init=1, random_state=0).fit_predict(reduced)),
    ]
    return found


def bertopic_seconds(texts: Sequence[str], vectors: Vectors) -> tuple[float, float]:
    """Wall and processor seconds of BERTopic as it comes, given vectors; compiled beforehand on 4,500."""
    model = _module("bertopic").BERTopic
    model(embedding_model=None).fit_transform(list(texts[:_WARM]), embeddings=vectors[:_WARM])
    _end_workers()
    helped = _helped()
    wall, processor = timed(
        lambda: model(embedding_model=None).fit_transform(list(texts), embeddings=vectors)
    )
    _end_workers()
    return wall, processor + _helped() - helped


def _end_workers() -> None:
    """End the processes that HDBSCAN started: this one cannot leave before they have idled for minutes."""
    _module("joblib.externals.loky").get_reusable_executor().shutdown(wait=True)


def _helped() -> float:
    """Processor seconds of processes that this one started and that have ended."""
    spent = os.times()
    return spent.children_user + spent.children_system


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Wall and processor seconds."""
    wall, processor = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - processor


def _module(name: str) -> Any:
    return importlib.import_module(name)


def _hdbscan(reduced: Vectors, size: int) -> Labels:
    found: Labels = _module("hdbscan").HDBSCAN(min_cluster_size=size).fit_predict(reduced)
    return found


def _count(labels: Labels) -> int:
    return len(set(labels.tolist()) - {-1})


class _Reduced:
    """What UMAP gave, in the place where BERTopic would run it again."""

    def __init__(self, rows: Vectors) -> None:
        self._rows = rows

    def fit(self, *_: object, **__: object) -> "_Reduced":
        return self

    def transform(self, _: object) -> Vectors:
        return self._rows


def _bertopic(texts: Sequence[str], vectors: Vectors, reduced: Vectors, groups: int | None) -> Labels:
    topics = None if groups is None else groups + 1  # its outliers count as one
    model = _module("bertopic").BERTopic(embedding_model=None, umap_model=_Reduced(reduced), nr_topics=topics)
    labels, _ = model.fit_transform(list(texts), embeddings=vectors)
    return np.asarray(labels, dtype=np.intp)
