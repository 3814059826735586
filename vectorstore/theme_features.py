"""What themes are clustered by: the meaning of a text and its words, side by side."""

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from vectorstore.embedder import Vectors
from vectorstore.tokens import Clause

_TOPICS = 100
_WIDTH = 128
# Words beside meaning: measured on labelled sets, 0.7 beats either alone and equal parts.
_WORD_WEIGHT = 0.7
_MIN_TEXTS = 3
# Columns and rounds beyond the bare minimum, for accuracy of the decomposition.
_SPARE = 10
_POWER = 3
_MAX_SHARE = 0.3


def theme_features(
    texts: Sequence[Sequence[Clause]], vectors: Vectors, mentions: Vectors | None = None
) -> Vectors:
    """Join sentence vectors (n, d) with latent topics of the words; unit rows, shape (n, at most 128).

    Words: TF-IDF reduced by a truncated singular value decomposition (Deerwester et al. 1990). Both
    sides are centred and scaled alike, then projected on their principal components. What the names in
    `mentions` (n, m), 0 or 1, explain of the vectors is taken out first, by least squares.
    """
    centred = _without(vectors - vectors.mean(axis=0), mentions)
    topics = _topics(texts)
    if topics is not None:
        scale = float(np.linalg.norm(centred, axis=1).mean())
        centred = np.hstack([_unit(centred) * scale, _WORD_WEIGHT * scale * _unit(topics)])
    joined = _unit(centred)
    _, axes = np.linalg.eigh(joined.T @ joined)
    return _unit(joined @ axes[:, ::-1][:, :_WIDTH])


def _without(centred: Vectors, mentions: Vectors | None) -> Vectors:
    """Residuals of a ridge regression of the vectors on the names that the texts hold."""
    if mentions is None or not mentions.shape[1]:
        return centred
    held = mentions - mentions.mean(axis=0)
    gram = held.T @ held + np.eye(held.shape[1], dtype=np.float32)
    residual: Vectors = centred - held @ np.linalg.solve(gram, held.T @ centred)
    return residual


def _topics(texts: Sequence[Sequence[Clause]]) -> Vectors | None:
    from scipy.sparse import csr_matrix

    counts = [Counter(word for clause in text for word in clause) for text in texts]
    spread = Counter(word for count in counts for word in count)
    most = max(_MIN_TEXTS, _MAX_SHARE * len(texts))
    kept = sorted(word for word, n in spread.items() if _MIN_TEXTS <= n <= most)
    width = min(_TOPICS, len(kept) - _SPARE, len(texts) - _SPARE)
    if width < 2:
        return None
    column = {word: number for number, word in enumerate(kept)}
    rarity = [1.0 + math.log(len(texts) / spread[word]) for word in kept]
    rows, columns, values = [], [], []
    for row, count in enumerate(counts):
        for word, times in count.items():
            if (place := column.get(word)) is not None:
                rows.append(row)
                columns.append(place)
                values.append((1.0 + math.log(times)) * rarity[place])
    matrix = csr_matrix((values, (rows, columns)), shape=(len(texts), len(kept)), dtype=np.float32)
    lengths = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1)))
    matrix = matrix.multiply(1.0 / np.maximum(lengths, 1e-12)).tocsr()
    return _projected(matrix, width)


def _projected(matrix: Any, width: int) -> Vectors:
    """Rows of a sparse matrix on its `width` first singular vectors (Halko et al. 2011, algorithm 4.4)."""
    start = np.random.default_rng(0).standard_normal((matrix.shape[1], width + _SPARE), dtype=np.float32)
    basis, _ = np.linalg.qr(matrix @ start)
    for _ in range(_POWER):
        across, _ = np.linalg.qr(matrix.T @ basis)
        basis, _ = np.linalg.qr(matrix @ across)
    left, values, _ = np.linalg.svd((matrix.T @ basis).T, full_matrices=False)
    projected: Vectors = (basis @ (left * values))[:, :width].astype(np.float32)
    return projected


def _unit(rows: Vectors) -> Vectors:
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    unit: Vectors = (rows / np.maximum(norms, 1e-12)).astype(np.float32)
    return unit
