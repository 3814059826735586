"""The classifier that ships with the product: linear sentiment, lexicon rules for the rest."""

import hashlib
from collections.abc import Sequence
from typing import Final

from pipeline.clauses import Reading, read_clauses
from pipeline.language import detect_language
from pipeline.lexicon import load_lexicon
from pipeline.sentiment import Verdict, load_sentiment
from pipeline.signals import (
    decide_emotion,
    decide_intent,
    decide_priority,
    find_competitors,
    find_flags,
    find_risks,
    find_topics,
)
from pipeline.taxonomy import load_taxonomy
from store.records import Labels, Sentiment

_VERSION: Final = "embedded-1"
_BATCH: Final = 2048


class EmbeddedClassifier:
    """Labels masked texts in Chinese and English; deterministic, without a network or a GPU."""

    def __init__(self) -> None:
        self._lexicon = load_lexicon()
        self._sentiment = load_sentiment()
        parts = (load_taxonomy().fingerprint, self._lexicon.fingerprint, self._sentiment.fingerprint)
        self._name = f"{_VERSION}+{hashlib.sha256('/'.join(parts).encode()).hexdigest()[:12]}"

    @property
    def name(self) -> str:
        """Version and the fingerprint of taxonomy, lexicon and weights."""
        return self._name

    def classify(self, texts: Sequence[str]) -> list[Labels]:
        """Label a batch; one Labels per text, in order. An empty text is neutral with confidence 0."""
        labels: list[Labels] = []
        for start in range(0, len(texts), _BATCH):
            batch = texts[start : start + _BATCH]
            readings = [read_clauses(text, self._lexicon) for text in batch]
            languages = [detect_language(text) for text in batch]
            verdicts = self._sentiment.judge(batch, languages, readings)
            labels += map(self._label, batch, readings, verdicts)
        return labels

    def _label(self, text: str, reading: Reading, verdict: Verdict) -> Labels:
        if not text.strip():
            return Labels(sentiment=Sentiment.NEUTRAL, sentiment_confidence=0.0, labeller=self._name)
        sentiment, confidence = _choose(verdict)
        competitors = find_competitors(text, self._lexicon)
        risks = find_risks(reading, sentiment, named=bool(competitors))
        intent = decide_intent(reading, sentiment, confidence)
        flags = find_flags(reading)
        return Labels(
            sentiment=sentiment,
            sentiment_confidence=round(confidence, 4),
            emotion=decide_emotion(reading, sentiment, confidence),
            topics=find_topics(reading, sentiment, confidence),
            intent=intent,
            priority=decide_priority(reading, sentiment, confidence, intent, risks, flags),
            risk_signals=risks,
            competitors=competitors,
            compliance_flags=flags,
            labeller=self._name,
        )


def _choose(verdict: Verdict) -> tuple[Sentiment, float]:
    if verdict.neutral > max(verdict.positive, verdict.negative):
        return Sentiment.NEUTRAL, verdict.neutral
    if verdict.positive > verdict.negative:
        return Sentiment.POSITIVE, verdict.positive
    return Sentiment.NEGATIVE, verdict.negative
