"""The stages of the sentiment model behind the n-grams, fitted on texts that the n-grams had not seen.

Most of these texts are from domains that the n-grams had not seen either, so that the lexicon counts for as
much as it must with feedback of any trade; some are from known ones.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from evals.sentiment_calm import FOLDS, Calm
from evals.sentiment_grams import (
    COMPOSED,
    Array,
    Weights,
    fit,
    fit_opinion,
    fit_polarity,
    importance_of,
    matrix_of,
    openings,
)
from evals.sentiment_sources import WRITTEN, Reviews, compose
from pipeline.lexicon import load_lexicon
from pipeline.readings import read_texts
from pipeline.sentiment import LanguageModel, lexicon_evidence, opinion_evidence

CALM: Final = "calm"
KNOWN: Final = "known/"
"""Before the name of a domain whose other texts the n-grams had seen."""

# Our own domains that are too near one of the reviews' domains to be known when that one is held out.
_RELATED: Final = {
    "hotel": ("hotel", "travel_airline"),
    "computer": ("phones_digital", "shopping"),
    "book": ("books_film",),
    "clothing": ("shopping",),
    "seat": ("travel_airline",),
}
# Of the reviews of known domains, so many parts are held out, out of so many.
_KNOWN_FOLDS, _KNOWN_PARTS = 2, 4
# What the texts of one domain weigh, and how much less those of known domains.
_DOMAIN_WEIGHT: Final = 1000.0
_KNOWN_SHARE: Final = 0.5
# Opinions are more frequent than texts without one, and losing one is worse.
_OPINION_WEIGHT: Final = 12.0
# One in five texts may be left open; two in a hundred are kept in reserve.
_OPEN_SHARE: Final = 0.18


@dataclass(frozen=True)
class Blind:
    """Texts that the n-gram models had not seen: both margins and evidence (n, 10), and what each weighs.

    `labels` are 1 for praise, 0 for complaint, and of no meaning where the domain is CALM.
    """

    inputs: Array
    labels: NDArray[np.int64]
    domains: NDArray[np.str_]
    importance: Array

    def pick(self, rows: NDArray[np.bool_]) -> "Blind":
        """The rows of a mask."""
        return Blind(self.inputs[rows], self.labels[rows], self.domains[rows], self.importance[rows])


def evidence_of(texts: list[str]) -> Array:
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


def judge_blind(language: str, reviews: Reviews, written: Reviews, calm: Calm) -> Blind:
    """Judge every text by models that had not seen it: reviews and their openings, clauses, calm texts.

    Whole domains are held out in turn (of our clauses, a third of the domains), then parts of all domains.
    """
    judge = _Judge(language, calm)
    for domain in np.unique(reviews.domains):
        held = reviews.domains == domain
        near = np.isin(written.domains, [f"{WRITTEN}/{one}" for one in _RELATED[str(domain)]])
        judge.learn(reviews.pick(~held), written.pick(~near))
        judge.read(reviews.pick(held), _DOMAIN_WEIGHT)
        judge.read(openings(language, reviews.pick(held)), _DOMAIN_WEIGHT / 2)
    names = np.unique(written.domains)
    for fold in range(FOLDS):
        held = np.isin(written.domains, names[fold::FOLDS])
        judge.learn(reviews, written.pick(~held))
        made = compose(written.pick(held), COMPOSED // FOLDS // 2, seed=11 + fold)
        for part in (written.pick(held), made):
            judge.read(replace(part, domains=np.full(len(part.texts), WRITTEN)), _DOMAIN_WEIGHT / FOLDS)
    parts = np.random.default_rng(3).integers(0, _KNOWN_PARTS, len(reviews.texts))
    for fold in range(_KNOWN_FOLDS):
        rows = reviews.pick(parts == fold)
        rows = replace(rows, domains=np.array([f"{KNOWN}{one}" for one in rows.domains]))
        judge.learn(reviews.pick(parts != fold), written)
        judge.read(rows, _DOMAIN_WEIGHT * _KNOWN_SHARE / _KNOWN_FOLDS)
        judge.read(openings(language, rows), _DOMAIN_WEIGHT * _KNOWN_SHARE / _KNOWN_FOLDS / 2)
    return judge.all_read()


def fit_combination(blind: Blind) -> Array:
    """Weights of the margin of praise, of the evidence, and a constant, shape (10,)."""
    rows = blind.pick(blind.domains != CALM)
    weights, constant = fit(np.delete(rows.inputs, 1, axis=1), rows.labels, 1.0, rows.importance)
    return np.append(weights, constant)


def fit_held(blind: Blind, combination: Array) -> Array:
    """Tell opinions from texts without one; shape (5,)."""
    inputs, held = blind.inputs, blind.domains != CALM
    cues = inputs[:, 2:]
    combined = np.column_stack((inputs[:, 0], cues, np.ones(len(inputs)))) @ combination
    importance = blind.importance.copy()
    for side, total in ((held, _OPINION_WEIGHT), (~held, 1.0)):
        importance[side] *= total * _DOMAIN_WEIGHT / importance[side].sum()
    evidence = opinion_evidence(combined, inputs[:, 1], cues)
    slope, base = fit(evidence[:, :-1], held, 10.0, importance)
    return np.append(slope, base)


def threshold_of(blind: Blind, model: LanguageModel) -> float:
    """The confidence below which the opinions of unseen domains that are least sure (18%) fall."""
    rows = blind.pick(of_unseen_domains(blind))
    confidence = model.probabilities(rows.inputs[:, :2], rows.inputs[:, 2:]).max(axis=1)
    order = np.argsort(confidence, kind="stable")
    reached = np.cumsum(rows.importance[order]) / rows.importance.sum()
    return float(confidence[order[np.searchsorted(reached, _OPEN_SHARE)]])


def of_unseen_domains(blind: Blind) -> NDArray[np.bool_]:
    """Opinions whose domain the n-gram models did not know."""
    known: NDArray[np.bool_] = np.char.startswith(blind.domains, KNOWN)
    unseen: NDArray[np.bool_] = (blind.domains != CALM) & ~known
    return unseen


class _Judge:
    """Reads texts with the models of what was learnt last; of calm texts a third is held out each time."""

    def __init__(self, language: str, calm: Calm) -> None:
        self._language, self._calm = language, calm
        self._turn = 0
        self._parts: list[Blind] = []
        self._models: tuple[Weights, Weights] | None = None

    def learn(self, reviews: Reviews, written: Reviews) -> None:
        """Fit both n-gram models, and read the calm texts that they had not seen."""
        calm, held = self._calm, self._calm.folds == self._turn % FOLDS
        self._turn += 1
        seen = Calm(
            [text for text, out in zip(calm.texts, held, strict=True) if not out],
            calm.folds[~held],
            calm.importance[~held],
        )
        self._models = (
            fit_polarity(self._language, reviews, written),
            fit_opinion(self._language, reviews, written, seen),
        )
        texts = [text for text, out in zip(calm.texts, held, strict=True) if out]
        labels, domains = np.zeros(len(texts), np.int64), np.full(len(texts), CALM)
        self._parts.append(Blind(self._inputs(texts), labels, domains, calm.importance[held]))

    def read(self, rows: Reviews, total: float) -> None:
        """Judge rows of one or more domains, each of which weighs `total` a side."""
        importance = importance_of(rows.labels, rows.domains, total)
        self._parts.append(Blind(self._inputs(rows.texts), rows.labels, rows.domains, importance))

    def all_read(self) -> Blind:
        """Everything that was read."""
        return Blind(
            np.vstack([part.inputs for part in self._parts]),
            np.concatenate([part.labels for part in self._parts]),
            np.concatenate([part.domains for part in self._parts]),
            np.concatenate([part.importance for part in self._parts]),
        )

    def _inputs(self, texts: list[str]) -> Array:
        if self._models is None:
            raise ValueError("nothing was learnt yet")
        matrix = matrix_of(self._language, texts)
        return np.column_stack([*(model.margins(matrix) for model in self._models), evidence_of(texts)])
