"""The stores of one data folder, opened when first used."""

import os
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Self

from agent.settings import Settings
from store.clock import Clock, SystemClock
from store.errors import StoreError
from store.facts import FactStore
from store.operations import OperationStore
from vectorstore.embedder import Embedder
from vectorstore.index import VectorIndex

FACTS_FILE: Final = "facts.duckdb"


class Stores:
    """Facts, operations and vectors of a data folder. Close it, or use it as a context manager."""

    def __init__(self, settings: Settings, clock: Clock | None = None) -> None:
        self.settings = settings
        self.clock: Clock = clock or SystemClock()
        self._closers: list[Any] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close what was opened, last first."""
        while self._closers:
            self._closers.pop().close()

    @property
    def home(self) -> Path:
        """The data folder; made when a store is first opened."""
        return self.settings.home

    @cached_property
    def facts(self) -> FactStore:
        """Feedback, labels, customers, themes."""
        from store.duckdb_facts import DuckDBFactStore

        store = DuckDBFactStore(self._file(FACTS_FILE), self.settings.zone, self.clock)
        self._closers.append(store)
        return store

    @cached_property
    def operations(self) -> OperationStore:
        """Batches, tasks, plans, audit."""
        from store.sqlite_operations import SqliteOperationStore

        store = SqliteOperationStore(self._file("operations.sqlite"), self.clock)
        self._closers.append(store)
        return store

    @cached_property
    def embedder(self) -> Embedder:
        """Text to vectors."""
        from vectorstore.e5_embedder import E5Embedder
        from vectorstore.use_embedder import UseEmbedder

        chosen = E5Embedder if self.settings.encoder == "e5" else UseEmbedder
        embedder = chosen(self.settings.workers or os.cpu_count() or 1)
        self._closers.append(embedder)
        return embedder

    @cached_property
    def index(self) -> VectorIndex:
        """Vectors by text key."""
        from vectorstore.chroma_index import ChromaIndex

        return ChromaIndex(self._file("chroma"), self.embedder.name, self.embedder.dimension)

    def _file(self, name: str) -> Path:
        try:
            self.home.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(
                f"the data folder {self.home} cannot be made: {error.strerror}", hint="set VOICELOOP_HOME"
            ) from error
        path = self.home / name
        for place in (self.home, path):
            if place.exists() and not os.access(place, os.W_OK):
                raise StoreError(
                    f"{place} may not be written", hint="give yourself the right to, or set VOICELOOP_HOME"
                )
        return path
