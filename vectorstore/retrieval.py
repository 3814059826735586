"""Feedback that answers a question: by meaning and by wording, within a selection, without repeats."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from store.facts import FactStore, Selection
from store.records import LabelledFeedback
from vectorstore.embedder import Embedder, Vectors
from vectorstore.index import VectorIndex
from vectorstore.lexical import LexicalTexts, Scores, fold, near_duplicates, texts_of
from vectorstore.newest import newest_items

# A full match of the wording is rare (0.1 to 0.5 is usual), a cosine of 0.5 is not: hence so uneven.
# Chosen on the tuning queries of evals/cases/retrieval.yaml.
_WORDING = 0.85
_DIVERSITY = 0.02
# Of a wide selection, so many best by wording and by meaning are looked for in it ...
_BY_WORDING, _BY_MEANING = 1_000, 500
# ... and a selection of so many items or fewer is scored as a whole.
_NARROW = 10_000
# So many candidates for each hit, because some repeat a better one.
_SPARE = 3
# ... and where that is not enough, so many times more, in so many rounds.
_MORE, _ROUNDS = 4, 3


@dataclass(frozen=True)
class Hit:
    """One text that answers a question, by the newest item that carries it.

    `score` 0 to 1 joins `meaning` (cosine, counted from that of unrelated texts) and `wording` (share of
    the question's n-grams, by rarity).
    `items`: how many items of the selection say exactly this.
    """

    found: LabelledFeedback
    text_key: str
    score: float
    meaning: float
    wording: float
    items: int

    @property
    def feedback_id(self) -> str:
        """Of the item."""
        return self.found.feedback.feedback_id

    @property
    def text(self) -> str:
        """Masked."""
        return self.found.feedback.text


class Question(NamedTuple):
    """What is looked for, encoded, and the cosine at which this encoder's meaning begins."""

    text: str
    vector: Vectors
    unrelated: float = 0.0


class Ranked(NamedTuple):
    """Texts of a selection in order of their score; arrays of one length, and the items of each text."""

    keys: list[str]
    scores: Scores
    meaning: Scores
    wording: Scores
    items: Mapping[str, int]

    def first(self, count: int) -> "Ranked":
        """The best of them."""
        cut = slice(count)
        return Ranked(self.keys[cut], self.scores[cut], self.meaning[cut], self.wording[cut], self.items)


def search(
    question: str,
    facts: FactStore,
    index: VectorIndex,
    embedder: Embedder,
    selection: Selection,
    limit: int,
    *,
    diversity: float = _DIVERSITY,
) -> list[Hit]:
    """Find texts of the selection near to a question; at most `limit`, best first, one hit a text.

    The best of `rank`, picked by maximal marginal relevance (Carbonell and Goldstein 1998), where
    `diversity` 0 is pure relevance. Near duplicates of a hit are left out. A text without a vector yet is
    found by its wording alone. Raises StoreError, ToolInputError for an unknown dimension.
    """
    if limit < 1 or not fold(question):
        return []
    vector = embedder.embed_query(question)
    asked = Question(question, vector, embedder.unrelated)
    return nearest_hits(asked, facts, index, selection, limit, diversity=diversity)


def nearest_hits(
    question: Question,
    facts: FactStore,
    index: VectorIndex,
    selection: Selection,
    limit: int,
    *,
    diversity: float = _DIVERSITY,
) -> list[Hit]:
    """`search` for a question that is encoded already."""
    wanted = _SPARE * limit
    for _ in range(_ROUNDS):
        ranked = rank(question, facts, index, selection, wanted)
        if not ranked.keys:
            return []
        order = _diverse(ranked.scores, _vectors(index, ranked.keys, len(question.vector)), diversity)
        newest = newest_items(facts, selection, ranked.keys, ranked.items)
        hits = _hits(ranked, order, newest, limit)
        if len(hits) == limit or len(ranked.keys) < wanted:
            break
        # So much repetition is rare, and then there is more to be read to find what differs.
        wanted *= _MORE
    return hits


def rank(
    question: Question,
    facts: FactStore,
    index: VectorIndex,
    selection: Selection,
    wanted: int,
    *,
    narrow: int = _NARROW,
) -> Ranked:
    """The `wanted` best texts of a selection by a weighted mean of wording and meaning.

    A text's score does not depend on the selection. So of a wide selection, the best texts of the whole
    store are looked for in it; only of one of at most `narrow` items, or where too few of these belong to it,
    all texts are scored.
    """
    texts = texts_of(facts)
    wording = texts.scores(question.text)
    if not _has_agents(selection) and facts.count(selection) > narrow:
        candidates = _candidates(texts, wording, question.vector, index)
        items = dict(facts.text_keys(selection, among=candidates))
        if len(items) >= wanted:
            return _ranked(list(items), texts, wording, question, index, items).first(wanted)
    items = dict(facts.text_keys(selection))
    if missing := texts.missing(items):
        # What agents said is read when it is asked for.
        texts.add(facts.texts(missing))
        wording = texts.scores(question.text)
    return _ranked(list(items), texts, wording, question, index, items).first(wanted)


def unindexed(facts: FactStore, index: VectorIndex) -> int:
    """How many texts are in the store and have no vector yet, as far as numbers tell."""
    return max(0, len(texts_of(facts)) - index.count())


def _has_agents(selection: Selection) -> bool:
    return "speaker" in {*selection.filters, *selection.exclude}


def _candidates(texts: LexicalTexts, wording: Scores, vector: Vectors, index: VectorIndex) -> list[str]:
    """The best texts of the whole store by wording and by meaning."""
    if len(wording) > _BY_WORDING:
        rows = np.argpartition(-wording, _BY_WORDING)[:_BY_WORDING]
    else:
        rows = np.arange(len(wording))
    worded = texts.keys(int(row) for row in rows if wording[row] > 0)
    meant = [match.text_key for match in index.nearest(vector, limit=_BY_MEANING)]
    return sorted({*worded, *meant})


def _ranked(
    keys: list[str],
    texts: LexicalTexts,
    wording: Scores,
    question: Question,
    index: VectorIndex,
    items: Mapping[str, int],
) -> Ranked:
    """These texts by score, those that share nothing with the question left out."""
    shares = wording[texts.rows(keys)]
    cosines = index.similarities(question.vector, keys)
    meaning = np.clip((cosines - question.unrelated) / (1 - question.unrelated), 0.0, 1.0)
    scores = (_WORDING * shares + (1 - _WORDING) * meaning).astype(np.float32)
    order = np.lexsort((np.arange(len(keys)), -scores))
    order = order[scores[order] > 0]
    return Ranked([keys[one] for one in order], scores[order], meaning[order], shares[order], items)


def _vectors(index: VectorIndex, keys: Sequence[str], dimension: int) -> Vectors:
    """Vectors of these keys; zeros where a text is not embedded yet."""
    missing = set(index.missing(keys))
    held = [row for row, key in enumerate(keys) if key not in missing]
    vectors = np.zeros((len(keys), dimension), dtype=np.float32)
    if held:
        vectors[held] = index.vectors([keys[row] for row in held])
    return vectors


def _diverse(scores: Scores, vectors: Vectors, diversity: float) -> list[int]:
    """Rows, the best first, in order of maximal marginal relevance."""
    left: NDArray[np.intp] = np.arange(len(scores))[1:]
    chosen = [0]
    closest = vectors @ vectors[0]
    while len(left):
        at = int(((1 - diversity) * scores[left] - diversity * closest[left]).argmax())
        chosen.append(int(left[at]))
        left = np.delete(left, at)
        closest = np.maximum(closest, vectors @ vectors[chosen[-1]])
    return chosen


def _hits(
    ranked: Ranked, order: Sequence[int], newest: Mapping[str, LabelledFeedback], limit: int
) -> list[Hit]:
    """The newest item of each text, leaving out what repeats a better one."""
    groups: set[str] = set()
    hits: list[Hit] = []
    for row in order:
        key = ranked.keys[row]
        item = newest.get(key)
        if item is None:
            continue
        group = item.near_duplicate_of or key
        if group in groups or any(near_duplicates(item.feedback.text, hit.text) for hit in hits):
            continue
        groups.add(group)
        score, meaning, wording = (
            round(float(one[row]), 4) for one in (ranked.scores, ranked.meaning, ranked.wording)
        )
        hits.append(Hit(item, key, score, meaning, wording, ranked.items[key]))
        if len(hits) == limit:
            break
    return sorted(hits, key=lambda hit: -hit.score)
