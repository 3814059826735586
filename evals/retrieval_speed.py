"""Speed and exactness of search among many texts and filters, beside a scan and Chroma's own filter."""

import gc
import os
import resource
from collections.abc import Callable, Sequence
from pathlib import Path
from time import perf_counter, thread_time
from typing import Any, Final

import numpy as np

from evals.retrieval_quality import Query
from evals.retrieval_texts import Said
from evals.retrieval_world import FILTERS, Tried, fill, fill_peer, item, metadata
from store.facts import Selection
from tools.context import Asker, ToolContext
from tools.search import SearchArguments, search_feedback
from tools.selection import choose
from vectorstore.chroma_index import ChromaIndex
from vectorstore.embedder import Embedder, Vectors
from vectorstore.retrieval import Question, rank

GOAL_MS: Final = 50.0
GOAL_RECALL: Final = 0.98
TOP: Final = 10
_EVERYTHING: Final = 10**9


class Encoded:
    """The encoder with the questions encoded beforehand: what remains is the search."""

    def __init__(self, embedder: Embedder, questions: Sequence[str]) -> None:
        self.name, self.dimension, self.unrelated = embedder.name, embedder.dimension, embedder.unrelated
        self._known = {question: embedder.embed_query(question) for question in questions}

    def embed_documents(self, texts: Sequence[str]) -> Vectors:
        """The questions only."""
        return np.array([self._known[text] for text in texts])

    def embed_query(self, text: str) -> Vectors:
        """Looked up."""
        return self._known[text]


def measure_speed(
    texts: Sequence[Said], vectors: Vectors, embedder: Embedder, queries: Sequence[Query], cache: Path
) -> dict[str, Any]:
    """Milliseconds of the whole tool call by filter, recall of its ranking, and what the peers take."""
    from agent.wiring import open_app

    home = cache / f"home-{len(texts)}"
    chosen = fill(home, texts, vectors, embedder)
    questions = [query.text for query in queries]
    encoded = Encoded(embedder, questions)
    with open_app(chosen) as app:
        index = ChromaIndex(home / "chroma", embedder.name, embedder.dimension)
        before = _resident_mb()
        context = ToolContext(
            facts=app.facts,
            operations=app.operations,
            index=index,
            embedder=encoded,
            taxonomy=app.taxonomy,
            clock=app.clock,
            zone=app.settings.zone,
            asker=Asker(),
            policy=app.policy_book.live(),
        )
        started = perf_counter()
        _ask(questions[0], FILTERS[0], context)
        first = perf_counter() - started
        for tried in FILTERS:
            _ask(questions[1], tried, context)
        rows = [_of_filter(tried, questions, context) for tried in FILTERS]
        memory = _resident_mb() - before
        index.close()
    peers = _peers(texts, vectors, encoded, questions, cache)
    every = [row for row in rows for _ in range(1)]
    return {
        "texts": len(texts),
        "real": sum(said.origin != "written" for said in texts),
        "queries": len(questions),
        "filters": [
            {key: value for key, value in row.items() if key != "times"} | peers[row["filter"]]
            for row in rows
        ],
        "p95_ms": max(row["p95_ms"] for row in every),
        "recall": round(float(np.mean([row["recall"] for row in rows])), 4),
        "worst_recall": min(row["recall"] for row in rows),
        "first_call_s": round(first, 2),
        "memory_mb": round(memory),
        "load_average": round(os.getloadavg()[0], 1),
    }


def _arguments(question: str, tried: Tried) -> SearchArguments:
    return SearchArguments.model_validate({"query": question, "limit": TOP, **tried.arguments})


def _ask(question: str, tried: Tried, context: ToolContext) -> Any:
    return search_feedback(_arguments(question, tried), context)


def _of_filter(tried: Tried, questions: Sequence[str], context: ToolContext) -> dict[str, Any]:
    matched = 0
    times, busy = [], []
    found: list[float] = []
    gc.collect()
    for question in questions:
        started, worked = perf_counter(), thread_time()
        result = _ask(question, tried, context)
        times.append(1_000 * (perf_counter() - started))
        busy.append(1_000 * (thread_time() - worked))
        matched = result.n
        selection = choose(_arguments(question, tried), context).selection
        found.append(_recall(question, selection, context))
    return {
        "filter": tried.name,
        "selected": matched,
        **_spread("", times),
        "thread_p95_ms": round(float(np.quantile(busy, 0.95)), 1),
        "recall": round(float(np.mean(found)), 4),
    }


def _recall(question: str, selection: Selection, context: ToolContext) -> float:
    """Of the ten that score best when every text of the selection is scored, the share that search ranks."""
    asked = Question(question, context.embedder.embed_query(question), context.embedder.unrelated)
    exact = rank(asked, context.facts, context.index, selection, TOP, narrow=_EVERYTHING)
    if not exact.keys:
        return 1.0
    floor = float(exact.scores[-1]) - 1e-6
    # The search ranks three times as many before it leaves out repeats.
    ranked = rank(asked, context.facts, context.index, selection, 3 * TOP).first(len(exact.keys))
    return float((ranked.scores >= floor).sum()) / len(exact.keys)


def _peers(
    texts: Sequence[Said], vectors: Vectors, encoded: Encoded, questions: Sequence[str], cache: Path
) -> dict[str, dict[str, Any]]:
    """The nearest ten by meaning alone: a scan of all vectors under a mask, and Chroma's `where`."""
    collection = fill_peer(cache / f"peer-{len(texts)}", texts, vectors)
    values = [metadata(item(said, row)) for row, said in enumerate(texts)]
    columns = {name: np.array([one[name] for one in values]) for name in values[0]}
    result = {}
    for tried in FILTERS:
        mask = _mask(tried.where, columns, len(texts))

        def scan(vector: Vectors, mask: Any = mask) -> Any:
            scores = np.where(mask, vectors @ vector, -1.0)
            best = np.argpartition(-scores, TOP)[:TOP]
            return best[np.argsort(-scores[best])]

        def where(vector: Vectors, tried: Tried = tried) -> Any:
            return collection.query(
                query_embeddings=vector.reshape(1, -1),
                n_results=TOP,
                where=tried.where,
                include=["distances"],
            )

        result[tried.name] = {
            **_spread("scan_", _timed(scan, questions, encoded)),
            **_spread("chroma_where_", _timed(where, questions, encoded)),
        }
    return result


def _timed(ask: Callable[[Vectors], Any], questions: Sequence[str], encoded: Encoded) -> list[float]:
    times = []
    for question in questions:
        vector = encoded.embed_query(question)
        started = perf_counter()
        ask(vector)
        times.append(1_000 * (perf_counter() - started))
    return times


def _mask(where: dict[str, Any] | None, columns: dict[str, Any], count: int) -> Any:
    """The same condition over arrays."""
    mask = np.ones(count, dtype=bool)
    for condition in (where or {}).get("$and", [where or {}]):
        for name, value in condition.items():
            if not isinstance(value, dict):
                mask &= columns[name] == value
            elif "$nin" in value:
                mask &= ~np.isin(columns[name], value["$nin"])
            else:
                mask &= columns[name] >= value["$gte"] if "$gte" in value else columns[name] < value["$lt"]
    return mask


def _spread(prefix: str, times: Sequence[float]) -> dict[str, float]:
    low, high = np.quantile(times, (0.5, 0.95))
    return {f"{prefix}p50_ms": round(float(low), 1), f"{prefix}p95_ms": round(float(high), 1)}


def _resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / 1e6
