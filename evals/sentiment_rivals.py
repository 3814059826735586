"""Others on the same texts: SnowNLP, and TF-IDF with logistic regression on our own training texts."""

import importlib
import importlib.util
from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from evals.sentiment_sources import Reviews
from store.errors import InputError

Shares = NDArray[np.float64]
Judge = Callable[[Sequence[str]], Shares]
"""Texts to the probability of praise, shape (n,)."""

_GRAMS: Final[dict[str, dict[str, Any]]] = {
    "zh": {"analyzer": "char", "ngram_range": (1, 3), "min_df": 2},
    "en": {"analyzer": "word", "ngram_range": (1, 2), "min_df": 2},
}


def train_tfidf(language: str, reviews: Reviews) -> Judge:
    """TF-IDF of character 1- to 3-grams (zh) or words and pairs (en), and logistic regression with C = 1."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    vectors = TfidfVectorizer(sublinear_tf=True, **_GRAMS[language])
    model = LogisticRegression(solver="liblinear", class_weight="balanced")
    model.fit(vectors.fit_transform(reviews.texts), reviews.labels)

    def judge(texts: Sequence[str]) -> Shares:
        return np.asarray(model.predict_proba(vectors.transform(texts))[:, 1])

    return judge


def load_snownlp() -> Judge:
    """SnowNLP as it comes. Raises InputError where it is not installed."""
    if importlib.util.find_spec("snownlp") is None:
        raise InputError("SnowNLP is not installed", hint="pip install snownlp==0.12.3")
    read = importlib.import_module("snownlp").SnowNLP

    def judge(texts: Sequence[str]) -> Shares:
        return np.array([read(text).sentiments if text.strip() else 0.5 for text in texts])

    return judge
