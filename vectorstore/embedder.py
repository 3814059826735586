"""Text to vectors: the seam."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]


class Embedder(Protocol):
    """Encodes texts to unit vectors. Implementations sanitise (NUL, lone surrogates) and cap length."""

    @property
    def name(self) -> str:
        """Encoder id, stored with each collection so that vectors of two encoders never mix."""
        ...

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        ...

    @property
    def unrelated(self) -> float:
        """The cosine of two texts that have nothing to do with each other: where meaning begins."""
        ...

    def embed_documents(self, texts: Sequence[str]) -> Vectors:
        """Encode feedback texts; shape (len(texts), dimension), float32, unit length."""
        ...

    def embed_query(self, text: str) -> Vectors:
        """Encode a question; shape (dimension,), float32, unit length."""
        ...
