"""A data folder of many texts to search in, and the filters that are tried on it; kept between runs."""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, NamedTuple

from agent.settings import Settings
from evals.bench_rows import settings
from evals.retrieval_texts import Said
from store.records import Channel, Feedback, LabelledFeedback, Labels, Sentiment, TopicLabel
from vectorstore.embedder import Embedder, Vectors

START: Final = datetime(2025, 1, 1, tzinfo=UTC)
DAYS: Final = 365
REGIONS: Final = ("广东", "北京", "上海", "浙江", "四川", "江苏", "山东", "湖北")
PRODUCTS: Final = tuple(f"产品{number}" for number in range(1, 21))
TIERS: Final = ("普通", "普通", "普通", "普通", "普通", "普通", "普通", "银卡", "银卡", "金卡")
TOPICS: Final = (
    "logistics/speed",
    "service/attitude",
    "product/quality",
    "price/value",
    "logistics/packaging",
)
_BATCH = 5_000


class Tried(NamedTuple):
    """One filter as the tool takes it, and as Chroma's `where` says the same (None: not tried there)."""

    name: str
    arguments: dict[str, Any]
    where: dict[str, Any] | None = None


def _between(start: str, end: str) -> dict[str, Any]:
    first, last = (int(datetime.fromisoformat(day).timestamp()) for day in (start, end))
    return {"$and": [{"at": {"$gte": first}}, {"at": {"$lt": last}}]}


FILTERS: Final = (
    Tried("none", {}),
    Tried("region", {"filters": {"region": "广东"}}, {"region": "广东"}),
    Tried("channel", {"filters": {"channel": "review"}}, {"channel": "review"}),
    Tried("product", {"filters": {"product": "产品7"}}, {"product": "产品7"}),
    Tried("sentiment", {"filters": {"sentiment": "negative"}}, {"sentiment": "negative"}),
    Tried("topic", {"filters": {"topic": "service/attitude"}}, {"topic": "service/attitude"}),
    Tried("tier", {"filters": {"tier": "金卡"}}, {"tier": "金卡"}),
    Tried("left out", {"exclude": {"region": ["广东", "北京"]}}, {"region": {"$nin": ["广东", "北京"]}}),
    Tried(
        "half a year",
        {"period": {"from": "2025-03-01", "to": "2025-09-01"}},
        _between("2025-03-01T00:00:00+08:00", "2025-09-01T00:00:00+08:00"),
    ),
    Tried(
        "a month",
        {"period": {"from": "2025-06-01", "to": "2025-07-01"}},
        _between("2025-06-01T00:00:00+08:00", "2025-07-01T00:00:00+08:00"),
    ),
    Tried(
        "a day",
        {"period": {"from": "2025-06-11", "to": "2025-06-12"}},
        _between("2025-06-11T00:00:00+08:00", "2025-06-12T00:00:00+08:00"),
    ),
    Tried(
        "one in a thousand",
        {"filters": {"region": "浙江", "product": "产品3", "tier": "金卡", "sentiment": "negative"}},
        {
            "$and": [
                {"region": "浙江"},
                {"product": "产品3"},
                {"tier": "金卡"},
                {"sentiment": "negative"},
            ]
        },
    ),
)


def item(said: Said, number: int) -> LabelledFeedback:
    """One item for a text; everything but its words is a hash of its key."""
    draw = hashlib.blake2b(said.text_key.encode(), digest_size=16).digest()
    sentiment = list(Sentiment)[draw[0] % 3]
    feedback = Feedback(
        feedback_id=f"text-{number:06d}",
        source=said.origin,
        channel=(Channel.REVIEW, Channel.SURVEY, Channel.CHAT, Channel.TICKET)[draw[1] % 4],
        occurred_at=START + timedelta(minutes=int.from_bytes(draw[2:6]) % (DAYS * 1440)),
        customer_id=f"c{int.from_bytes(draw[6:8]) % 20_000}",
        text=said.text,
        language="zh" if said.origin in ("delivery", "hotel", "written") else "en",
        region=REGIONS[draw[8] % 8],
        product=PRODUCTS[draw[9] % 20],
        tier=TIERS[draw[10] % 10],
    )
    labels = Labels(
        sentiment=sentiment,
        sentiment_confidence=0.9,
        topics=(TopicLabel(topic=TOPICS[draw[11] % 5], polarity=sentiment),),
        labeller="bench",
    )
    return LabelledFeedback(feedback=feedback, labels=labels, text_key=said.text_key)


def fill(home: Path, texts: Sequence[Said], vectors: Vectors, embedder: Embedder) -> Settings:
    """Make the data folder where it is not there yet: one item a text, all texts indexed."""
    from agent.wiring import open_app
    from vectorstore.chroma_index import ChromaIndex

    chosen = settings(home)
    with open_app(chosen) as app:
        index = ChromaIndex(home / "chroma", embedder.name, embedder.dimension)
        for start in range(0, len(texts), _BATCH):
            batch = texts[start : start + _BATCH]
            app.facts.add_feedback([item(said, start + at) for at, said in enumerate(batch)])
            missing = set(index.missing([said.text_key for said in batch]))
            rows = [start + at for at, said in enumerate(batch) if said.text_key in missing]
            if rows:
                index.add([texts[row].text_key for row in rows], vectors[rows])
        index.close()
    return chosen


def fill_peer(folder: Path, texts: Sequence[Said], vectors: Vectors) -> Any:
    """Chroma alone, with the same values as metadata; returns the collection."""
    import chromadb
    from chromadb.config import Settings as ChromaSettings

    client = chromadb.PersistentClient(str(folder), settings=ChromaSettings(anonymized_telemetry=False))
    collection = client.get_or_create_collection(
        "peer", embedding_function=None, configuration={"hnsw": {"space": "cosine"}}
    )
    for start in range(collection.count(), len(texts), _BATCH):
        rows = range(start, min(start + _BATCH, len(texts)))
        collection.upsert(
            ids=[texts[row].text_key for row in rows],
            embeddings=vectors[start : rows.stop],
            metadatas=[metadata(item(texts[row], row)) for row in rows],
        )
    return collection


def metadata(one: LabelledFeedback) -> dict[str, Any]:
    """What a filter may ask for, as Chroma keeps it."""
    feedback, labels = one.feedback, one.labels
    assert labels is not None and feedback.occurred_at is not None
    return {
        "region": feedback.region or "",
        "product": feedback.product or "",
        "channel": feedback.channel.value,
        "tier": feedback.tier or "",
        "sentiment": labels.sentiment.value,
        "topic": labels.topics[0].topic,
        "at": int(feedback.occurred_at.timestamp()),
    }
