"""Embedding beside ingesting: stored chunks are embedded while later ones are still read."""

import threading
from types import TracebackType

from pipeline.indexing import Progress, index_pending
from store.errors import VoiceLoopError
from store.facts import FactStore
from store.operations import OperationStore
from vectorstore.embedder import Embedder
from vectorstore.index import VectorIndex

_PAUSE_S = 0.3


class ConcurrentIndexing:
    """Runs `index_pending` over and over in a thread until the block ends, then once more for the rest.

    Encoding is most of the work of an ingest and runs in processes of its own, so the two overlap. What the
    thread could not do raises at the end of the block; it never stops the ingest.
    """

    def __init__(
        self,
        facts: FactStore,
        operations: OperationStore,
        index: VectorIndex,
        embedder: Embedder,
        progress: Progress | None = None,
    ) -> None:
        self._parts = (facts, operations, index, embedder)
        self._progress = progress
        self._done = threading.Event()
        self._failed: VoiceLoopError | None = None
        self._thread = threading.Thread(target=self._run, name="indexing", daemon=True)
        self.texts = 0

    def __enter__(self) -> "ConcurrentIndexing":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()
        self._thread.join()
        if error is not None:
            return
        if self._failed is not None:
            raise self._failed
        self.texts += index_pending(*self._parts, self._progress).texts

    def _run(self) -> None:
        while not self._done.wait(_PAUSE_S):
            try:
                self.texts += index_pending(*self._parts).texts
            except VoiceLoopError as failed:
                self._failed = failed
                return
