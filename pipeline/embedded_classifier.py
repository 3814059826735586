"""The classifier that ships with the product: linear sentiment, lexicon rules for the rest."""

import hashlib
from collections.abc import Sequence
from typing import Final, Protocol

from pipeline.clauses import Reading
from pipeline.cue_context import load_context
from pipeline.cue_table import COMPLIANCE, INTENTS, RISKS, Floats
from pipeline.emotions import find_emotions
from pipeline.irony import load_irony, read_between
from pipeline.language import detect_language
from pipeline.lexicon import Lexicon, load_lexicon
from pipeline.readings import QUESTION, read_texts
from pipeline.risks import find_flags, find_risks, find_rivals
from pipeline.sentiment import SentimentModel, lexicon_evidence, load_sentiment
from pipeline.signals import decide_intent, decide_priority
from pipeline.taxonomy import Taxonomy, load_taxonomy
from pipeline.topics import find_topics
from store.records import Emotion, Intent, Labels, Sentiment, TopicLabel

_VERSION: Final = "embedded-2"
_BATCH: Final = 2048
_SIDES: Final = (Sentiment.NEGATIVE, Sentiment.NEUTRAL, Sentiment.POSITIVE)


class SentimentJudge(Protocol):
    """Texts to probabilities: the shipped model, or one that was trained on a user's own labels."""

    @property
    def fingerprint(self) -> str:
        """Fingerprint of the weights."""
        ...

    def judge(self, texts: Sequence[str], languages: Sequence[str], evidence: Floats) -> Floats:
        """Probabilities of negative, neutral, positive; shape (n, 3). `evidence` has shape (n, 8)."""
        ...


class EmbeddedClassifier:
    """Labels masked texts in Chinese and English; deterministic, without a network or a GPU."""

    def __init__(
        self,
        taxonomy: Taxonomy | None = None,
        lexicon: Lexicon | None = None,
        sentiment: SentimentJudge | None = None,
    ) -> None:
        self._lexicon = lexicon or load_lexicon()
        self._sentiment = sentiment or load_sentiment()
        parts = (
            (taxonomy or load_taxonomy()).fingerprint,
            self._lexicon.fingerprint,
            self._sentiment.fingerprint,
            load_context().fingerprint,
            load_irony().fingerprint,
        )
        self._name = f"{_VERSION}+{hashlib.sha256('/'.join(parts).encode()).hexdigest()[:12]}"

    @property
    def name(self) -> str:
        """Version and the fingerprint of taxonomy, lexicon and weights."""
        return self._name

    def classify(self, texts: Sequence[str]) -> list[Labels]:
        """Label a batch; one Labels per text, in order. An empty text is neutral with confidence 0."""
        labels: list[Labels] = []
        for start in range(0, len(texts), _BATCH):
            labels += self._batch(texts[start : start + _BATCH])
        return labels

    def sentiment_probabilities(self, texts: Sequence[str]) -> Floats:
        """Probabilities of negative, neutral, positive of one batch; shape (n, 3)."""
        evidence = lexicon_evidence(read_texts(texts, self._lexicon))
        return self._sentiment.judge(texts, [detect_language(text) for text in texts], evidence)

    def _batch(self, texts: Sequence[str]) -> list[Labels]:
        readings = read_texts(texts, self._lexicon)
        languages = [detect_language(text) for text in texts]
        verdicts = self._sentiment.judge(texts, languages, lexicon_evidence(readings))
        sentiments = [_SIDES[side] for side in verdicts.argmax(axis=1).tolist()]
        confidences = verdicts.max(axis=1)
        views = [Reading(readings, row) for row in range(len(texts))]
        implied: list[Sentiment | None] = [None] * len(texts)
        for row, (text, view) in enumerate(zip(texts, views, strict=True)):
            between = read_between(text, view, sentiments[row], float(confidences[row]))
            if between is not None:
                sentiments[row], confidences[row], implied[row] = between
        # A model of human labels has a threshold of its own.
        shipped = self._sentiment if isinstance(self._sentiment, SentimentModel) else None
        unsure = shipped.abstains(confidences, languages).tolist() if shipped else [False] * len(texts)
        emotions = find_emotions(readings, sentiments, confidences)
        topics = find_topics(readings, sentiments, confidences)
        return [
            self._label(*row)
            for row in zip(
                texts, views, sentiments, confidences.tolist(), unsure, implied, emotions, topics, strict=True
            )
        ]

    def _label(
        self,
        text: str,
        reading: Reading,
        sentiment: Sentiment,
        confidence: float,
        unsure: bool,
        implied: Sentiment | None,
        emotion: Emotion,
        topics: tuple[TopicLabel, ...],
    ) -> Labels:
        if not text or text.isspace():
            return Labels(sentiment=Sentiment.NEUTRAL, sentiment_confidence=0.0, labeller=self._name)
        says = reading.says
        rivals = find_rivals(text, self._lexicon)
        risks = find_risks(text, reading, sentiment, rivals) if says & RISKS or rivals else ()
        flags = find_flags(text, reading) if says & COMPLIANCE else ()
        intent = (
            decide_intent(reading, sentiment, confidence)
            if says & INTENTS
            else _plain_intent(sentiment, asks=bool(reading.modifiers & QUESTION))
        )
        # Every value was made here and is of the right kind: checking it again took a fifth of the time.
        return Labels.model_construct(
            _FIELDS,
            sentiment=sentiment,
            sentiment_confidence=round(confidence, 4),
            implied_sentiment=implied,
            abstained=unsure,
            emotion=emotion,
            topics=topics,
            intent=intent,
            priority=decide_priority(reading, sentiment, confidence, intent, risks, flags),
            risk_signals=risks,
            competitors=tuple(dict.fromkeys(rival.name for rival in rivals)),
            compliance_flags=flags,
            labeller=self._name,
        )


_FIELDS: Final = set(Labels.model_fields)


def _plain_intent(sentiment: Sentiment, *, asks: bool) -> Intent:
    if sentiment is Sentiment.NEUTRAL:
        return Intent.ENQUIRY if asks else Intent.OTHER
    return Intent.COMPLAINT if sentiment is Sentiment.NEGATIVE else Intent.PRAISE
