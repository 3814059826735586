"""The n-gram stage of the sentiment model: counts scaled by how one-sided each n-gram is.

The weights come from logistic regression on them. Every domain, and each side in it, weighs
the same; all our own clauses are one domain.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from evals.sentiment_calm import Calm, asked
from evals.sentiment_sources import WRITTEN, Reviews, compose, join
from pipeline.features import BUCKETS, Grams, character_grams, word_grams

Array = NDArray[np.float64]
COMPOSED: Final = 8000
_PENALTY: Final = 1.5
_OPINION_PENALTY: Final = 1.0
# N-grams of fewer training texts are noise; added to both sides of a ratio, and to its strength.
_LEAST_TEXTS: Final = 3
_SMOOTHING: Final = 1.0
_LEAST_STRENGTH: Final = 0.25
_GROUP_WEIGHT: Final = 4000.0
# The first sentence of a review stands for short feedback.
_OPENING_LENGTH: Final = {"zh": 40, "en": 160}
_SENTENCE_ENDS: Final = "。！？!?；;\n."


@dataclass(frozen=True)
class Weights:
    """One weight a bucket (BUCKETS,) and the intercept."""

    buckets: Array
    intercept: float

    def margins(self, matrix: Any) -> Array:
        """Of the rows of `matrix_of`; shape (n,)."""
        margins: Array = matrix @ self.buckets + self.intercept
        return margins


def grams_of(language: str, texts: Sequence[str]) -> Grams:
    """The n-grams of a language: of characters for Chinese, of words for English."""
    return (character_grams if language == "zh" else word_grams)(texts)


def matrix_of(language: str, texts: Sequence[str]) -> Any:
    """Counts of n-grams over the root of their number, as a sparse matrix (n, BUCKETS)."""
    from scipy.sparse import csr_matrix

    grams = grams_of(language, texts)
    sizes = np.diff(grams.offsets)
    values = np.repeat(1 / np.sqrt(np.maximum(sizes, 1)), sizes)
    shape = (len(sizes), BUCKETS)
    matrix = csr_matrix((values, grams.buckets.astype(np.int32), grams.offsets), shape=shape)
    matrix.sum_duplicates()
    return matrix


def openings(language: str, reviews: Reviews) -> Reviews:
    """The first sentence of each review."""
    length = _OPENING_LENGTH[language]
    return Reviews([_opening(text, length) for text in reviews.texts], reviews.labels, reviews.domains)


def fit_polarity(language: str, reviews: Reviews, written: Reviews) -> Weights:
    """Praise against complaint, in all domains."""
    real = join([reviews, written])
    every = join([real, written, written, compose(written, COMPOSED, seed=7)])
    importance = importance_of(every.labels, _groups(every), _GROUP_WEIGHT)
    return _fit_scaled(matrix_of(language, every.texts), every.labels, importance, len(real.texts), _PENALTY)


def fit_opinion(language: str, reviews: Reviews, written: Reviews, calm: Calm) -> Weights:
    """Opinions (openings, a third of the reviews, clauses plain and with a question) against none."""
    every = join(
        [
            openings(language, reviews),
            reviews.pick(slice(None, None, 3)),
            written,
            asked(written, language, 3),
        ]
    )
    labels = np.concatenate((np.ones(len(every.texts), np.int64), np.zeros(len(calm.texts), np.int64)))
    groups = _groups(every)
    held = importance_of(np.ones(len(groups), np.int64), groups, _GROUP_WEIGHT)
    importance = np.concatenate((held, calm.importance / calm.importance.sum() * held.sum() / 2))
    matrix = matrix_of(language, [*every.texts, *calm.texts])
    return _fit_scaled(matrix, labels, importance, len(labels), _OPINION_PENALTY)


def importance_of(labels: NDArray[np.int64], groups: NDArray[np.str_], total: float) -> Array:
    """Each group, and each label in it, weighs the same: `total`, shared by its rows."""
    weights = np.zeros(len(labels))
    for group in np.unique(groups):
        for label in (0, 1):
            cell = (groups == group) & (labels == label)
            weights[cell] = total / max(1, cell.sum())
    return weights


def fit(inputs: Any, labels: Any, penalty: float, importance: Array) -> tuple[Array, float]:
    """Logistic regression; weights and intercept."""
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=penalty, solver="liblinear", tol=0.01, max_iter=500)
    model.fit(inputs, labels, sample_weight=importance)
    return model.coef_[0], float(model.intercept_[0])


def _fit_scaled(
    matrix: Any, labels: NDArray[np.int64], importance: Array, real: int, penalty: float
) -> Weights:
    """Counts scaled by the log ratio of naive Bayes (Wang and Manning 2012), without sign.

    Only the first `real` rows count towards how many texts an n-gram is in.
    """
    from scipy.sparse import diags

    held = matrix.sign()
    sides = [held.T @ (importance * (labels == label)) + _SMOOTHING for label in (0, 1)]
    ratio = np.abs(np.log(sides[1] / sides[1].sum()) - np.log(sides[0] / sides[0].sum()))
    known = np.bincount(matrix[:real].indices, minlength=BUCKETS) >= _LEAST_TEXTS
    scale = np.where(known, _LEAST_STRENGTH + ratio, 0.0)
    weights, intercept = fit(matrix @ diags(scale), labels, penalty, importance)
    return Weights(weights * scale, intercept)


def _groups(reviews: Reviews) -> NDArray[np.str_]:
    return np.array([WRITTEN if one.startswith(WRITTEN) else one for one in reviews.domains])


def _opening(text: str, length: int) -> str:
    ends = [at for at, sign in enumerate(text[:length]) if sign in _SENTENCE_ENDS]
    return text[: ends[0] if ends else length]
