"""How much work a policy makes: tasks of each owner, week by week, beside what they can take on."""

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from retention.policy import Policy
from retention.policy_capacity import Cap
from retention.task_routing import WEEK, Owners, waiting
from retention.wording import Language
from store.operations import OperationStore


@dataclass(frozen=True)
class WeekLoad:
    """One owner in one week (from Monday, local): tasks `given`, and the most `open` and `waiting` at once.

    `over` counts the tasks that did not fit: those that waited, and those above a cap all the same.
    """

    owner: str
    role: str | None
    week: date
    given: int
    open: int
    waiting: int
    cap: Cap

    @property
    def over(self) -> int:
        """Tasks that did not fit."""
        above_week = 0 if self.cap.week is None else max(0, self.given - self.cap.week)
        above_open = 0 if self.cap.open is None else max(0, self.open - self.cap.open)
        return self.waiting + max(above_week, above_open)


class LoadBook:
    """Keeps what the owners had on hand after each scan."""

    def __init__(self, zone: ZoneInfo, language: Language) -> None:
        self._zone = zone
        self._language: Language = language
        self._owners: dict[str, tuple[str | None, Cap]] = {}
        self._given: Counter[tuple[str, date]] = Counter()
        self._open: Counter[tuple[str, date]] = Counter()
        self._waiting: Counter[tuple[str, date]] = Counter()
        self._seen: set[str] = set()

    def note(self, store: OperationStore, policy: Policy, now: datetime) -> None:
        """Look at the board as it stands after a scan."""
        board, owners, week = store.task_board(now - WEEK), Owners(policy, self._language), self._week(now)
        for load in owners.loads(board).values():
            self._owners[load.owner] = (load.role, load.cap)
            self._open[load.owner, week] = max(self._open[load.owner, week], load.open)
        for line in board.undone:
            if line.placed_at is not None and line.task_id not in self._seen:
                self._seen.add(line.task_id)
                self._given[owners.line(line.owner, line.tier)[0], self._week(line.placed_at)] += 1
        held = Counter(owners.line(line.owner, line.tier)[0] for line in waiting(board.undone))
        for owner, n in held.items():
            self._owners.setdefault(owner, (owners.role(owner), owners.cap(owner)))
            self._waiting[owner, week] = max(self._waiting[owner, week], n)

    def weeks(self) -> list[WeekLoad]:
        """The load of each owner in each week with any, by owner and week."""
        keys = sorted({key for book in (self._given, self._open, self._waiting) for key in +book})
        return [
            WeekLoad(
                owner,
                self._owners[owner][0] if owner in self._owners else None,
                week,
                given=self._given[owner, week],
                open=self._open[owner, week],
                waiting=self._waiting[owner, week],
                cap=self._owners[owner][1] if owner in self._owners else Cap(),
            )
            for owner, week in keys
        ]

    def _week(self, at: datetime) -> date:
        day = at.astimezone(self._zone).date()
        return day - timedelta(days=day.weekday())
