"""Customers with histories in real stores, for the tests of the retention tools."""

import copy
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from pipeline.taxonomy import load_taxonomy
from retention.policy import load_policy
from store.clock import FixedClock
from store.duckdb_facts import DuckDBFactStore
from store.records import (
    BehaviourEvent,
    Feedback,
    LabelledFeedback,
    Labels,
    Priority,
    Sentiment,
    TopicLabel,
)
from store.sqlite_operations import SqliteOperationStore
from tools.context import Asker, ToolContext

ZONE = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 11, 22, 4, tzinfo=UTC)


class NoVectors:
    """These tools ask nothing of the vectors: any question is a mistake."""

    name, dimension = "none", 1

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"vectors were asked for {name}")


def ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


class World:
    """Writes customers' histories into a real store, in one batch when a context is asked for."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.facts = DuckDBFactStore(home / "facts.duckdb", ZONE)
        self.operations = SqliteOperationStore(home / "operations.sqlite", FixedClock(NOW))
        self._made = 0
        self._items: list[LabelledFeedback] = []
        self._events: list[BehaviourEvent] = []

    def says(
        self,
        customer: str | None,
        days: float | None,
        text: str = "",
        sentiment: Sentiment = Sentiment.NEUTRAL,
        *,
        signals: tuple[str, ...] = (),
        topics: tuple[str, ...] = (),
        priority: Priority = Priority.NORMAL,
        **fields: Any,
    ) -> str:
        self._made += 1
        labels = Labels(
            sentiment=sentiment,
            sentiment_confidence=0.9,
            topics=tuple(TopicLabel(topic=t) for t in topics),
            risk_signals=signals,
            priority=priority,
            labeller="test",
        )
        item = Feedback(
            feedback_id=f"f{self._made}",
            source="test",
            customer_id=customer,
            occurred_at=None if days is None else ago(days),
            text=text,
            **fields,
        )
        self._items.append(LabelledFeedback(feedback=item, labels=labels if text else None))
        return item.feedback_id

    def does(self, customer: str, days: float, kind: str, detail: str = "") -> None:
        self._made += 1
        self._events.append(
            BehaviourEvent(
                event_id=f"e{self._made}",
                customer_id=customer,
                occurred_at=ago(days),
                kind=kind,
                detail=detail,
            )
        )

    def with_operations(self, home: Path) -> "World":
        """The same facts with operations of their own."""
        other = copy.copy(self)
        other.operations = SqliteOperationStore(home / "operations.sqlite", FixedClock(NOW))
        return other

    def close(self) -> None:
        self.facts.close()
        self.operations.close()

    def context(self, **changes: Any) -> ToolContext:
        self.facts.add_feedback(self._items)
        self.facts.add_events(self._events)
        self._items, self._events = [], []
        parts: dict[str, Any] = {
            "facts": self.facts,
            "operations": self.operations,
            "index": NoVectors(),
            "embedder": NoVectors(),
            "taxonomy": load_taxonomy(),
            "clock": FixedClock(NOW),
            "zone": ZONE,
            "asker": Asker(),
            "policy": load_policy(),
        }
        return ToolContext(**{**parts, **changes})
