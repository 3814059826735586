"""A small world for the tool tests: three months of feedback with one planted event, in the real stores."""

import atexit
import hashlib
import random
import shutil
import tempfile
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np

from pipeline.taxonomy import load_taxonomy
from retention.policy import load_policy
from store.clock import FixedClock
from store.duckdb_facts import DuckDBFactStore
from store.identity import text_key
from store.records import (
    Channel,
    Feedback,
    IndustryRate,
    Intent,
    LabelledFeedback,
    Labels,
    Sentiment,
    Theme,
    TopicLabel,
)
from store.sqlite_operations import SqliteOperationStore
from tools.context import Asker, ToolContext
from vectorstore.embedder import Vectors
from vectorstore.index import Match

ZONE = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 11, 22, 6, 0, tzinfo=UTC)
START = datetime(2026, 8, 24, tzinfo=ZONE)
DAYS = 90
UNITS = {
    "广东": ("华南大区/广州/天河店", "华南大区/深圳/南山店"),
    "浙江": ("华东大区/杭州/西湖店",),
    "上海": ("华东大区/上海/徐汇店",),
    "北京": ("华北大区/北京/朝阳店",),
}
TEXTS = {
    "logistics/speed": ("物流太慢了等了五天", "快递一直不动", "配送延误还没人解释", "发货慢得离谱"),
    "service/attitude": ("客服态度很差", "店员爱理不理", "客服说话很冲"),
    "product/quality": ("质量很好很耐用", "做工精细", "用着挺顺手"),
}


class HashedEmbedder:
    """Character bigrams hashed to 64 dimensions: texts that share words are near."""

    name, dimension = "hashed-bigrams", 64

    @property
    def unrelated(self) -> float:
        return 0.0

    def embed_documents(self, texts: Sequence[str]) -> Vectors:
        return np.stack([self.embed_query(text) for text in texts])

    def embed_query(self, text: str) -> Vectors:
        vector = np.zeros(self.dimension, dtype=np.float32)
        for at in range(len(text) - 1):
            digest = hashlib.sha256(text[at : at + 2].encode()).digest()
            vector[digest[0] % self.dimension] += 1
        return vector / max(float(np.linalg.norm(vector)), 1e-9)


class MemoryIndex:
    """An exact index in a dictionary."""

    def __init__(self) -> None:
        self._vectors: dict[str, Vectors] = {}

    def add(self, text_keys: Sequence[str], vectors: Vectors) -> None:
        self._vectors.update(zip(text_keys, vectors, strict=True))

    def missing(self, text_keys: Iterable[str]) -> list[str]:
        return [key for key in text_keys if key not in self._vectors]

    def nearest(self, vector: Vectors, *, limit: int, within: Sequence[str] | None = None) -> list[Match]:
        keys = list(self._vectors if within is None else within)
        scored = [Match(key, float(self._vectors[key] @ vector)) for key in keys]
        return sorted(scored, key=lambda match: -match.score)[:limit]

    def similarities(self, vector: Vectors, text_keys: Sequence[str]) -> Vectors:
        found = [float(self._vectors[key] @ vector) if key in self._vectors else 0.0 for key in text_keys]
        return np.array(found, dtype=np.float32)

    def vectors(self, text_keys: Sequence[str]) -> Vectors:
        return np.stack([self._vectors[key] for key in text_keys])

    def count(self) -> int:
        return len(self._vectors)

    def reset(self) -> None:
        self._vectors.clear()


def feedback(seed: int = 3) -> list[LabelledFeedback]:
    """About 3,600 survey, ticket and chat items; October hits Guangdong's promotion."""
    rng = random.Random(seed)
    items: list[LabelledFeedback] = []
    for day in range(DAYS):
        for number in range(40):
            at = START + timedelta(days=day, hours=rng.randrange(8, 23), minutes=rng.randrange(60))
            items.append(_item(rng, at, f"f{day:02d}-{number:02d}"))
    items += [_undated(number) for number in range(7)]
    return items


