"""P@10 of theme queries over public Chinese reviews, against judgements of pooled answers."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, NamedTuple

import numpy as np
import yaml

from evals.retrieval_systems import rivals
from evals.retrieval_texts import KeptVectors, Said, public_texts
from store.facts import Selection
from store.records import Feedback, LabelledFeedback
from vectorstore.embedder import Embedder, Vectors

CASES: Final = Path(__file__).parent / "cases"
SIZES: Final = {"delivery": 4_000, "hotel": 2_000}
"""The first of each set by key: what the judgements are of."""
TOP: Final = 10
_RESAMPLES = 2_000


class Query(NamedTuple):
    """A theme query; `split` is tuning, held-out, or english."""

    query_id: str
    split: str
    text: str


Judgements = Mapping[str, Mapping[str, int]]


def read_queries() -> list[Query]:
    """The queries of cases/retrieval.yaml."""
    loaded = yaml.safe_load((CASES / "retrieval.yaml").read_text(encoding="utf-8"))["queries"]
    return [
        Query(
            one["id"],
            "english" if one.get("language") == "en" else one.get("split", "held-out"),
            one["query"],
        )
        for one in loaded
    ]


def read_judgements() -> Judgements:
    """By query and text key: 1 where the text answers the query, 0 where it does not."""
    found: dict[str, dict[str, int]] = {}
    for line in (CASES / "retrieval_judged.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        found[row["query"]] = {**dict.fromkeys(row["no"], 0), **dict.fromkeys(row["yes"], 1)}
    return found


def judged_texts(data: Path) -> list[Said]:
    """The texts that are searched."""
    return [said for origin, size in SIZES.items() for said in public_texts(data, [origin])[:size]]


def measure_quality(texts: Sequence[Said], embedder: Embedder, cache: Path) -> dict[str, Any]:
    """P@10 of the product's search and of its rivals with one encoder; repeats in what is listed."""
    vectors = KeptVectors(cache, embedder).of(texts)
    queries, judged = read_queries(), read_judgements()
    encoded = {query.text: embedder.embed_query(query.text) for query in queries}
    answers: dict[str, dict[str, list[str]]] = {}
    for name, score in rivals(texts, embedder, vectors).items():
        answers[name] = {
            query.query_id: [
                texts[row].text_key for row in np.argsort(-score(query.text), kind="stable")[:TOP]
            ]
            for query in queries
        }
    with TemporaryDirectory() as folder:
        answers |= _product(Path(folder), texts, vectors, queries, encoded, embedder)
    said = {one.text_key: one.text for one in texts}
    return {
        "encoder": embedder.name,
        "systems": {name: _figures(found, queries, judged) for name, found in answers.items()},
        "repeats": {name: _repeats(list(found.values()), said) for name, found in answers.items()},
    }


def _product(
    folder: Path,
    texts: Sequence[Said],
    vectors: Vectors,
    queries: Sequence[Query],
    encoded: Mapping[str, Vectors],
    embedder: Embedder,
) -> dict[str, dict[str, list[str]]]:
    """What the search tool's search lists, and its ranking before anything is left out."""
    from agent.wiring import open_app
    from evals.bench_rows import settings
    from vectorstore.chroma_index import ChromaIndex
    from vectorstore.retrieval import Question, nearest_hits, rank

    index = ChromaIndex(folder / "index", embedder.name, embedder.dimension)
    index.add([said.text_key for said in texts], vectors)
    ranked: dict[str, list[str]] = {}
    listed: dict[str, list[str]] = {}
    with open_app(settings(folder)) as app:
        app.facts.add_feedback([_item(said) for said in texts])
        for query in queries:
            asked = Question(query.text, encoded[query.text], embedder.unrelated)
            question = (asked, app.facts, index, Selection(), TOP)
            ranked[query.query_id] = rank(*question).keys
            listed[query.query_id] = [hit.text_key for hit in nearest_hits(*question)]
    index.close()
    return {"the product's ranking": ranked, "the product's answer (diverse, no repeats)": listed}


def _item(said: Said) -> LabelledFeedback:
    feedback = Feedback(
        feedback_id=said.text_key,
        source=said.origin,
        text=said.text,
        language="zh",
        occurred_at=datetime(2025, 1, 1, tzinfo=UTC),
    )
    return LabelledFeedback(feedback=feedback, text_key=said.text_key)


def _figures(
    found: Mapping[str, Sequence[str]], queries: Sequence[Query], judged: Judgements
) -> dict[str, dict[str, float]]:
    """P@10 by split, 95% of bootstrap samples of queries; what was not judged counts as wrong."""
    rng = np.random.default_rng(7)
    result = {}
    for split in ("held-out", "tuning", "english"):
        ids = [query.query_id for query in queries if query.split == split]
        shares = np.array([sum(judged[one].get(key, 0) for key in found[one]) / TOP for one in ids])
        means = shares[rng.integers(0, len(ids), (_RESAMPLES, len(ids)))].mean(axis=1)
        low, high = np.quantile(means, (0.025, 0.975))
        unjudged = sum(key not in judged[one] for one in ids for key in found[one])
        result[split] = {
            "p10": round(float(shares.mean()), 4),
            "low": round(float(low), 4),
            "high": round(float(high), 4),
            "queries": len(ids),
            "unjudged": unjudged,
        }
    return result


def _repeats(answers: Sequence[Sequence[str]], said: Mapping[str, str]) -> dict[str, float]:
    """Share of the pairs in an answer that are near duplicates, by rapidfuzz (80 of 100 and above)."""
    from rapidfuzz import fuzz

    from vectorstore.lexical import fold

    pairs = same = 0
    for keys in answers:
        words = [fold(said[key]).replace(" ", "") for key in keys]
        for at, one in enumerate(words):
            for other in words[at + 1 :]:
                pairs += 1
                same += fuzz.ratio(one, other) >= 80
    return {"pairs": pairs, "near_duplicates": same, "share": round(same / max(pairs, 1), 4)}
