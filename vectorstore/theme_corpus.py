"""The texts to be clustered: whose voice, which language, praise or not."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from store.facts import FactStore, Selection
from vectorstore.embedder import Vectors
from vectorstore.index import VectorIndex
from vectorstore.tokens import Clause, Script, clauses, script_of, stop_words

_ENTITIES = ("product", "region", "city", "org_unit")
_LETTER = re.compile(r"[^\W\d_]")

Kind = tuple[Script, bool]
"""Language of a group of texts, and whether they praise."""


@dataclass(frozen=True)
class Corpus:
    """Distinct texts by key with how many items carry each; `silent` keys have no word or no vector.

    `names` are the words of the products and places the data knows. A theme is what is said, not of which
    product: themes are formed and named without them, and a product is a dimension to break a theme down by.
    """

    texts: dict[str, str]
    counts: dict[str, int]
    kinds: dict[str, Kind]
    silent: frozenset[str]
    names: frozenset[str] = frozenset()

    def groups(self, keys: Iterable[str]) -> dict[Kind, list[str]]:
        """Sort keys into their kinds, each in order of key."""
        found: dict[Kind, list[str]] = {}
        for key in sorted(keys):
            found.setdefault(self.kinds[key], []).append(key)
        return dict(sorted(found.items()))

    def clauses(self, keys: Sequence[str], script: Script) -> list[list[Clause]]:
        """Words of these texts but for names, clause by clause."""
        return [self._without_names(clauses(self.texts[key], script)) for key in keys]

    def _without_names(self, found: list[Clause]) -> list[Clause]:
        if not self.names:
            return found
        bare = [tuple(word for word in clause if word not in self.names) for clause in found]
        return [clause for clause in bare if clause]

    def mentions(self, keys: Sequence[str], least: int) -> Vectors:
        """Which names each text holds, 0 or 1; shape (texts, names that at least `least` texts hold)."""
        if not self.names:
            return np.zeros((len(keys), 0), dtype=np.float32)
        texts = [self.texts[key].lower() for key in keys]
        found = np.array([[name in text for name in sorted(self.names)] for text in texts], dtype=np.float32)
        return found[:, found.sum(axis=0) >= least]

    def weights(self, keys: Sequence[str]) -> Vectors:
        """1 + log(count) of each text: a stock phrase said a thousand times must not bend a theme to it."""
        return np.array([1.0 + np.log(self.counts[key]) for key in keys], dtype=np.float32)


def read_corpus(facts: FactStore, index: VectorIndex) -> Corpus:
    """Read the distinct customer texts and sort them by language and polarity.

    Praise is what the labels call positive; complaints, questions and unlabelled texts stay together.
    """
    counts = dict(sorted(facts.text_keys(Selection())))
    texts = facts.texts()
    praise = {key for key, _ in facts.text_keys(Selection(filters={"sentiment": ("positive",)}))}
    wordless = [key for key in counts if not _LETTER.search(texts.get(key, ""))]
    silent = frozenset(wordless) | frozenset(index.missing(counts))
    kinds: dict[str, Kind] = {
        key: (script_of(texts[key]), key in praise) for key in counts if key not in silent
    }
    return Corpus(texts, counts, kinds, silent, _names(facts))


def _names(facts: FactStore) -> frozenset[str]:
    """Words of the values of the entity dimensions; stop words and single characters are none."""
    dimensions = facts.catalogue().dimensions
    found: set[str] = set()
    for dimension in _ENTITIES:
        for value, _ in dimensions[dimension].values if dimension in dimensions else ():
            script = script_of(value)
            words = [word for clause in clauses(value, script) for word in clause]
            found.update(word for word in words if len(word) > 1 and stop_words(script).content(word))
    return frozenset(found)


def joined_kinds(groups: dict[Kind, list[str]], smallest: int) -> dict[Kind, list[str]]:
    """Let a group too small for a theme of its own join the other polarity of its language."""
    joined = dict(groups)
    for kind, keys in groups.items():
        other: Kind = (kind[0], not kind[1])
        if len(keys) < smallest and kind in joined and other in joined:
            joined[other] = sorted([*joined[other], *joined.pop(kind)])
    return joined
