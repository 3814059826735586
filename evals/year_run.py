"""The simulated year lived day by day: what becomes known is stored, the scan runs, people act and judge."""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Final

from evals.year_feed import ZONE, Year, profile
from retention.alert_scan import AlertScan
from retention.learning import Lesson, learn, with_lesson
from retention.policy import Policy
from retention.verdict_cases import verdict_cases
from store.alerts import Alert
from store.duckdb_facts import DuckDBFactStore
from store.records import LabelledFeedback, Labels, TaskStatus, Tier
from store.sqlite_operations import SqliteOperationStore
from store.task_changes import TaskChange

OBSERVER: Final = "year"
PERSON_TIERS: Final = frozenset({Tier.CALLBACK, Tier.ORANGE, Tier.RED})


@dataclass
class Raised:
    """One alert as people saw it: the day on which it reached each tier, what called for the last."""

    alert_id: str
    customer_id: str
    tiers: dict[Tier, date]
    causes: tuple[str, ...]
    score: float
    learnt: bool

    @property
    def day(self) -> date:
        """The day it was opened."""
        return min(self.tiers.values())

    @property
    def tier(self) -> Tier:
        """The gravest tier it reached."""
        return max(self.tiers, key=lambda tier: list(_GRAVITY).index(tier))

    def person_day(self) -> date | None:
        """The first day on which a person was asked to act; None for one that stayed automatic."""
        days = [day for tier, day in self.tiers.items() if tier in PERSON_TIERS]
        return min(days) if days else None


@dataclass
class Lived:
    """A year as it was lived: alerts by id, what verdicts taught, and from which day on."""

    year: Year
    raised: dict[str, Raised] = field(default_factory=dict)
    verdicts: int = 0
    lesson: Lesson | None = None
    learnt_on: date | None = None
    assessed: int = 0


@dataclass
class DayClock:
    """A clock that is set."""

    at: datetime

    def now(self) -> datetime:
        """The time it was set to."""
        return self.at


_GRAVITY: Final = (Tier.YELLOW, Tier.CALLBACK, Tier.ORANGE, Tier.RED)


def label_year(year: Year, classify: Callable[[Sequence[str]], Sequence[Labels]]) -> dict[str, Labels]:
    """Labels by text, each distinct text once: labels are a function of the text."""
    texts = sorted({item.text for items in year.items.values() for item in items if item.text})
    return dict(zip(texts, classify(texts), strict=True))


def live_year(
    year: Year, labels: Mapping[str, Labels], folder: Path, policy: Policy, *, verdicts: int = 0
) -> Lived:
    """Live the year with a policy; from the `verdicts`-th verdict on (0: never) with what they teach.

    Of whom nothing is new is looked at weekly instead of daily: that delays what only time brings, and keeps
    a year affordable.
    """
    weekly = policy.model_copy(update={"alerts": policy.alerts.model_copy(update={"reassess_hours": 168})})
    return _Company(year, labels, folder, weekly, verdicts).live()


