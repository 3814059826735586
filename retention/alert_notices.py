"""Who is told of new and raised alerts and of overdue tasks: each observer once, whatever ends meanwhile."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Final, Protocol, get_args

import structlog

from store.alerts import Alert, Notice, NoticeKind, TaskNoticeKind
from store.errors import VoiceLoopError
from store.operations import OperationStore
from store.records import Task

_log = structlog.get_logger(__name__)
_AT_ONCE = 20
_ALERTS: Final = get_args(NoticeKind)
_TASKS: Final = get_args(TaskNoticeKind)


@dataclass(frozen=True)
class AlertNews:
    """What an observer is told: the notice, the alert as it stands now, and its task."""

    notice: Notice
    alert: Alert
    task: Task | None

    @property
    def kind(self) -> NoticeKind:
        """What happened to the alert."""
        match self.notice.kind:
            case "overdue" | "woken":
                raise ValueError(f"{self.notice.notice_id} tells of a task, not of an alert")
            case kind:
                return kind


@dataclass(frozen=True)
class TaskNews:
    """What an observer is told of a task that is overdue, or whose snooze has ended."""

    notice: Notice
    task: Task


class TaskObserver(Protocol):
    """Told of one notice of a task, as an Observer is of alerts."""

    def __call__(self, news: TaskNews) -> None:
        """Tell it."""
        ...


class Observer(Protocol):
    """Told of one notice; whatever it raises, the notice is told again later.

    A process that ends between the telling and the record of it tells the notice again: `notice.notice_id` is
    the key to do it once by.
    """

    def __call__(self, news: AlertNews) -> None:
        """Tell it."""
        ...


@dataclass
class AlertNotices:
    """The observers of one application. What is told is recorded in the store, by the observer's name."""

    operations: OperationStore
    _observers: dict[str, Observer] = field(default_factory=dict)
    _task_observers: dict[str, TaskObserver] = field(default_factory=dict)

    def on_alert(self, name: str, observer: Observer) -> Callable[[], None]:
        """Tell `observer` of what happens from now on; returns what ends that.

        `name` is what the store knows it by: another process that observes by the same name shares the work,
        and a restart goes on where the last one ended.
        """
        self._observers[name] = observer
        self._told(name, _ALERTS, self._alert_teller(observer))

        def stop() -> None:
            self._observers.pop(name, None)

        return stop

    def on_task(self, name: str, observer: TaskObserver) -> Callable[[], None]:
        """Tell `observer` of tasks that are overdue or asked for again, by the same rules as `on_alert`."""
        self._task_observers[name] = observer
        self._told(name, _TASKS, self._task_teller(observer))

        def stop() -> None:
            self._task_observers.pop(name, None)

        return stop

    def dispatch(self) -> int:
        """Tell every observer what it has not been told yet; returns how many notices were told."""
        alerts = [(name, self._alert_teller(one)) for name, one in self._observers.items()]
        tasks = [(name, self._task_teller(one)) for name, one in self._task_observers.items()]
        told = sum(self._told(name, _ALERTS, tell) for name, tell in alerts)
        return told + sum(self._told(name, _TASKS, tell) for name, tell in tasks)

    def _told(self, name: str, kinds: Collection[str], tell: Callable[[Notice], None]) -> int:
        told = 0
        while notices := self.operations.claim_notices(name, kinds, limit=_AT_ONCE):
            done = [notice.notice_id for notice in notices if _succeeds(name, notice, tell)]
            self.operations.confirm_notices(name, done)
            told += len(done)
            if len(done) < len(notices):
                break  # what failed is lent for a while and given out again
        return told

    def _alert_teller(self, observer: Observer) -> Callable[[Notice], None]:
        def tell(notice: Notice) -> None:
            alert = self.operations.alert(notice.alert_id)
            if alert is not None:
                tasks = self.operations.tasks(customer_id=alert.customer_id)
                task = next((one for one in tasks if one.alert_id == alert.alert_id), None)
                observer(AlertNews(notice, alert, task))

        return tell

    def _task_teller(self, observer: TaskObserver) -> Callable[[Notice], None]:
        def tell(notice: Notice) -> None:
            task = self.operations.task(notice.task_id)
            if task is not None:
                observer(TaskNews(notice, task))

        return tell


def _succeeds(name: str, notice: Notice, tell: Callable[[Notice], None]) -> bool:
    try:
        tell(notice)
    except VoiceLoopError as error:
        _log.warning("an observer could not be told", observer=name, kind=notice.kind, told=error.message)
        return False
    return True