def _item(rng: random.Random, at: datetime, feedback_id: str) -> LabelledFeedback:
    region = rng.choices(list(UNITS), weights=(3, 2, 2, 2))[0]
    promoted = rng.random() < 0.3
    hit = region == "广东" and promoted and at.month == 10
    topic = "logistics/speed" if hit and rng.random() < 0.85 else rng.choice(list(TEXTS))
    bad = topic != "product/quality"
    nps = rng.choice((0, 2, 3, 5, 6) if bad and (hit or rng.random() < 0.35) else (7, 8, 9, 9, 10, 10))
    channel = rng.choices((Channel.SURVEY, Channel.TICKET, Channel.CHAT), weights=(5, 3, 2))[0]
    scored = channel is Channel.SURVEY
    spoken = not scored or rng.random() < 0.5
    more = rng.choice(("真的", "希望改进", "这次", "第二次了"))
    text = f"{rng.choice(TEXTS[topic])}，{more}{rng.randrange(400)}" if spoken else ""
    customer = f"c{rng.randrange(300):03d}"
    return _labelled(
        Feedback(
            feedback_id=feedback_id,
            source="world",
            channel=channel,
            occurred_at=at.astimezone(UTC),
            customer_id=customer if rng.random() < 0.9 else None,
            conversation_id=f"v-{feedback_id}" if channel is Channel.CHAT else None,
            turn=0 if channel is Channel.CHAT else None,
            speaker="customer" if channel is Channel.CHAT else None,
            text=text,
            language="zh" if text else "und",
            nps=nps if scored else None,
            metrics={"订单金额": float(rng.randrange(20, 900))} if rng.random() < 0.5 else {},
            region=region,
            product=rng.choice(("扫地机器人", "电饭煲", "空气炸锅")),
            version=rng.choice(("5.0", "5.1")),
            org_unit=rng.choice(UNITS[region]),
            attributes={"活动": "会员节" if promoted else "无", "门牌": feedback_id},
        ),
        topic if spoken else None,
        "negative" if bad else "positive",
    )


def _undated(number: int) -> LabelledFeedback:
    feedback = Feedback(
        feedback_id=f"u{number}", source="world", text=f"没有日期的反馈{number}", language="zh"
    )
    return _labelled(feedback, "service/attitude", "negative")


def _labelled(feedback: Feedback, topic: str | None, sentiment: str) -> LabelledFeedback:
    if not feedback.text:
        return LabelledFeedback(feedback=feedback)
    polarity = Sentiment(sentiment)
    labels = Labels(
        sentiment=polarity,
        sentiment_confidence=0.9,
        topics=(TopicLabel(topic=topic, polarity=polarity),) if topic else (),
        intent=Intent.COMPLAINT if polarity is Sentiment.NEGATIVE else Intent.PRAISE,
        labeller="world/1",
    )
    return LabelledFeedback(feedback=feedback, labels=labels, text_key=text_key(feedback.text))


@cache
def shared() -> ToolContext:
    """The world built once for all read-only tests of a process."""
    home = Path(tempfile.mkdtemp(prefix="voiceloop-tools-"))
    context = build(home)

    def close() -> None:
        context.facts.close()
        context.operations.close()
        shutil.rmtree(home, ignore_errors=True)

    atexit.register(close)
    return context


def build(home: Path, items: Sequence[LabelledFeedback] | None = None, *, rates: bool = True) -> ToolContext:
    """A context over real stores filled with the world (or these items), with a theme a topic."""
    facts = DuckDBFactStore(home / "facts.duckdb", ZONE)
    embedder, index = HashedEmbedder(), MemoryIndex()
    stored = feedback() if items is None else list(items)
    facts.add_feedback(stored)
    assignment: dict[str, str] = {}
    texts: dict[str, str] = {}
    for one in stored:
        if one.text_key and one.labels and one.labels.topics:
            assignment[one.text_key] = "t-" + one.labels.topics[0].topic.replace("/", "-")
            texts[one.text_key] = one.feedback.text
    themes = [
        Theme(
            theme_id="t-" + topic.replace("/", "-"),
            label=words[0],
            keywords=words[:2],
            centroid=tuple(float(x) for x in embedder.embed_documents(words).mean(axis=0)),
        )
        for topic, words in TEXTS.items()
    ]
    if assignment:
        facts.save_themes(themes, assignment)
        index.add(list(texts), embedder.embed_documents(list(texts.values())))
    if rates:
        facts.add_rates([IndustryRate(theme="logistics/speed", rate=0.05, n=2000, source="test")])
    operations = SqliteOperationStore(home / "operations.sqlite")
    return ToolContext(
        facts=facts,
        operations=operations,
        index=index,
        embedder=embedder,
        taxonomy=load_taxonomy(),
        clock=FixedClock(NOW),
        zone=ZONE,
        asker=Asker(),
        policy=load_policy(),
    )
