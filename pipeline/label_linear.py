"""Linear models on hashed n-grams that start from another model's answer: features, fitting, folding.

A logistic regression with an offset (the answer of the model that is there already) and a ridge penalty: with
few labels it stays where it was, with many it goes its own way. Directions in which unlabelled texts vary
(latent semantic analysis, Deerwester et al. 1990) are inputs as well, so that what is learnt of one word
moves its neighbours; as everything is linear, they fold back into one weight a bucket.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pipeline.features import BUCKETS, Grams, character_grams, word_grams

Floats = NDArray[np.float64]
Places = NDArray[np.intp]
FOLDS: Final = 5
_DIRECTIONS: Final = 100
# Directions of fewer texts than this are noise.
LEAST_TEXTS: Final = 1_000
_LEAST_USES: Final = 3
_ROUNDS: Final = 300


@dataclass(frozen=True)
class Space:
    """The n-grams that occur often enough (`buckets`), their inverse document frequency, and directions.

    `directions` (len(buckets), k), k = 0 where there were too few texts; scaled so that the mean text has
    length 1 in them.
    """

    chinese: bool
    buckets: NDArray[np.int64]
    rarity: Floats
    directions: Floats

    def inputs(self, texts: Sequence[str]) -> Any:
        """Sparse matrix (n, len(buckets) + k) of a batch of texts."""
        from scipy.sparse import csr_matrix, hstack

        matrix = gram_matrix(grams_of(texts, self.chinese))[:, self.buckets]
        if not self.directions.shape[1]:
            return matrix
        return hstack([matrix, csr_matrix(matrix.multiply(self.rarity) @ self.directions)]).tocsr()

    def folded(self, weights: Floats) -> NDArray[np.float32]:
        """Weights of `inputs` as one weight a bucket; shape (BUCKETS,)."""
        count = len(self.buckets)
        dense = np.zeros(BUCKETS, dtype=np.float32)
        dense[self.buckets] = weights[:count] + self.rarity * (self.directions @ weights[count:])
        return dense


def grams_of(texts: Sequence[str], chinese: bool) -> Grams:
    """The n-grams of a language, as the shipped model has them."""
    return character_grams(texts) if chinese else word_grams(texts)


def gram_matrix(grams: Grams) -> Any:
    """Counts of n-grams divided by the root of their number; sparse (n, BUCKETS)."""
    from scipy.sparse import csr_matrix

    sizes = np.diff(grams.offsets)
    values = np.repeat(1 / np.sqrt(np.maximum(sizes, 1)), sizes)
    shape = (len(sizes), BUCKETS)
    matrix = csr_matrix((values, grams.buckets.astype(np.int32), grams.offsets), shape=shape)
    matrix.sum_duplicates()
    return matrix


def gram_sums(grams: Grams, weights: NDArray[np.float32]) -> Floats:
    """`gram_matrix(grams) @ weights` without the matrix; shape (n,)."""
    running = np.concatenate(([0.0], np.cumsum(weights[grams.buckets], dtype=np.float64)))
    sizes = np.diff(grams.offsets)
    sums: Floats = running[grams.offsets[1:]] - running[grams.offsets[:-1]]
    return sums / np.sqrt(np.maximum(sizes, 1))


def learn_space(labelled: Sequence[str], others: Sequence[str], chinese: bool) -> Space:
    """The space of all texts of one language that are there, labelled or not."""
    from sklearn.utils.extmath import randomized_svd

    texts = list(dict.fromkeys((*labelled, *others)))
    matrix = gram_matrix(grams_of(texts, chinese))
    uses = np.bincount(matrix.indices, minlength=BUCKETS)
    # With few texts a rare n-gram may be all there is to learn from.
    buckets = np.flatnonzero(uses >= (_LEAST_USES if len(texts) >= LEAST_TEXTS else 1))
    rarity = np.log((len(texts) + 1) / (uses[buckets] + 1)) + 1
    if len(texts) < LEAST_TEXTS:
        return Space(chinese, buckets, rarity, np.zeros((len(buckets), 0)))
    scaled = matrix[:, buckets].multiply(rarity).tocsr()
    _, _, directions = randomized_svd(scaled, _DIRECTIONS, n_iter=2, random_state=0)
    placed = scaled @ directions.T
    return Space(chinese, buckets, rarity, directions.T / np.sqrt((placed**2).sum(axis=1).mean()))


def fit(
    inputs: Any, truth: Floats, offset: Floats, penalty: float, importance: Floats | None = None
) -> Floats:
    """Weights that minimise the log loss of `offset + inputs @ weights` plus |weights|^2 / (2 penalty).

    `truth` (n,) of 0 and 1; `importance` (n,) of the rows, 1 by default. By L-BFGS; deterministic.
    """
    from scipy.optimize import minimize

    signs = 2 * truth - 1
    weighs = np.ones(len(truth)) if importance is None else importance

    def loss(weights: Floats) -> tuple[float, Floats]:
        margin = signs * (inputs @ weights + offset)
        slope = inputs.T @ (weighs * signs * sigmoid(-margin))
        total = weighs @ np.logaddexp(0, -margin) + weights @ weights / (2 * penalty)
        return float(total), weights / penalty - slope

    start = np.zeros(inputs.shape[1])
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": _ROUNDS})
    weights: Floats = found.x
    return weights


def cross_margins(fitted: Callable[[Places], Callable[[Places], Floats]], folds: NDArray[np.int64]) -> Floats:
    """Margins of each text by a model that did not see its fold; shape (n,).

    `fitted(places)` fits on these rows and returns what predicts rows.
    """
    margins = np.zeros(len(folds))
    for fold in np.unique(folds):
        held = np.flatnonzero(folds == fold)
        margins[held] = fitted(np.flatnonzero(folds != fold))(held)
    return margins


def scaling(margins: Floats, truth: Floats) -> tuple[float, float]:
    """Slope and shift that make margins probabilities (Platt 1999), pulled to 1 and 0: with fifty texts by
    about a third of the way, with a thousand hardly."""
    inputs = np.column_stack((margins, np.ones(len(margins))))
    slope, shift = fit(inputs, truth, margins, 0.3)
    return float(1 + slope), float(shift)


def log_loss(margins: Floats, truth: Floats) -> float:
    """Mean log loss of margins."""
    return float(np.logaddexp(0, -(2 * truth - 1) * margins).mean())


def sigmoid(values: Floats) -> Floats:
    """1 / (1 + exp(-values)), without overflow."""
    return 1.0 / (1.0 + np.exp(-np.clip(values, -30.0, 30.0)))
