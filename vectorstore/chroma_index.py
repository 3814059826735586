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

if TYPE_CHECKING:
    from chromadb.api.client import Client
    from chromadb.api.models.Collection import Collection

_HINT = "rebuild it from the stored texts: voiceloop reindex"
_FULL = ("disk i/o error", "disk is full", "no space left", "file too large", "quota exceeded")
_FULL_HINT = "free some space and run again; nothing but vectors is lost: voiceloop reindex makes them anew"
_PREFIX = "texts-"
# Chroma refuses more than 5,461 vectors a write, and SQLite more than 32,766 ids a read.
_BATCH = 5_000
_DATABASE = "chroma.sqlite3"


class ChromaIndex:
    """VectorIndex over `chromadb.PersistentClient`; opened on first use.

    Nothing but ids and vectors is kept: filters are SQL's job, and metadata makes Chroma ten times slower.
    Raises StoreError where the folder is damaged, or holds vectors of another encoder only.
    """

    def __init__(self, path: Path, encoder_name: str, dimension: int) -> None:
        self._path = path
        self._encoder = encoder_name
        self._dimension = dimension
        self._lock = threading.Lock()
        self._client: Client | None = None
        self._opened: Collection | None = None

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
            with self._reported() as collection:
                collection.upsert(ids=batch, embeddings=vectors[[rows[key] for key in batch]])

    def missing(self, text_keys: Iterable[str]) -> list[str]:
        """Return those keys that have no vector yet, in order, each once."""
        keys = list(dict.fromkeys(text_keys))
        known: set[str] = set()
        for start in range(0, len(keys), _BATCH):
            with self._reported() as collection:
                known.update(collection.get(ids=keys[start : start + _BATCH], include=[])["ids"])
        return [key for key in keys if key not in known]

    def nearest(self, vector: Vectors, *, limit: int, within: Sequence[str] | None = None) -> list[Match]:
        """Nearest texts, best first, by cosine; `within` restricts to these keys (unknown ones are skipped).

        Approximate (HNSW): 99% of the true nearest 50 among 30,000 texts.
        """
        if limit < 1:
            return []
        if within is None:
            return self._query(vector, limit, None)
        keys = list(dict.fromkeys(within))
        if len(keys) > _BATCH and 2 * len(keys) > (held := self.count()):
            # Most of what there is: ask for some more and leave out the rest.
            kept = set(keys)
            asked = min(held, 4 * limit)
            found = [match for match in self._query(vector, asked, None) if match.text_key in kept]
            if len(found) >= limit or asked == held:
                return found[:limit]
        matches: list[Match] = []
        for start in range(0, len(keys), _BATCH):
            matches += self._within(vector, limit, keys[start : start + _BATCH])
        return sorted(matches, key=lambda match: (-match.score, match.text_key))[:limit]

    def vectors(self, text_keys: Sequence[str]) -> Vectors:
        """Vectors of these keys, in order; shape (len(text_keys), dimension). A missing key is a KeyError."""
        rows: dict[str, list[int]] = {}
        for row, key in enumerate(text_keys):
            rows.setdefault(key, []).append(row)
        keys = list(rows)
        result = np.empty((len(text_keys), self._dimension), dtype=np.float32)
        found = 0
        for start in range(0, len(keys), _BATCH):
            with self._reported() as collection:
                answer = collection.get(ids=keys[start : start + _BATCH], include=["embeddings"])
            embeddings = np.asarray(answer["embeddings"], dtype=np.float32)
            for key, embedding in zip(answer["ids"], embeddings, strict=True):
                result[rows[key]] = embedding
            found += len(answer["ids"])
        if found != len(keys):
            gone = self.missing(keys)
            raise KeyError(f"{len(gone)} texts have no vector, {gone[0]} for one")
        return result

    def count(self) -> int:
        """How many vectors are held."""
        with self._reported() as collection:
            return int(collection.count())

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
            self._client = self._opened = None

    def _within(self, vector: Vectors, limit: int, keys: list[str]) -> list[Match]:
        from chromadb.errors import InternalError

        try:
            return self._query(vector, limit, keys)
        except StoreError as error:
            # Chroma refuses the whole question when one id is unknown to it.
            if not isinstance(error.__cause__, InternalError) or not (gone := set(self.missing(keys))):
                raise
        return self._query(vector, limit, [key for key in keys if key not in gone])

    def _query(self, vector: Vectors, limit: int, keys: list[str] | None) -> list[Match]:
        if keys is not None and not keys:
            return []
        with self._reported() as collection:
            answer = collection.query(
                query_embeddings=np.asarray(vector, dtype=np.float32).reshape(1, -1),
                n_results=limit if keys is None else min(limit, len(keys)),
                ids=keys,
                include=["distances"],
            )
        distances = answer["distances"] or [[]]
        matches = [Match(key, 1.0 - far) for key, far in zip(answer["ids"][0], distances[0], strict=True)]
        return sorted(matches, key=lambda match: (-match.score, match.text_key))

    @contextmanager
    def _reported(self) -> "Iterator[Collection]":
        """The collection; what goes wrong inside comes out as a StoreError that says what to do."""
        from chromadb.errors import ChromaError

        try:
            yield self._collection()
        except (ChromaError, OSError) as error:
            if any(sign in str(error).lower() for sign in _FULL):
                raise StoreFull(f"no room left to write {self._path}", hint=_FULL_HINT) from error
            raise StoreError(
                f"the vector index in {self._path} cannot be used: {error}", hint=_HINT
            ) from error

    def _collection(self) -> "Collection":
        with self._lock:
            if self._opened is None:
                self._opened = self._open()
            return self._opened

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
