"""Wordings: the few ways in which customers put one theme."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from vectorstore.clusters import Assignment, Draws, agreed_kmeans
from vectorstore.embedder import Vectors
from vectorstore.theme_labels import Terms, name_themes
from vectorstore.tokens import Script

_MOST = 5
_RUNS = 4


class Wording(NamedTuple):
    """Rows of a theme that say it alike: a name, how many, and the row nearest to their middle."""

    label: str
    n: int
    exemplar: int


def wordings(
    features: Vectors,
    draws: Draws,
    weights: Vectors,
    terms: Sequence[Terms],
    script: Script,
    least: int,
) -> list[Wording]:
    """Split the rows of one theme into at most 5 wordings of about `least` rows or more, largest first.

    A theme of fewer than twice as many is one wording and needs no list of them.
    """
    groups = wording_rows(features, draws, weights, least)
    if len(groups) < 2:
        return []
    names = name_themes([[terms[row] for row in rows] for rows in groups], script)
    found = []
    for rows, name in zip(groups, names, strict=True):
        middle = features[rows].mean(axis=0)
        found.append(Wording(name.label, len(rows), int(rows[(features[rows] @ middle).argmax()])))
    return sorted(found, key=lambda one: (-one.n, one.label))


def wording_rows(features: Vectors, draws: Draws, weights: Vectors, least: int) -> list[Assignment]:
    """Row numbers of each wording."""
    count = min(_MOST, len(features) // (2 * least))
    if count < 2:
        return [np.arange(len(features))]
    labels = agreed_kmeans(features, draws, weights, count, _RUNS).labels
    return [np.flatnonzero(labels == label) for label in np.unique(labels)]
