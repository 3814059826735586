"""Themes found in a set of texts: clusters, each with a name, exemplars and wordings."""

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from vectorstore.clusters import Draws, cluster, draws_of
from vectorstore.embedder import Vectors
from vectorstore.theme_corpus import Corpus, Kind, joined_kinds
from vectorstore.theme_features import theme_features
from vectorstore.theme_labels import name_themes, terms_of
from vectorstore.theme_neighbours import drawn_together
from vectorstore.theme_records import Found
from vectorstore.theme_wordings import wordings
from vectorstore.tokens import Clause

Progress = Callable[[int, int | None, str], None]

_EXEMPLARS = 5
_SMALLEST = 3
_SMALLEST_SHARE = 1 / 400


def smallest_theme(texts: int) -> int:
    """How many texts make a theme, of so many distinct ones: a four-hundredth, and 3 at least."""
    return max(_SMALLEST, math.ceil(texts * _SMALLEST_SHARE))


def theme_space(
    words: Sequence[Sequence[Clause]],
    vectors: Vectors,
    draws: Draws,
    smallest: int,
    mentions: Vectors | None = None,
) -> Vectors:
    """Unit rows in which texts of one theme lie together: meaning and words, drawn to their neighbours."""
    return drawn_together(theme_features(words, vectors, mentions), draws, smallest)


def find_themes(
    corpus: Corpus,
    vectors_of: Callable[[Sequence[str]], Vectors],
    keys: Sequence[str],
    tell: Progress,
    contrast: Mapping[Kind, Sequence[str]] | None = None,
    taken: set[str] | None = None,
) -> list[Found]:
    """Cluster and name these texts, each language and polarity by itself.

    `vectors_of` gives unit rows by key, (n, d); `contrast` are texts outside, against which names are
    chosen; `taken` are labels already in use.
    """
    smallest = smallest_theme(len(corpus.kinds))
    taken = set() if taken is None else taken
    groups = joined_kinds(corpus.groups(keys), 2 * smallest)
    found: list[Found] = []
    done = 0
    for kind, members in groups.items():
        tell(done, len(keys), "themes")
        words = corpus.clauses(members, kind[0])
        vectors = vectors_of(members)
        draws = draws_of(members)
        features = theme_space(words, vectors, draws, smallest, corpus.mentions(members, smallest))
        labels = cluster(features, draws, corpus.weights(members), smallest).labels
        rows = [np.flatnonzero(labels == label) for label in np.unique(labels)]
        terms = [terms_of(text, kind[0]) for text in words]
        sets = [[terms[row] for row in chosen] for chosen in rows]
        outside = list((contrast or {}).get(kind, ()))
        if outside:
            sets.append([terms_of(text, kind[0]) for text in corpus.clauses(outside, kind[0])])
        names = name_themes(sets, kind[0], taken)
        for chosen, own_terms, name in zip(rows, sets, names, strict=False):
            own = [members[row] for row in chosen]
            weights = corpus.weights(own)
            centre = _centre(vectors[chosen], weights)
            exemplars = _exemplars(own, vectors[chosen], centre, corpus)
            said = wordings(features[chosen], draws[chosen], weights, own_terms, kind[0], smallest)
            spoken = tuple((one.label, one.n, own[one.exemplar]) for one in said)
            found.append(Found(kind, own, name, centre, exemplars, spoken))
        done += len(members)
    tell(len(keys), len(keys), "themes")
    return found


def _centre(vectors: Vectors, weights: Vectors) -> Vectors:
    mean = (vectors * weights[:, None]).sum(axis=0)
    centre: Vectors = (mean / max(float(np.linalg.norm(mean)), 1e-12)).astype(np.float32)
    return centre


def _exemplars(keys: Sequence[str], vectors: Vectors, centre: Vectors, corpus: Corpus) -> list[str]:
    """Texts nearest to the centre that can be read at a glance and do not repeat each other."""
    order = np.argsort(-(vectors @ centre), kind="stable")
    readable = [row for row in order if 6 <= len(corpus.texts[keys[row]]) <= 160]
    chosen: list[int] = []
    for row in [*readable, *order]:
        if row in chosen or len(chosen) == _EXEMPLARS:
            continue
        if all(float(vectors[row] @ vectors[other]) < 0.95 for other in chosen):
            chosen.append(int(row))
    return [keys[row] for row in chosen]
