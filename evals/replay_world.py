"""A company that lives day by day: late items, relabelling, closings and verdicts between its scans."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from retention.alert_scan import AlertScan
from retention.policy_book import PolicyBook
from retention.replay import World
from retention.task_tending import TaskTending
from retention.time_machine import TimeMachine
from store.alerts import VerdictKind
from store.clock import MovableClock
from store.duckdb_facts import DuckDBFactStore
from store.identity import text_key
from store.records import (
    BehaviourEvent,
    Customer,
    Feedback,
    LabelledFeedback,
    Labels,
    Outcome,
    Sentiment,
    TaskStatus,
    TopicLabel,
)
from store.sqlite_operations import SqliteOperationStore
from store.sqlite_policy_versions import SqlitePolicyVersions
from store.task_changes import TaskChange

ZONE = ZoneInfo("Asia/Shanghai")
START = datetime(2026, 6, 1, 1, tzinfo=UTC)
_SIGNALS = ("cancel", "competitor", "price", "refund", "conflict")


class ReplayLife:
    """Days of a company with `customers`; everything that happens is drawn by `seed`.

    `late` counts items that were stored after the day they are of, `relabelled` those whose labels changed.
    """

    def __init__(self, home: Path, customers: int, seed: int = 7) -> None:
        self.home = home
        self.clock = MovableClock(START)
        self.facts = DuckDBFactStore(home / "facts.duckdb", ZONE, self.clock)
        self.operations = SqliteOperationStore(home / "operations.sqlite", self.clock)
        self._versions = SqlitePolicyVersions(home / "operations.sqlite")
        self.book = PolicyBook(self._versions, self.clock)
        self._random = random.Random(seed)
        self._customers = [f"c{n}" for n in range(customers)]
        self._made = 0
        self.redone = home
        self.late = self.relabelled = 0
        self._late: list[tuple[datetime, LabelledFeedback]] = []
        self.facts.add_customers([Customer(customer_id=one, tier="basic") for one in self._customers])

    def close(self) -> None:
        """Release the stores."""
        self.facts.close()
        self.operations.close()
        self._versions.close()

    @property
    def machine(self) -> TimeMachine:
        """Replays over this life."""
        return TimeMachine(World(self.facts, self.operations, ZONE), self.book, self.clock, self.workshop)

    @contextmanager
    def workshop(self, clock: MovableClock) -> Iterator[SqliteOperationStore]:
        """A fresh store; the last one stays at `redone`."""
        self._made += 1
        self.redone = self.home / f"replay-{self._made}.sqlite"
        store = SqliteOperationStore(self.redone, clock)
        try:
            yield store
        finally:
            store.close()

    def live(self, days: int, scans_a_day: int = 2) -> None:
        """So many days from where the clock stands."""
        for _ in range(days):
            for _ in range(scans_a_day):
                self.clock.at += timedelta(hours=24 / scans_a_day)
                self.happen()
                self.scan()
                self._people()

    def scan(self) -> None:
        """One live scan, with the tasks that come of it."""
        self.book.settle()
        AlertScan(self.facts, self.operations, self.clock, ZONE, {}, self.book.live).run()
        TaskTending(self.operations, self.book.live, self.clock, ZONE).run()

    def happen(self) -> None:
        """Customers speak and act; some of it is stored days later, some labels are put right."""
        draw, now = self._random, self.clock.at
        said = [
            self._item(now - timedelta(hours=draw.random() * 12)) for _ in range(len(self._customers) // 2)
        ]
        late = [item for item in said if draw.random() < 0.2]
        self._late += [(now + timedelta(days=draw.randint(1, 9)), item) for item in late]
        self.late += len(late)
        due = [item for at, item in self._late if at <= now]
        self._late = [(at, item) for at, item in self._late if at > now]
        batch = [*due, *(item for item in said if item not in late)]
        self.facts.add_feedback(batch)
        self.clock.at += timedelta(seconds=1)
        if batch and draw.random() < 0.4:
            one = draw.choice(batch).feedback.feedback_id
            self.facts.replace_labels({one: self._labels()})
            self.relabelled += 1
        if draw.random() < 0.3:
            event = BehaviourEvent(
                event_id=f"e{self._made}-{draw.random()}",
                customer_id=draw.choice(self._customers),
                kind="search",
                detail="怎么取消订阅",
                occurred_at=now - timedelta(days=draw.random() * 3),
            )
            self.facts.add_events([event])
        if draw.random() < 0.1:
            who = draw.choice(self._customers)
            self.facts.add_outcomes([Outcome(customer_id=who, occurred_at=now, outcome="churned")])
        if draw.random() < 0.1:
            who = draw.choice(self._customers)
            self.facts.add_customers([Customer(customer_id=who, tier=draw.choice(["gold", "basic"]))])

    def _people(self) -> None:
        """Tasks end, alerts are judged, some verdicts are taken back; at any second before the next scan."""
        draw = self._random
        for alert in self.operations.alerts():
            self.clock.at += timedelta(seconds=1)
            chance = draw.random()
            if alert.status == "open" and chance < 0.08:
                [task] = [one for one in self.operations.tasks() if one.alert_id == alert.alert_id]
                if task.status is TaskStatus.PENDING_APPROVAL:
                    change = TaskChange(status=TaskStatus.OPEN)
                    self.operations.change_task(task.task_id, change, actor="max")
                if task.status in (TaskStatus.PENDING_APPROVAL, TaskStatus.OPEN):
                    change = TaskChange(status=TaskStatus.DONE)
                    self.operations.change_task(task.task_id, change, actor="max")
            elif alert.status == "open" and chance < 0.14:
                said: VerdictKind = "false_alarm" if chance < 0.11 else "accurate"
                self.operations.record_verdict(alert.alert_id, said, "", actor="max")
            elif alert.closed_because == "false_alarm" and chance < 0.1:
                self.operations.record_verdict(alert.alert_id, "accurate", "doch", actor="max")

    def _item(self, at: datetime) -> LabelledFeedback:
        self._made += 1
        text = f"text {self._made}"
        feedback = Feedback(
            feedback_id=f"f{self._made}",
            source="life",
            customer_id=self._random.choice(self._customers),
            occurred_at=at,
            text=text,
            nps=self._random.choice([None, None, *range(11)]),
        )
        return LabelledFeedback(feedback=feedback, labels=self._labels(), text_key=text_key(text))

    def _labels(self) -> Labels:
        draw = self._random
        bad = draw.random() < 0.35
        signals = (draw.choice(_SIGNALS),) if bad and draw.random() < 0.4 else ()
        topics = (TopicLabel(topic="product/usability"),) if bad and draw.random() < 0.3 else ()
        return Labels(
            sentiment=Sentiment.NEGATIVE if bad else Sentiment.NEUTRAL,
            sentiment_confidence=0.9,
            topics=topics,
            risk_signals=signals,
            labeller="life",
        )
