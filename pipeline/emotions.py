"""The emotion of a batch of texts: what the cues name most often and the sentiment allows."""

from typing import Final

import numpy as np

from pipeline.cue_table import EMOTION_NAMES, Floats, Ints
from pipeline.readings import Readings
from store.records import Emotion, Sentiment

_DELIGHT: Final = 0.7
_SHOUTS: Final = 3
_SORROWS: Final = ("disappointed", "anxious", "puzzled")


def find_emotions(readings: Readings, sentiments: list[Sentiment], confidences: Floats) -> list[Emotion]:
    """One emotion a text. `confidences` of the sentiments, shape (n,)."""
    counts = _counts(readings)
    angry = (counts["angry"] > 0) | (readings.exclamations >= _SHOUTS)
    delighted = (counts["delighted"] > 0) & (confidences > _DELIGHT)
    sorrow = np.stack([counts[name] for name in _SORROWS])
    worry = sorrow[1:]
    # Of equals the first is taken.
    sorrows, worries = sorrow.argmax(axis=0).tolist(), worry.argmax(axis=0).tolist()
    uneasy = (worry.max(axis=0) > 0).tolist()
    found: list[Emotion] = []
    for at, sentiment in enumerate(sentiments):
        if sentiment is Sentiment.POSITIVE:
            found.append(Emotion.DELIGHTED if delighted[at] else Emotion.SATISFIED)
        elif sentiment is Sentiment.NEGATIVE:
            found.append(Emotion.ANGRY if angry[at] else Emotion(_SORROWS[sorrows[at]]))
        else:
            found.append(Emotion(_SORROWS[1 + worries[at]]) if uneasy[at] else Emotion.NEUTRAL)
    return found


def _counts(readings: Readings) -> dict[str, Ints]:
    """How many cues of each text name an emotion, neither negated nor in quotation marks; shape (n,) each."""
    said = readings.mentions
    meant = np.flatnonzero(~said.negated & ~said.quoted)
    bits = readings.table.emotions[said.cue[meant]]
    owner = readings.clauses.text[said.clause[meant]]
    return {
        name: np.bincount(owner[(bits & (1 << at)) != 0], minlength=len(readings))
        for at, name in enumerate(EMOTION_NAMES)
    }
