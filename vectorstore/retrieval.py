"""Feedback that answers a question: by meaning and by wording, within a selection, without repeats."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from store.facts import FactStore, Selection
from vectorstore.embedder import Embedder, Vectors
from vectorstore.index import VectorIndex
from vectorstore.lexical import fold, texts_of
from vectorstore.newest import newest_items

# This encoder blurs wording and polarity, so wording counts for more.
_WORDING = 0.6
_POOL = 200
_POOL_FACTOR = 8


@dataclass(frozen=True)
class Hit:
    """One text that answers a question, by the newest item that carries it.

    `score` 0 to 1 joins `meaning` (cosine) and `wording` (share of the question's n-grams, by rarity).
    `items`: how many items of the selection say exactly this.
    """

    feedback_id: str
    text_key: str
    text: str
    score: float
    meaning: float
    wording: float
    items: int


def search(
    question: str,
    facts: FactStore,
    index: VectorIndex,
    embedder: Embedder,
    selection: Selection,
    limit: int,
    *,
    diversity: float = 0.2,
) -> list[Hit]:
    """Find texts of the selection near to a question; at most `limit`, best first, one hit a text.

    Filters are resolved in SQL first. Candidates are the nearest by meaning and by wording; ranked by a
    weighted mean of both and picked by maximal marginal relevance (Carbonell and Goldstein 1998), where
    `diversity` 0 is pure relevance. Near duplicates of a hit are left out. A text without a vector yet is
    found by its wording alone. Raises StoreError, ToolInputError for an unknown dimension.
    """
    counts = dict(facts.text_keys(selection))
    if not counts or limit < 1 or not fold(question):
        return []
    keys = list(counts)
    wording = texts_of(facts, keys).scores(question, keys)
    vector = embedder.embed_query(question)
    pool = max(_POOL, _POOL_FACTOR * limit)
    near = [match.text_key for match in index.nearest(vector, limit=pool, within=keys)]
    row = {key: number for number, key in enumerate(keys)}
    by_wording = np.argsort(-wording, kind="stable")[:pool]
    rows = sorted({*(row[key] for key in near), *(int(one) for one in by_wording if wording[one] > 0)})
    if not rows:
        return []
    chosen = [keys[one] for one in rows]
    vectors = _vectors(index, chosen, embedder.dimension)
    meaning = np.clip(vectors @ vector, 0.0, 1.0)
    shares = wording[rows]
    scores = _WORDING * shares / max(float(shares.max()), 1e-9) + (1 - _WORDING) * meaning
    order = _diverse(scores, vectors, min(len(rows), 3 * limit), diversity)
    return _hits(
        facts, selection, counts, [(chosen[o], scores[o], meaning[o], shares[o]) for o in order], limit
    )


def _vectors(index: VectorIndex, keys: Sequence[str], dimension: int) -> Vectors:
    """Vectors of these keys; zeros where a text is not embedded yet."""
    missing = set(index.missing(keys))
    held = [row for row, key in enumerate(keys) if key not in missing]
    vectors = np.zeros((len(keys), dimension), dtype=np.float32)
    if held:
        vectors[held] = index.vectors([keys[row] for row in held])
    return vectors


def _diverse(scores: Vectors, vectors: Vectors, wanted: int, diversity: float) -> list[int]:
    """Rows in order of maximal marginal relevance."""
    left = list(np.lexsort((np.arange(len(scores)), -scores)))
    chosen = [int(left.pop(0))]
    closest = vectors @ vectors[chosen[0]]
    while left and len(chosen) < wanted:
        value = (1 - diversity) * scores[left] - diversity * closest[left]
        chosen.append(int(left.pop(int(value.argmax()))))
        closest = np.maximum(closest, vectors @ vectors[chosen[-1]])
    return chosen


def _hits(
    facts: FactStore,
    selection: Selection,
    counts: dict[str, int],
    ranked: Sequence[tuple[str, float, float, float]],
    limit: int,
) -> list[Hit]:
    """The newest item of each text, leaving out what repeats a better one."""
    newest = newest_items(facts, selection, [key for key, *_ in ranked], counts)
    seen: set[str] = set()
    hits: list[Hit] = []
    for key, score, meaning, wording in ranked:
        item = newest.get(key)
        if item is None:
            continue
        marks = {item.near_duplicate_of or key, fold(item.feedback.text).replace(" ", "") or key}
        if marks & seen:
            continue
        seen |= marks
        feedback = item.feedback
        hits.append(
            Hit(
                feedback.feedback_id,
                key,
                feedback.text,
                round(float(score), 4),
                round(float(meaning), 4),
                round(float(wording), 4),
                counts[key],
            )
        )
        if len(hits) == limit:
            break
    return sorted(hits, key=lambda hit: -hit.score)
