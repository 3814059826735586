"""Who is told of new and raised alerts: each observer once, whatever ends in between."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import structlog

from store.alerts import Alert, Notice
from store.errors import VoiceLoopError
from store.operations import OperationStore
from store.records import Task

_log = structlog.get_logger(__name__)
_AT_ONCE = 20


@dataclass(frozen=True)
class AlertNews:
    """What an observer is told: the notice, the alert as it stands now, and its task."""

    notice: Notice
    alert: Alert
    task: Task | None


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

    def on_alert(self, name: str, observer: Observer) -> Callable[[], None]:
        """Tell `observer` of what happens from now on; returns what ends that.

        `name` is what the store knows it by: another process that observes by the same name shares the work,
        and a restart goes on where the last one ended.
        """
        self._observers[name] = observer
        self._told(name, observer)

        def stop() -> None:
            self._observers.pop(name, None)

        return stop

    def dispatch(self) -> int:
        """Tell every observer what it has not been told yet; returns how many notices were told."""
        return sum(self._told(name, observer) for name, observer in list(self._observers.items()))

    def _told(self, name: str, observer: Observer) -> int:
        told = 0
        while notices := self.operations.claim_notices(name, limit=_AT_ONCE):
            done = [notice.notice_id for notice in notices if self._tell(name, observer, notice)]
            self.operations.confirm_notices(name, done)
            told += len(done)
            if len(done) < len(notices):
                break  # what failed is lent for a while and given out again
        return told

    def _tell(self, name: str, observer: Observer, notice: Notice) -> bool:
        alert = self.operations.alert(notice.alert_id)
        if alert is None:
            return True
        tasks = self.operations.tasks(customer_id=alert.customer_id)
        task = next((one for one in tasks if one.alert_id == alert.alert_id), None)
        try:
            observer(AlertNews(notice, alert, task))
        except VoiceLoopError as error:
            _log.warning("an observer could not be told of an alert", observer=name, told=error.message)
            return False
        return True
