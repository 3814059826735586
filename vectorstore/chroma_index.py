"""Vectors in Chroma, on disk. One collection an encoder; a rebuildable index, never the truth."""

import hashlib
import re
import shutil
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from store.errors import StoreError, StoreFull
from vectorstore.embedder import Vectors
from vectorstore.index import Match
from vectorstore.vector_file import VectorFile

if TYPE_CHECKING:
    from chromadb.api.client import Client
    from chromadb.api.models.Collection import Collection

_HINT = "rebuild it from the stored texts: voiceloop reindex"
_FULL = ("disk i/o error", "disk is full", "no space left", "file too large", "quota exceeded")
_FULL_HINT = "free some space and run again; nothing but vectors is lost: voiceloop reindex makes them anew"
_PREFIX = "texts-"
# Chroma refuses more than 5,461 vectors a write.
_BATCH = 5_000
_DATABASE = "chroma.sqlite3"


class ChromaIndex:
    """VectorIndex over `chromadb.PersistentClient`; opened on first use.

    Nothing but ids and vectors is kept: filters are SQL's job, and metadata makes Chroma ten times slower.
    Chroma answers what is near among all; vectors by key, and what is near among some, are read from a file
    beside it that holds the same vectors, and is made anew where it does not.
    Raises StoreError where the folder is damaged, or holds vectors of another encoder only.
    """

    def __init__(self, path: Path, encoder_name: str, dimension: int) -> None:
        self._path = path
        self._encoder = encoder_name
        self._dimension = dimension
        self._lock = threading.Lock()
        self._client: Client | None = None
        self._opened: Collection | None = None
        self._file: VectorFile | None = None

    def add(self, text_keys: Sequence[str], vectors: Vectors) -> None:
        """Insert or replace vectors, shape (len(text_keys), dimension). ValueError on another shape."""
        if vectors.shape != (len(text_keys), self._dimension):
            raise ValueError(
                f"need vectors of shape {(len(text_keys), self._dimension)}, got {vectors.shape}"
            )
        rows = {key: row for row, key in enumerate(text_keys)}
        keys = list(rows)
        for start in range(0, len(keys), _BATCH):
            batch = keys[start : start + _BATCH]
            chosen = vectors[[rows[key] for key in batch]]
            with self._reported() as (collection, file):
                collection.upsert(ids=batch, embeddings=chosen)
                file.put(batch, chosen)

    def missing(self, text_keys: Iterable[str]) -> list[str]:
        """Return those keys that have no vector yet, in order, each once."""
        with self._reported() as (_, file):
            return [key for key in dict.fromkeys(text_keys) if key not in file]

    def nearest(self, vector: Vectors, *, limit: int, within: Sequence[str] | None = None) -> list[Match]:
        """Nearest texts, best first, by cosine; `within` restricts to these keys (unknown ones are skipped).

        Among all: approximate (HNSW), 99% of the true nearest 50 among 30,000 texts. Within keys: exact.
        """
        if limit < 1:
            return []
        if within is None:
            return self._query(vector, limit)
        gone = set(self.missing(within))
        keys = [key for key in dict.fromkeys(within) if key not in gone]
        scores = self.similarities(vector, keys)
        order = np.argsort(-scores, kind="stable")[: 2 * limit]
        matches = [Match(keys[row], float(scores[row])) for row in order]
        return sorted(matches, key=lambda match: (-match.score, match.text_key))[:limit]

    def similarities(self, vector: Vectors, text_keys: Sequence[str]) -> Vectors:
        """Cosine of each of these texts to a question, in order; 0 for one without a vector."""
        with self._reported() as (_, file):
            places = file.places(text_keys)
            scores = np.zeros(len(places), dtype=np.float32)
            held = places >= 0
            # Picking out rows costs more than passing over all of them once it is a good part of them.
            if 4 * int(held.sum()) > len(file):
                scores[held] = (file.rows @ vector)[places[held]]
            else:
                scores[held] = file.rows[places[held]] @ vector
        return scores

    def vectors(self, text_keys: Sequence[str]) -> Vectors:
        """Vectors of these keys, in order; shape (len(text_keys), dimension). A missing key is a KeyError."""
        with self._reported() as (_, file):
            places = file.places(text_keys)
            if gone := [key for key, place in zip(text_keys, places, strict=True) if place < 0]:
                raise KeyError(f"{len(gone)} texts have no vector, {gone[0]} for one")
            return np.asarray(file.rows[places])

    def count(self) -> int:
        """How many vectors are held."""
        with self._reported() as (_, file):
            return len(file)

    def reset(self) -> None:
        """Drop everything, of other encoders and damaged files too, and begin empty."""
        self.close()
        if (self._path / _DATABASE).exists():
            shutil.rmtree(self._path)
        self.count()

    def close(self) -> None:
        """Release the files; the next call opens them again."""
        with self._lock:
            if self._client is not None:
                self._client.close()
            self._client = self._opened = self._file = None

    def _query(self, vector: Vectors, limit: int) -> list[Match]:
        with self._reported() as (collection, _):
            answer = collection.query(
                query_embeddings=np.asarray(vector, dtype=np.float32).reshape(1, -1),
                n_results=limit,
                include=["distances"],
            )
        distances = answer["distances"] or [[]]
        matches = [Match(key, 1.0 - far) for key, far in zip(answer["ids"][0], distances[0], strict=True)]
        return sorted(matches, key=lambda match: (-match.score, match.text_key))

    @contextmanager
    def _reported(self) -> "Iterator[tuple[Collection, VectorFile]]":
        """The collection and its file; what goes wrong inside comes out as a StoreError with a hint."""
        from chromadb.errors import ChromaError

        try:
            yield self._collections()
        except (ChromaError, OSError) as error:
            if any(sign in str(error).lower() for sign in _FULL):
                raise StoreFull(f"no room left to write {self._path}", hint=_FULL_HINT) from error
            raise StoreError(
                f"the vector index in {self._path} cannot be used: {error}", hint=_HINT
            ) from error

    def _collections(self) -> "tuple[Collection, VectorFile]":
        with self._lock:
            if self._opened is None or self._file is None:
                self._opened = self._open()
                self._file = _vector_file(self._path, self._opened, self._dimension)
            return self._opened, self._file

    def _open(self) -> "Collection":
        self._path.mkdir(parents=True, exist_ok=True)
        client = _connect(str(self._path))
        name = collection_name(self._encoder, self._dimension)
        try:
            others = [held for held in client.list_collections() if held.name.startswith(_PREFIX)]
            if all(held.name != name for held in others) and any(held.count() for held in others):
                was = ", ".join(sorted(str((held.metadata or {}).get("encoder")) for held in others))
                raise StoreError(
                    f"the vector index in {self._path} is of another encoder ({was}, not {self._encoder})",
                    hint=_HINT,
                )
            collection = client.get_or_create_collection(
                name,
                embedding_function=None,
                configuration={"hnsw": {"space": "cosine"}},
                metadata={"encoder": self._encoder, "dimension": self._dimension},
            )
        except BaseException:
            client.close()
            raise
        self._client = client
        return collection


