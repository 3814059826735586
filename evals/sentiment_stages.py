"""The stages of the sentiment model, fitted so that each is judged on domains it does not know.

In the n-gram stage every domain, and each side in it, weighs the same; all our own clauses are one domain.
The later stages see only margins of n-gram models that had not seen the domain of the text.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from evals.sentiment_sources import WRITTEN, Reviews, compose, join
from pipeline.features import BUCKETS, Grams, character_grams, word_grams
from pipeline.lexicon import load_lexicon
from pipeline.readings import read_texts
from pipeline.sentiment import LanguageModel, lexicon_evidence, opinion_evidence

Array = NDArray[np.float64]
PENALTY: Final = 5.0
_FOLDS: Final = 3
_COMPOSED: Final = 8000
# Our own domains that are too near one of the reviews' domains to be known when that one is held out.
_RELATED: Final = {
    "hotel": ("hotel", "travel_airline"),
    "computer": ("phones_digital", "shopping"),
    "book": ("books_film",),
    "clothing": ("shopping",),
    "seat": ("travel_airline",),
}
# The first sentence of a review stands for short feedback.
_OPENING_LENGTH: Final = {"zh": 40, "en": 160}
_SENTENCE_ENDS: Final = "。！？!?；;\n."
# One in five texts may be left open; two in a hundred are kept in reserve.
_OPEN_SHARE: Final = 0.18


@dataclass(frozen=True)
class Blind:
    """Texts judged by n-gram models that did not know their domain: margin and evidence (n, 9)."""

    inputs: Array
    labels: NDArray[np.int64]
    domains: NDArray[np.str_]
    importance: Array


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
    return csr_matrix((values, grams.buckets.astype(np.int32), grams.offsets), shape=shape)


def evidence_of(texts: Sequence[str]) -> Array:
    """The lexicon's evidence of each text, shape (n, 8)."""
    return lexicon_evidence(read_texts(texts, load_lexicon()))


def place_domains(language: str, reviews: Reviews) -> Reviews:
    """Give reviews whose domain is not known the likeliest one, so that none leaks into another's test."""
    from sklearn.linear_model import LogisticRegression

    unknown = reviews.domains == ""
    if not unknown.any():
        return reviews
    matrix = matrix_of(language, reviews.texts)
    model = LogisticRegression(C=3.0, max_iter=200).fit(matrix[~unknown], reviews.domains[~unknown])
    domains = reviews.domains.copy()
    domains[unknown] = model.predict(matrix[unknown])
    return Reviews(reviews.texts, reviews.labels, domains)


def fit_grams(language: str, reviews: Reviews, written: Reviews) -> tuple[Array, float]:
    """Weights (BUCKETS,) and intercept that hold in all domains; our clauses count as one domain."""
    parts = [reviews]
    if len(written.texts):
        parts += [written] * 3 + [compose(written, _COMPOSED, seed=7)]
    every = join(parts)
    groups = np.array([WRITTEN if one.startswith(WRITTEN) else one for one in every.domains])
    importance = importance_of(every.labels, groups, 4000)
    return fit(matrix_of(language, every.texts), every.labels, PENALTY, importance)