class _Company:
    def __init__(
        self, year: Year, labels: Mapping[str, Labels], folder: Path, policy: Policy, verdicts: int
    ) -> None:
        self._year, self._labels, self._policy, self._most = year, labels, policy, verdicts
        self._lived = Lived(year)
        self._rng = random.Random("slips")
        self._clock = DayClock(self._moment(year.start))
        self._facts = DuckDBFactStore(folder / "facts.duckdb", ZONE)
        self._operations = SqliteOperationStore(folder / "operations.sqlite", self._clock)
        self._scan = AlertScan(self._facts, self._operations, self._clock, ZONE, {}, lambda: self._policy)
        self._due: dict[str, datetime] = {}

    def live(self) -> Lived:
        year = self._year
        self._operations.claim_notices(OBSERVER, ("opened", "raised"))
        self._facts.add_customers([profile(life, life.renewal) for life in year.lives.values()])
        self._know(_days(year.first, year.start))
        try:
            for day in _days(year.start, year.end):
                self._clock.at = self._moment(day)
                self._act(day)
                self._lived.assessed += self._scan.run().assessed
                self._note(day)
                self._know([day])
        finally:
            self._operations.close()
            self._facts.close()
        return self._lived

    def _moment(self, day: date) -> datetime:
        return datetime.combine(day, time(self._year.plan["scan_hour"]), ZONE).astimezone(UTC)

    def _know(self, days: Sequence[date]) -> None:
        """Store what became known on these days."""
        year = self._year
        items = [item for day in days for item in year.items.get(day, ())]
        self._facts.add_feedback(
            [LabelledFeedback(feedback=item, labels=self._labels.get(item.text)) for item in items]
        )
        self._facts.add_events([event for day in days for event in year.events.get(day, ())])
        self._facts.add_outcomes([outcome for day in days for outcome in year.outcomes.get(day, ())])
        self._facts.add_customers([known for day in days for known in year.renewals.get(day, ())])

    def _note(self, day: date) -> None:
        """What observers are told: opened and raised alerts."""
        while notices := self._operations.claim_notices(OBSERVER, ("opened", "raised")):
            for notice in notices:
                alert = self._operations.alert(notice.alert_id)
                assert alert is not None
                self._raised(alert, day)
            self._operations.confirm_notices(OBSERVER, [notice.notice_id for notice in notices])

    def _raised(self, alert: Alert, day: date) -> None:
        known = self._lived.raised.get(alert.alert_id)
        tiers = {**(known.tiers if known else {}), alert.tier: day}
        self._lived.raised[alert.alert_id] = Raised(
            alert_id=alert.alert_id,
            customer_id=alert.customer_id,
            tiers=tiers,
            causes=alert.causes,
            score=alert.score,
            learnt=not self._policy.learnt.empty,
        )
        self._due[alert.alert_id] = max(alert.due_at, self._clock.at + timedelta(hours=20))

    def _act(self, day: date) -> None:
        """Whose deadline has come is called: judged where verdicts are still wanted, then done."""
        for alert_id in [one for one, due in self._due.items() if due <= self._clock.at]:
            del self._due[alert_id]
            raised = self._lived.raised[alert_id]
            on = raised.person_day()
            if on is not None and self._lived.verdicts < self._most and self._lived.lesson is None:
                self._judge(raised, on, day)
            for task in self._operations.tasks(customer_id=raised.customer_id):
                if task.alert_id == alert_id:
                    self._finish(task.task_id, task.status)

    def _finish(self, task_id: str, status: TaskStatus) -> None:
        if status is TaskStatus.PENDING_APPROVAL:
            self._operations.change_task(task_id, TaskChange(status=TaskStatus.OPEN), actor="manager")
            status = TaskStatus.OPEN
        if status is TaskStatus.OPEN:
            self._operations.change_task(task_id, TaskChange(status=TaskStatus.DONE), actor="owner")

    def _judge(self, raised: Raised, on: date, day: date) -> None:
        right = self._year.lives[raised.customer_id].really(on)
        if self._rng.random() < self._year.plan["verdicts"]["slips"]:
            right = not right
        self._operations.record_verdict(
            raised.alert_id, "accurate" if right else "false_alarm", "", actor="owner"
        )
        self._lived.verdicts += 1
        if self._lived.verdicts == self._most:
            self._learn(day)

    def _learn(self, day: date) -> None:
        operations = self._operations
        cases = verdict_cases(operations.verdicts(), operations.alerts())
        lesson = learn(cases, self._policy)
        self._lived.lesson = lesson
        if lesson.learnt is not None:
            self._lived.learnt_on = day
            taught = with_lesson(self._policy, lesson.learnt)
            self._policy = taught.model_copy(update={"version": taught.version + 1})


def _days(start: date, end: date) -> list[date]:
    return [start + timedelta(days=n) for n in range((end - start).days)]
