"""Ways to find texts for a query, all over the same texts: the product's and those it is held against."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evals.retrieval_texts import Said
from vectorstore.embedder import Embedder, Vectors
from vectorstore.lexical import LexicalTexts

Scorer = Callable[[str], NDArray[Any]]


def rivals(texts: Sequence[Said], embedder: Embedder, vectors: Vectors) -> dict[str, Scorer]:
    """Each scores all texts for a query; the higher, the nearer."""
    return {
        "meaning alone": lambda query: vectors @ embedder.embed_query(query),
        "character TF-IDF": _tfidf(texts),
        "jieba BM25": _word_bm25(texts),
        "wording alone (n-gram BM25)": _gram_bm25(texts),
    }


def _tfidf(texts: Sequence[Said]) -> Scorer:
    from sklearn.feature_extraction.text import TfidfVectorizer

    encoder = TfidfVectorizer(analyzer="char", ngram_range=(1, 2), sublinear_tf=True)
    matrix = encoder.fit_transform([said.text for said in texts])
    return lambda query: np.asarray((matrix @ encoder.transform([query]).T).todense()).ravel()


def _word_bm25(texts: Sequence[Said], k1: float = 1.2, b: float = 0.75) -> Scorer:
    """Robertson and Zaragoza 2009, over the words that jieba cuts."""
    from vectorstore.tokens import clauses, script_of

    def words(text: str) -> list[str]:
        return [word for clause in clauses(text, script_of(text)) for word in clause]

    counted = [Counter(words(said.text)) for said in texts]
    lengths = np.array([sum(one.values()) for one in counted], dtype=float)
    norm = k1 * (1 - b + b * lengths / lengths.mean())
    holders: dict[str, list[tuple[int, int]]] = {}
    for row, one in enumerate(counted):
        for word, times in one.items():
            holders.setdefault(word, []).append((row, times))

    def score(query: str) -> NDArray[Any]:
        total = np.zeros(len(counted))
        for word in set(words(query)):
            found = holders.get(word, [])
            rarity = np.log(1 + (len(counted) - len(found) + 0.5) / (len(found) + 0.5))
            for row, times in found:
                total[row] += rarity * times * (k1 + 1) / (times + norm[row])
        return total

    return score


def _gram_bm25(texts: Sequence[Said]) -> Scorer:
    lexical = LexicalTexts()
    lexical.add({said.text_key: said.text for said in texts})
    return lexical.scores
