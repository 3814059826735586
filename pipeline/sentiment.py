"""Sentiment: a linear model on hashed n-grams and the evidence of the lexicon, combined and calibrated.

Three stages. The first is two weights a bucket (int8) and language: praise against complaint, and opinion
against none. The second, fitted on texts that the first had not seen, weighs the margin of praise against the
lexicon (logistic regression, hence calibrated: Platt 1999), and the third says how likely the text holds an
opinion at all. A verdict less likely than `abstain_below` is left open. Trained by
`evals/train_sentiment.py`; see docs/model-card.md.
"""

import hashlib
import io
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from pipeline.features import BUCKETS, Grams, character_grams, word_grams
from pipeline.readings import CONTRAST, NEGATION, QUESTION, Readings
from store.errors import ConfigError

_FILE: Final = Path(__file__).with_name("sentiment.npz")
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class LanguageModel:
    """Weights of one language.

    Buckets (BUCKETS, 2), scales and intercepts (2,): of praise against complaint, of opinion against none.
    Combination (10,), opinion (5,), and the probability below which a verdict is not to be acted on.
    """

    buckets: NDArray[np.int8]
    scales: Floats
    intercepts: Floats
    combination: Floats
    opinion: Floats
    abstain_below: float

    def margins(self, grams: Grams) -> Floats:
        """First-stage margins (of praise, of opinion), shape (n, 2); 0 for a text without n-grams."""
        sizes = np.diff(grams.offsets)
        running = np.zeros((len(grams.buckets) + 1, 2), dtype=np.int64)
        np.cumsum(self.buckets[grams.buckets], axis=0, out=running[1:])
        sums = running[grams.offsets[1:]] - running[grams.offsets[:-1]]
        margins = sums * self.scales / np.sqrt(np.maximum(sizes, 1))[:, None] + self.intercepts
        return np.where(sizes[:, None] > 0, margins, 0.0)

    def probabilities(self, margins: Floats, evidence: Floats) -> Floats:
        """Of negative, no opinion, positive, shape (n, 3); from margins (n, 2) and evidence (n, 8)."""
        combined = np.column_stack((margins[:, 0], evidence, np.ones(len(margins)))) @ self.combination
        share = _sigmoid(combined)
        held = _sigmoid(opinion_evidence(combined, margins[:, 1], evidence) @ self.opinion)
        return np.column_stack((held * (1 - share), 1 - held, held * share))


@dataclass(frozen=True)
class SentimentModel:
    """Both languages, and the fingerprint of the weights."""

    languages: dict[str, LanguageModel]
    fingerprint: str

    def judge(self, texts: Sequence[str], languages: Sequence[str], evidence: Floats) -> Floats:
        """Judge a batch; shape (n, 3): probabilities of negative, no opinion, positive; rows add up to 1.

        `languages` as told by `detect_language`; any but "zh" is read as English. `evidence` as given by
        `lexicon_evidence`, shape (n, 8).
        """
        verdicts = np.tile((0.0, 1.0, 0.0), (len(texts), 1))
        chinese = np.fromiter((told == "zh" for told in languages), np.bool_, len(languages))
        for language, grams_of, chosen in (
            ("zh", character_grams, np.flatnonzero(chinese)),
            ("en", word_grams, np.flatnonzero(~chinese)),
        ):
            if not len(chosen):
                continue
            model, cues = self.languages[language], evidence[chosen]
            margins = model.margins(grams_of([texts[at] for at in chosen.tolist()]))
            verdicts[chosen] = model.probabilities(margins, cues)
        return verdicts

    def abstains(self, confidences: Floats, languages: Sequence[str]) -> NDArray[np.bool_]:
        """Where the likeliest verdict is too unsure to be acted on; shapes (n,)."""
        below = {language: model.abstain_below for language, model in self.languages.items()}
        limits = np.fromiter(
            (below["zh" if one == "zh" else "en"] for one in languages), float, len(languages)
        )
        return confidences < limits


@cache
def load_sentiment(path: Path = _FILE) -> SentimentModel:
    """Read the weights once. Raises ConfigError where the file is missing or damaged."""
    try:
        content = path.read_bytes()
        digest = hashlib.sha256(content).hexdigest()[:12]
        with np.load(io.BytesIO(content), allow_pickle=False) as data:
            models = {
                language: LanguageModel(
                    buckets=data[f"{language}_buckets"],
                    scales=data[f"{language}_first"][0],
                    intercepts=data[f"{language}_first"][1],
                    combination=data[f"{language}_combination"],
                    opinion=data[f"{language}_opinion"],
                    abstain_below=float(data[f"{language}_abstain"][0]),
                )
                for language in ("zh", "en")
            }
        for model in models.values():
            shapes = (
                model.buckets.shape,
                model.scales.shape,
                model.intercepts.shape,
                model.combination.shape,
                model.opinion.shape,
            )
            if shapes != ((BUCKETS, 2), (2,), (2,), (10,), (5,)):
                raise ValueError(f"its shapes are {shapes}")
    except (OSError, EOFError, KeyError, IndexError, ValueError, BadZipFile, zlib.error) as error:
        raise ConfigError(f"The sentiment weights {path.name} cannot be used: {error}") from error
    return SentimentModel(models, digest)


def lexicon_evidence(readings: Readings) -> Floats:
    """The cues as numbers, shape (n, 8).

    Balance, log ratio, last, first, question, negation, contrast, amount.
    """
    clauses, count = readings.clauses, len(readings)
    positive = np.bincount(clauses.text, clauses.positive, count)
    negative = np.bincount(clauses.text, clauses.negative, count)
    balance = clauses.balance
    leaning = np.flatnonzero(balance)
    first, last = np.zeros(count), np.zeros(count)
    # Of several values for one place the last assigned stays.
    last[clauses.text[leaning]] = balance[leaning]
    first[clauses.text[leaning[::-1]]] = balance[leaning[::-1]]
    flags = readings.modifiers
    return np.column_stack(
        (
            (positive - negative) / (positive + negative + 1),
            np.log1p(positive) - np.log1p(negative),
            np.tanh(last),
            np.tanh(first),
            (flags & QUESTION) != 0,
            (flags & NEGATION) != 0,
            (flags & CONTRAST) != 0,
            np.log1p(positive + negative),
        )
    )


def opinion_evidence(combined: Floats, opinions: Floats, evidence: Floats) -> Floats:
    """Inputs of the opinion stage, shape (n, 5).

    Strength of the verdict, margin of opinion by n-grams, any cue, question, constant. Not the amount of
    cues: a short praise is as much of an opinion as a long one.
    """
    cued = evidence[:, 7] > 0
    return np.column_stack((np.abs(combined), opinions, cued, evidence[:, 4], np.ones(len(combined))))


def _sigmoid(values: Floats) -> Floats:
    return 1.0 / (1.0 + np.exp(-np.clip(values, -30.0, 30.0)))
