"""Texts to vectors, after they are stored: what the index lacks is embedded, each distinct text once."""

from collections.abc import Callable
from typing import NamedTuple

from store.facts import FactStore, Selection
from store.operations import OperationStore
from vectorstore.embedder import Embedder
from vectorstore.index import VectorIndex

# Large enough that the encoder's processes are worth their start, small enough that a kill loses seconds.
CHUNK = 4_096
Progress = Callable[[int, int | None, str], None]


class Indexed(NamedTuple):
    """How many texts were embedded and how many batches are now wholly indexed."""

    texts: int
    batches: int


def index_pending(
    facts: FactStore,
    operations: OperationStore,
    index: VectorIndex,
    embedder: Embedder,
    progress: Progress | None = None,
    *,
    chunk: int = CHUNK,
) -> Indexed:
    """Embed the texts of unfinished batches that the index lacks, oldest batch first.

    Killed at any point, a second run goes on with what is missing. A batch whose file was read to its end
    is marked `indexed`; one that was not keeps its mark until it is. `progress` is told (texts done, texts
    in all, "indexing"). A kill loses at most the `chunk` texts under way.
    """
    tell = progress or (lambda done, total, stage: None)
    texts = batches = 0
    for batch in reversed(operations.batches(unfinished=True)):
        if batch.kind == "feedback":
            texts += _index_texts(facts.texts_of_batch(batch.batch_id), index, embedder, tell, chunk)
        if batch.stage == "stored":
            operations.save_batch(batch.model_copy(update={"stage": "indexed"}))
            batches += 1
    return Indexed(texts, batches)


def index_all(
    facts: FactStore, index: VectorIndex, embedder: Embedder, progress: Progress | None = None
) -> int:
    """Embed every stored customer text that the index lacks (a rebuild); return how many were embedded."""
    keys = [key for key, _ in facts.text_keys(Selection())]
    tell = progress or (lambda done, total, stage: None)
    return _index_texts(facts.texts(keys), index, embedder, tell, CHUNK)


def _index_texts(
    texts: dict[str, str], index: VectorIndex, embedder: Embedder, tell: Progress, chunk: int
) -> int:
    missing = index.missing(texts)
    for start in range(0, len(missing), chunk):
        tell(start, len(missing), "indexing")
        keys = missing[start : start + chunk]
        index.add(keys, embedder.embed_documents([texts[key] for key in keys]))
    if missing:
        tell(len(missing), len(missing), "indexing")
    return len(missing)
