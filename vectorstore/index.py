"""Vectors by text key, found again by meaning: the seam. A rebuildable index, never the truth."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple, Protocol

from vectorstore.embedder import Vectors


class Match(NamedTuple):
    """A text key and its cosine similarity to the question."""

    text_key: str
    score: float


class VectorIndex(Protocol):
    """Holds one vector per distinct text; knows nothing of periods and regions (SQL does)."""

    def add(self, text_keys: Sequence[str], vectors: Vectors) -> None:
        """Insert or replace vectors."""
        ...

    def missing(self, text_keys: Iterable[str]) -> list[str]:
        """Return those keys that have no vector yet, in order."""
        ...

    def nearest(self, vector: Vectors, *, limit: int, within: Sequence[str] | None = None) -> list[Match]:
        """Nearest texts, best first; `within` restricts to these keys."""
        ...

    def similarities(self, vector: Vectors, text_keys: Sequence[str]) -> Vectors:
        """Cosine of each of these texts to a question, in order; 0 for one without a vector."""
        ...

    def vectors(self, text_keys: Sequence[str]) -> Vectors:
        """Vectors of these keys, in order; shape (len(text_keys), dimension). A missing key is a KeyError."""
        ...

    def count(self) -> int:
        """How many vectors are held."""
        ...

    def reset(self) -> None:
        """Drop everything (before a reindex)."""
        ...