def judge_blind(language: str, reviews: Reviews, written: Reviews) -> Blind:
    """Every review, its opening, every clause and made-up review of ours, by models blind to its domain."""
    parts: list[Blind] = []
    for domain in np.unique(reviews.domains):
        held = reviews.domains == domain
        near = np.isin(written.domains, [f"{WRITTEN}/{one}" for one in _RELATED[str(domain)]])
        weights, intercept = fit_grams(language, reviews.pick(~held), written.pick(~near))
        rows = reviews.pick(held)
        openings = Reviews(
            [_opening(text, _OPENING_LENGTH[language]) for text in rows.texts], rows.labels, rows.domains
        )
        parts.append(_blind(language, rows, weights, intercept, 1000))
        parts.append(_blind(language, openings, weights, intercept, 500))
    names = np.unique(written.domains)
    for fold in range(_FOLDS):
        held = np.isin(written.domains, names[fold::_FOLDS])
        weights, intercept = fit_grams(language, reviews, written.pick(~held))
        rows = written.pick(held)
        made = compose(rows, _COMPOSED // _FOLDS // 2, seed=11 + fold)
        for part in (rows, made):
            grouped = Reviews(part.texts, part.labels, np.full(len(part.texts), WRITTEN))
            parts.append(_blind(language, grouped, weights, intercept, 1000 / _FOLDS))
    return Blind(
        np.vstack([part.inputs for part in parts]),
        np.concatenate([part.labels for part in parts]),
        np.concatenate([part.domains for part in parts]),
        np.concatenate([part.importance for part in parts]),
    )


def fit_combination(blind: Blind) -> Array:
    """Weights of margin and evidence and a constant, shape (10,)."""
    weights, constant = fit(blind.inputs, blind.labels, 1.0, blind.importance)
    return np.append(weights, constant)


def fit_opinion(blind: Blind, calm: Array, combination: Array) -> Array:
    """Tell opinions from texts without one; `calm` is margin and evidence (m, 9) of such; shape (4,).

    Opinions weigh six times as much as calm texts.
    """
    rows = np.vstack((blind.inputs, calm))
    combined = np.column_stack((rows, np.ones(len(rows)))) @ combination
    held = np.concatenate((np.ones(len(blind.inputs)), np.zeros(len(calm))))
    share = blind.importance / blind.importance.sum()
    importance = np.concatenate((share * 6000, np.full(len(calm), 1000 / len(calm))))
    slope, base = fit(opinion_evidence(combined, rows[:, 1:])[:, :-1], held, 10.0, importance)
    # Called neutral, an opinion is lost: it counts twice over what the fit allows.
    return np.append(slope, base + np.log(2.0))


def threshold_of(blind: Blind, model: LanguageModel) -> float:
    """The confidence below which the texts of unseen domains that are least sure (18%) fall."""
    confidence = model.probabilities(blind.inputs[:, 0], blind.inputs[:, 1:]).max(axis=1)
    order = np.argsort(confidence, kind="stable")
    reached = np.cumsum(blind.importance[order]) / blind.importance.sum()
    return float(confidence[order[np.searchsorted(reached, _OPEN_SHARE)]])


def importance_of(labels: NDArray[np.int64], groups: NDArray[np.str_], total: float) -> Array:
    """Each group, and each label in it, weighs the same: `total`, shared by its rows."""
    weights = np.zeros(len(labels))
    for group in np.unique(groups):
        for label in (0, 1):
            cell = (groups == group) & (labels == label)
            weights[cell] = total / max(1, cell.sum())
    return weights


def fit(inputs: Any, labels: Any, penalty: float, importance: Array | None = None) -> tuple[Array, float]:
    """Logistic regression; weights and intercept. Without `importance` both labels weigh the same."""
    from sklearn.linear_model import LogisticRegression

    balance = None if importance is not None else "balanced"
    model = LogisticRegression(C=penalty, solver="liblinear", tol=0.01, max_iter=500, class_weight=balance)
    model.fit(inputs, labels, sample_weight=importance)
    return model.coef_[0], float(model.intercept_[0])


def _blind(language: str, rows: Reviews, weights: Array, intercept: float, total: float) -> Blind:
    margins = matrix_of(language, rows.texts) @ weights + intercept
    inputs = np.column_stack((margins, evidence_of(rows.texts)))
    return Blind(inputs, rows.labels, rows.domains, importance_of(rows.labels, rows.domains, total))


def _opening(text: str, length: int) -> str:
    ends = [at for at, sign in enumerate(text[:length]) if sign in _SENTENCE_ENDS]
    return text[: ends[0] if ends else length]
