"""Which texts are worth a person's time: the unsure ones, each kind once, and some at random."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from pipeline.classifier import Classifier
from store.facts import FactStore, Find, Selection
from store.records import Feedback, LabelledFeedback, Labels, Sentiment

Strategy = Literal["uncertainty", "diversity", "mixed", "random"]
Vectors = NDArray[np.float32]
VectorsOf = Callable[[Mapping[str, str]], Vectors]
# More texts than this are looked at through a sample of them.
POOL: Final = 20_000
_CANDIDATES: Final = 4
_RANDOM_SHARE: Final = 0.2
# A text on which two readings differ is worth as much as one about which the labeller is half sure.
_DISAGREES: Final = 0.5


@dataclass(frozen=True)
class Chosen:
    """A text to be labelled. `sample` says why; `weight`: how many stored texts a random one stands for."""

    item: LabelledFeedback
    labels: Labels
    sample: Literal["uncertain", "diverse", "random"]
    weight: float | None


def choose_texts(
    facts: FactStore,
    classifier: Classifier,
    vectors_of: VectorsOf,
    *,
    n: int,
    strategy: Strategy,
    known: frozenset[str] = frozenset(),
    seed: int = 0,
) -> list[Chosen]:
    """Choose up to n distinct texts of customers, in a shuffled order that depends on `seed` alone.

    `known` text keys are passed over, and of near duplicates only the first is taken. `mixed`: a fifth at
    random, the rest by uncertainty and distance from those chosen before (farthest first: Gonzalez 1985).
    Stores of more than 20,000 texts are looked at through 20,000 of them. `vectors_of` embeds the
    candidates (text key to text), one unit row each, in order.
    """
    keys = [key for key, _ in facts.text_keys(Selection()) if key not in known]
    pool = _items(facts, sorted(keys, key=lambda key: _draw(key, seed))[:POOL])
    labels = classifier.classify([item.feedback.text for item in pool])
    read = list(zip(pool, labels, strict=True))
    at_random = n if strategy == "random" else round(n * _RANDOM_SHARE) if strategy == "mixed" else 0
    # Near duplicates are among these: a random text stands for its share of all texts.
    weight = len(keys) / max(1, min(at_random, len(pool)))
    chosen = [Chosen(item, said, "random", weight) for item, said in read[:at_random]]
    rest = [
        (item, said) for item, said in read[at_random:] if item.near_duplicate_of in (None, item.text_key)
    ]
    if n > len(chosen) and rest:
        chosen += _aimed(rest, vectors_of, n - len(chosen), strategy)
    return sorted(chosen, key=lambda one: _draw(one.item.text_key or "", seed + 1))


def uncertainty(item: LabelledFeedback, labels: Labels) -> float:
    """How unsure the labels of a text are, 0 to 1.

    Doubt about the sentiment and the least sure topic, abstention, a stored label by another labeller that
    differs, and a score of the customer's own that says the opposite of the label.
    """
    doubt = (1 - labels.sentiment_confidence) * 1.5
    topics = min((topic.confidence for topic in labels.topics), default=1.0)
    worth = min(1.0, doubt) + 0.3 * (1 - topics)
    if labels.abstained:
        worth += _DISAGREES
    stored = item.labels
    if stored is not None and stored.sentiment is not labels.sentiment:
        worth += _DISAGREES
    scored = _scored(item.feedback)
    if scored is not None and {scored, labels.sentiment} == {Sentiment.POSITIVE, Sentiment.NEGATIVE}:
        worth += _DISAGREES
    return min(1.0, worth / 1.5)


def spread(vectors: Vectors, worth: NDArray[np.float64], n: int) -> list[int]:
    """Greedy farthest-first choice of n rows, distance (1 - cosine) times worth; the worthiest is first."""
    picked = [int(worth.argmax())]
    distance = 1 - vectors @ vectors[picked[0]]
    while len(picked) < min(n, len(vectors)):
        gain = np.maximum(distance, 0) * worth
        gain[picked] = -1.0
        picked.append(int(gain.argmax()))
        distance = np.minimum(distance, 1 - vectors @ vectors[picked[-1]])
    return picked


def _aimed(
    read: Sequence[tuple[LabelledFeedback, Labels]], vectors_of: VectorsOf, n: int, strategy: Strategy
) -> list[Chosen]:
    worth = np.array([uncertainty(item, labels) for item, labels in read])
    # Stable, so that among equals the drawn order decides.
    ranked = np.argsort(-worth, kind="stable") if strategy != "diversity" else np.arange(len(read))
    if strategy == "uncertainty":
        return [Chosen(read[at][0], read[at][1], "uncertain", None) for at in ranked[:n].tolist()]
    places = ranked[: _CANDIDATES * n].tolist()
    texts = {str(read[at][0].text_key): read[at][0].feedback.text for at in places}
    even = np.ones(len(places))
    picked = spread(vectors_of(texts), worth[places] + 0.05 if strategy == "mixed" else even, n)
    why: Literal["uncertain", "diverse"] = "uncertain" if strategy == "mixed" else "diverse"
    return [Chosen(read[places[at]][0], read[places[at]][1], why, None) for at in picked]


def _items(facts: FactStore, keys: Sequence[str]) -> list[LabelledFeedback]:
    """One item a text key, in the order of the keys."""
    found: dict[str, LabelledFeedback] = {}
    for start in range(0, len(keys), 1_000):
        part = tuple(keys[start : start + 1_000])
        offset = 0
        while True:
            page = facts.find(Find(text_keys=part, order="id", limit=5_000, offset=offset))
            for item in page:
                if item.text_key is not None:
                    found.setdefault(item.text_key, item)
            if len(page) < 5_000:
                break
            offset += 5_000
    return [found[key] for key in keys if key in found]


def _scored(feedback: Feedback) -> Sentiment | None:
    """What the customer's own score says, where it says it clearly."""
    for score, low, high in (
        (feedback.rating, 2, 4),
        (feedback.csat, 2, 4),
        (feedback.nps, 6, 9),
    ):
        if score is not None and (score <= low or score >= high):
            return Sentiment.NEGATIVE if score <= low else Sentiment.POSITIVE
    return None


def _draw(key: str, seed: int) -> bytes:
    return hashlib.blake2b(f"{seed}/{key}".encode(), digest_size=8).digest()
