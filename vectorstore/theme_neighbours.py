"""Drawing texts towards their neighbours, so that a theme is what many texts agree on."""

import numpy as np

from vectorstore.clusters import Draws, sampled, unit
from vectorstore.embedder import Vectors

# So many texts stand for all: the cost stays linear, and a draw by hash is the same in any order.
_ANCHORS = 6_000
_NEIGHBOURS = 20
_ROUNDS = 3
_PULL = 4.0
_BLOCK = 2_000
_STREAM = 401


def drawn_together(features: Vectors, draws: Draws, smallest: int) -> Vectors:
    """Move each unit row towards the mean of its nearest anchors, three times over; unit rows, (n, d).

    A low-pass filter on the graph of nearest neighbours (simple graph convolution, Wu et al. 2019), with at
    most 6,000 anchors drawn by hash. No row looks at more than `smallest` of them, the size of a theme that
    is just worth its name, nor at more than 20. Time is linear in n.
    """
    near = min(_NEIGHBOURS, smallest, len(features) - 1)
    if near < 1:
        return features
    chosen = sampled(draws, _STREAM, _ANCHORS)
    anchors = features[chosen]
    moved, nearest = anchors, _nearest(anchors, anchors, near)
    for _ in range(_ROUNDS - 1):
        moved = _pulled(anchors, moved, nearest)
    blocks = [features[start : start + _BLOCK] for start in range(0, len(features), _BLOCK)]
    return np.concatenate([_pulled(rows, moved, _nearest(rows, anchors, near)) for rows in blocks])


def _nearest(rows: Vectors, anchors: Vectors, count: int) -> "np.ndarray[tuple[int, int], np.dtype[np.intp]]":
    found = []
    for start in range(0, len(rows), _BLOCK):
        far = -(rows[start : start + _BLOCK] @ anchors.T)
        found.append(np.argpartition(far, count - 1, axis=1)[:, :count])
    return np.concatenate(found)


def _pulled(
    rows: Vectors, moved: Vectors, nearest: "np.ndarray[tuple[int, int], np.dtype[np.intp]]"
) -> Vectors:
    return unit(rows + _PULL * unit(moved[nearest].mean(axis=1)))
