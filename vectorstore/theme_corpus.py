"""The texts to be clustered: whose voice, which language, praise or not."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from store.facts import FactStore, Selection
from vectorstore.embedder import Vectors
from vectorstore.index import VectorIndex
from vectorstore.tokens import Clause, Script, clauses, script_of

_LETTER = re.compile(r"[^\W\d_]")

Kind = tuple[Script, bool]
"""Language of a group of texts, and whether they praise."""


@dataclass(frozen=True)
class Corpus:
    """Distinct texts by key with how many items carry each; `silent` keys have no word or no vector."""

    texts: dict[str, str]
    counts: dict[str, int]
    kinds: dict[str, Kind]
    silent: frozenset[str]

    def groups(self, keys: Iterable[str]) -> dict[Kind, list[str]]:
        """Sort keys into their kinds, each in order of key."""
        found: dict[Kind, list[str]] = {}
        for key in sorted(keys):
            found.setdefault(self.kinds[key], []).append(key)
        return dict(sorted(found.items()))

    def clauses(self, keys: Sequence[str], script: Script) -> list[list[Clause]]:
        """Words of these texts, clause by clause."""
        return [clauses(self.texts[key], script) for key in keys]

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
    return Corpus(texts, counts, kinds, silent)


def joined_kinds(groups: dict[Kind, list[str]], smallest: int) -> dict[Kind, list[str]]:
    """Let a group too small for a theme of its own join the other polarity of its language."""
    joined = dict(groups)
    for kind, keys in groups.items():
        other: Kind = (kind[0], not kind[1])
        if len(keys) < smallest and kind in joined and other in joined:
            joined[other] = sorted([*joined[other], *joined.pop(kind)])
    return joined
