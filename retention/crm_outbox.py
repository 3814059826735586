"""Sends task changes to one CRM: in order by task, again until they arrive, each with one effect."""

from datetime import timedelta
from typing import Final, NamedTuple

import structlog

from retention.crm_client import CrmClient, NotTaken, TaskNow, actor_of
from store.clock import Clock
from store.crm import CrmLink, CrmStore, FedChange, LeaseOver
from store.errors import VoiceLoopError
from store.records import TaskStatus

_LOG = structlog.get_logger()
# Seconds until the next try; the last one again and again: a CRM that is down for a week loses nothing.
_PAUSES_S: Final = (10, 30, 60, 120, 300, 900, 1800, 3600)
_AT_ONCE: Final = 50
# So many tasks in a row that find the CRM down, and the others are not tried now.
_ENOUGH: Final = 2


class CrmSent(NamedTuple):
    """How many changes arrived or were not for the CRM, and how many tasks failed for now or are stuck."""

    arrived: int = 0
    passed_over: int = 0
    failed: int = 0
    stuck: int = 0


class CrmOutbox:
    """The sending side of one CRM, by the name it has in the settings."""

    def __init__(self, target: str, client: CrmClient, store: CrmStore, clock: Clock) -> None:
        self.target = target
        self._client = client
        self._store = store
        self._clock = clock

    def send_due(self) -> CrmSent:
        """Send what is due, task by task; every outcome is recorded as it comes."""
        arrived = passed_over = failed = stuck = down = 0
        for link in self._store.claim(self.target, self._clock.now(), limit=_AT_ONCE):
            if down >= _ENOUGH:
                self._later(link, NotTaken("not tried: it answers nobody now", down=True))
                failed += 1
                continue
            try:
                sent = self._task(link)
                arrived, passed_over = arrived + sent.arrived, passed_over + sent.passed_over
                failed, stuck, down = (
                    failed + sent.failed,
                    stuck + sent.stuck,
                    0 if not sent.down else down + 1,
                )
            except LeaseOver as error:
                _LOG.warning("crm_lease_over", crm=self.target, task=link.task_id, reason=error.message)
        return CrmSent(arrived, passed_over, failed, stuck)

    def _task(self, link: CrmLink) -> "_Task":
        done = _Task()
        while changes := self._store.changes(link.task_id, after=link.sent):
            for change in changes:
                if not link.remote_id and _not_for_others(change):
                    link = self._store.passed_over(link, change.number)
                    done = done._replace(passed_over=done.passed_over + 1)
                    continue
                try:
                    remote_id = self._client.deliver(self._now(change, link.remote_id))
                except NotTaken as error:
                    return self._refused(link, error, done)
                except VoiceLoopError as error:
                    return self._refused(link, NotTaken(error.message), done)
                link = self._store.arrived(link, change.number, remote_id)
                done = done._replace(arrived=done.arrived + 1)
        self._store.give_back(link)
        return done

    def _refused(self, link: CrmLink, error: NotTaken, done: "_Task") -> "_Task":
        if error.lasting:
            self._store.failed(link, error.message, None)
        else:
            self._later(link, error)
        log = _LOG.error if error.lasting else _LOG.warning
        log("crm_not_taken", crm=self.target, task=link.task_id, attempts=link.attempts, reason=error.message)
        return done._replace(failed=not error.lasting, stuck=error.lasting, down=error.down)

    def _later(self, link: CrmLink, error: NotTaken) -> None:
        pause = _PAUSES_S[min(max(link.attempts, 1), len(_PAUSES_S)) - 1]
        wait = pause if error.wait_s is None else max(error.wait_s, 1.0)
        self._store.failed(link, error.message, self._clock.now() + timedelta(seconds=wait))

    def _now(self, change: FedChange, remote_id: str) -> TaskNow:
        def at(number: int) -> FedChange | None:
            found = self._store.changes(change.task_id, after=number - 1, limit=1)
            return found[0] if found and found[0].number == number else None

        past = self._store.changes(change.task_id, after=0, limit=1000)
        comments = [text for one in past if one.number <= change.number for text in one.comments]
        return TaskNow(change, actor_of(self.target), remote_id, comments, at)


class _Task(NamedTuple):
    arrived: int = 0
    passed_over: int = 0
    failed: int = 0
    stuck: int = 0
    down: bool = False


def _not_for_others(change: FedChange) -> bool:
    """A draft is nobody's business outside, and what ended as one never becomes it."""
    return change.task.status is not TaskStatus.OPEN
