"""Topics of a batch of texts, each with the polarity of what is said where it is spoken of."""

from functools import lru_cache
from typing import Final

import numpy as np

from pipeline.cue_table import TOPICS, Floats, Ints
from pipeline.readings import CONTRAST, Readings
from store.records import Sentiment, TopicLabel

# A negated cue of praise weighs a little less than a complaint; the clause around less than the cue itself.
_NEGATED: Final = -0.8
_AROUND: Final = 0.7
_LEANS: Final = 0.15


def find_topics(
    readings: Readings, sentiments: list[Sentiment], confidences: Floats
) -> list[tuple[TopicLabel, ...]]:
    """Topics by text, in order of first mention.

    A cue that carries polarity itself counts first, then its clause, then the next clause of the sentence
    that names no topic, then the whole text (at less confidence). Confidence grows with the number of
    mentions. `confidences` has shape (n,).
    """
    owner, topic, balance, count = _balances(readings)
    certainty = np.minimum(0.95, 0.6 + 0.1 * count)
    lean = np.where(balance > _LEANS, 1, np.where(balance < -_LEANS, -1, 0))
    certainty = np.where(lean == 0, certainty * (0.5 + confidences[owner] / 2), certainty)
    names = readings.table.topics
    found: list[list[TopicLabel]] = [[] for _ in sentiments]
    polarities = {1: Sentiment.POSITIVE, -1: Sentiment.NEGATIVE}
    for text, which, side, sure in zip(
        owner.tolist(), topic.tolist(), lean.tolist(), np.round(certainty, 3).tolist(), strict=True
    ):
        found[text].append(_label(names[which], polarities.get(side) or sentiments[text], sure))
    return [tuple(labels) for labels in found]


@lru_cache(maxsize=1 << 15)
def _label(topic: str, polarity: Sentiment, confidence: float) -> TopicLabel:
    return TopicLabel(topic=topic, polarity=polarity, confidence=confidence)


def _balances(readings: Readings) -> tuple[Ints, Ints, Floats, Ints]:
    """Columns text, topic (index), sum of polarity, number of mentions; by text and first mention."""
    table, said = readings.table, readings.mentions
    naming = np.flatnonzero((table.says[said.cue] & TOPICS) != 0)
    cue = said.cue[naming]
    sizes = table.topic_offsets[cue + 1] - table.topic_offsets[cue]
    mention = np.repeat(naming, sizes)
    within = np.arange(len(mention)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    entry = np.repeat(table.topic_offsets[cue], sizes) + within
    own = table.topic_polarity[entry] * np.where(said.negated[mention], _NEGATED, 1.0)
    clause = said.clause[mention]
    weight = np.where(own != 0, own, _AROUND * _around(readings, said.clause[naming])[clause])
    key = readings.clauses.text[clause] * max(1, len(table.topics)) + table.topic_of[entry]
    _, first, group = np.unique(key, return_index=True, return_inverse=True)
    order = np.argsort(first)
    total: Floats = np.bincount(group, weight, len(first))[order].astype(np.float64)
    count: Ints = np.bincount(group, minlength=len(first))[order].astype(np.int64)
    place = first[order]
    return readings.clauses.text[clause[place]], table.topic_of[entry[place]], total, count


def _around(readings: Readings, naming: Ints) -> Floats:
    """What each clause says, or where it says nothing a neighbour in its sentence; shape (clauses,).

    `naming` lists the clauses that name a topic: those speak for themselves, as do clauses after a "but".
    """
    clauses = readings.clauses
    balance = clauses.balance
    apart = (clauses.modifiers & CONTRAST) != 0
    apart[naming] = True
    lends = np.where(apart, 0.0, balance)
    same = np.concatenate((clauses.sentence[1:] == clauses.sentence[:-1], [False])) if len(balance) else apart
    after = np.where(same, np.append(lends[1:], 0.0), 0.0) if len(balance) else lends
    before = np.where(np.roll(same, 1), np.roll(lends, 1), 0.0) if len(balance) else lends
    return np.where(balance != 0, balance, np.where(after != 0, after, before))
