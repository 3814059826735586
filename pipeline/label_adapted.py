"""The embedded classifier with what was learnt from human labels."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pipeline.embedded_classifier import EmbeddedClassifier
from pipeline.label_evaluation import given_values
from pipeline.label_heads import Heads, certainty
from pipeline.label_linear import Floats
from pipeline.label_models import LabelModel
from pipeline.label_sentiment import Judge
from pipeline.language import detect_language
from pipeline.lexicon import Lexicon
from pipeline.sentiment import SentimentModel
from pipeline.taxonomy import Taxonomy
from store.records import Emotion, Intent, Labels, Priority, TopicLabel

CHOICES: Final = {"intent": Intent, "emotion": Emotion, "priority": Priority}
_BATCH: Final = 2048


class AdaptedClassifier:
    """Labels masked texts by a model of human labels; deterministic. See EmbeddedClassifier."""

    def __init__(
        self, model_id: str, model: LabelModel, taxonomy: Taxonomy, lexicon: Lexicon, shipped: SentimentModel
    ) -> None:
        judge = Judge(shipped, dict(model.sentiment), model_id) if model.sentiment else shipped
        self._base = EmbeddedClassifier(taxonomy, lexicon, judge)
        self._model = model
        self._shipped = shipped
        self._topics = frozenset(taxonomy.paths)
        self._name = f"{self._base.name}+{model_id}"

    @property
    def name(self) -> str:
        """The embedded classifier's name and the id of the model."""
        return self._name

    def sentiment_probabilities(self, texts: Sequence[str]) -> Floats:
        """Probabilities of negative, neutral, positive of one batch; shape (n, 3)."""
        return self._base.sentiment_probabilities(texts)

    def classify(self, texts: Sequence[str]) -> list[Labels]:
        """Label a batch; one Labels per text, in order."""
        labels: list[Labels] = []
        for start in range(0, len(texts), _BATCH):
            labels += self._batch(texts[start : start + _BATCH])
        return labels

    def _batch(self, texts: Sequence[str]) -> list[Labels]:
        labels = self._base.classify(texts)
        languages = [detect_language(text) for text in texts]
        confidences = np.array([one.sentiment_confidence for one in labels])
        unsure = abstentions(self._model, self._shipped, confidences, languages)
        spoken = [at for at, text in enumerate(texts) if text.strip()]
        changes: list[dict[str, object]] = [{"labeller": self._name} for _ in texts]
        for at in spoken:
            changes[at]["abstained"] = bool(unsure[at])
        if spoken and (self._model.topics or self._model.choices):
            self._apply_heads(
                [texts[at] for at in spoken], [labels[at] for at in spoken], [changes[at] for at in spoken]
            )
        return [one.model_copy(update=change) for one, change in zip(labels, changes, strict=True)]

    def _apply_heads(
        self, texts: Sequence[str], labels: Sequence[Labels], changes: Sequence[dict[str, object]]
    ) -> None:
        languages = [detect_language(text) for text in texts]
        if self._model.topics is not None:
            heads = self._model.topics
            margins = heads.margins(texts, languages, [given_values(one, "topics") for one in labels])
            for one, change, row in zip(labels, changes, margins, strict=True):
                change["topics"] = self._new_topics(one, heads, row)
        for field, heads in self._model.choices.items():
            margins = heads.margins(texts, languages, [everything(one) for one in labels])
            kind = CHOICES[field]
            for change, best in zip(changes, margins.argmax(axis=1).tolist(), strict=True):
                change[field] = kind(heads.names[best])

    def _new_topics(self, labels: Labels, heads: Heads, margins: Floats) -> tuple[TopicLabel, ...]:
        """The lexicon's topics, but where there is a head the head decides."""
        decided = set(heads.names)
        kept = [topic for topic in labels.topics if topic.topic not in decided]
        found = {topic.topic: topic for topic in labels.topics}
        for name, margin, threshold in zip(
            heads.names, margins.tolist(), heads.thresholds.tolist(), strict=True
        ):
            if margin > threshold and name in self._topics:
                fresh = TopicLabel(
                    topic=name, polarity=labels.sentiment, confidence=certainty(margin, threshold)
                )
                kept.append(found.get(name, fresh))
        return tuple(kept)


def abstentions(
    model: LabelModel, shipped: SentimentModel, confidences: Floats, languages: Sequence[str]
) -> NDArray[np.bool_]:
    """Where the sentiment is too unsure to be acted on; shapes (n,). A language that nothing was learnt of
    keeps the shipped threshold."""
    learnt = np.fromiter(
        (told in model.sentiment for told in map(spoken_as, languages)), np.bool_, len(languages)
    )
    open_as_shipped: NDArray[np.bool_] = shipped.abstains(confidences, languages)
    return np.where(learnt, confidences < model.abstain_below, open_as_shipped)


def spoken_as(language: str) -> str:
    """Which of the two sentiment models reads a language."""
    return "zh" if language == "zh" else "en"


def everything(labels: Labels) -> frozenset[str]:
    """All that the rules say of a text, as names of inputs: `sentiment:negative`."""
    return frozenset(
        f"{field}:{value}"
        for field in ("sentiment", "intent", "emotion", "priority", "topics", "risk")
        for value in given_values(labels, field)
    )