def _vector_file(folder: Path, collection: "Collection", dimension: int) -> VectorFile:
    """The file of a collection; read from Chroma where it holds fewer vectors or more."""
    file = VectorFile(folder / collection.name, dimension)
    held = collection.count()
    if len(file) != held:
        file.clear()
        for start in range(0, held, _BATCH):
            page = collection.get(limit=_BATCH, offset=start, include=["embeddings"])
            file.put(page["ids"], np.asarray(page["embeddings"], dtype=np.float32))
    return file


def _connect(path: str) -> "Client":
    import chromadb
    from chromadb.api.client import Client
    from chromadb.api.shared_system_client import SharedSystemClient
    from chromadb.config import Settings

    try:
        client = chromadb.PersistentClient(path=path, settings=Settings(anonymized_telemetry=False))
    except BaseException:
        # Chroma keeps what failed to start and would hand it out again once the files are repaired.
        SharedSystemClient._identifier_to_system.pop(path, None)
        raise
    assert isinstance(client, Client)
    return client


def collection_name(encoder_name: str, dimension: int) -> str:
    """Name of the collection of an encoder: readable, and distinct for each name and dimension."""
    readable = re.sub(r"[^a-z0-9]+", "-", encoder_name.lower()).strip("-")[:40]
    digest = hashlib.sha256(f"{encoder_name}/{dimension}".encode()).hexdigest()[:8]
    return f"{_PREFIX}{readable}-{dimension}-{digest}".replace("--", "-")
