"""Tells that a task is overdue, or is asked for again after a snooze, by the outbox."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from typing import Final

from retention.alert_notices import TaskNews
from retention.alert_telling import said
from retention.notifier import Notification
from retention.notify_targets import Target, chosen
from retention.outbox import Outbox
from retention.wording import Language, name_of
from store.clock import Clock
from store.operations import OperationStore
from store.records import TaskStatus
from store.units import Scope

_OVER: Final = frozenset({TaskStatus.DONE, TaskStatus.REJECTED, TaskStatus.CANCELLED})
_HOUR: Final = 3600


@dataclass(frozen=True)
class TaskTeller:
    """Puts news of tasks into words for those outside: the customer by an alias, no customer's words."""

    operations_within: Callable[[Scope], OperationStore]
    alias: Callable[[str], str]
    clock: Clock
    zone: tzinfo

    def observe(self, news: TaskNews, targets: Sequence[Target], outbox: Outbox) -> None:
        """Keep what is told for every target of the role and tier; of a task that has ended nothing is."""
        task, notice = news.task, news.notice
        if task.status in _OVER:
            return
        told = []
        for target in chosen(targets, notice.tier, self._role(news)):
            if target.scope and self.operations_within(target.scope).task(task.task_id) is None:
                continue
            parts = [self.words(news, language) for language in target.languages]
            notification = Notification(
                notification_id=notice.notice_id,
                topic="alert",
                subject=task.task_id,
                tier=notice.tier,
                title=" / ".join(title for title, _ in parts),
                text="\n\n".join(text for _, text in parts),
            )
            told.append((target.name, notification))
        if told:
            outbox.keep(told)

    def words(self, news: TaskNews, language: Language) -> tuple[str, str]:
        """Title and text."""
        task, notice = news.task, news.notice
        title = said(
            "task",
            notice.kind,
            language,
            role=name_of("roles", notice.role, language),
            alias=self.alias(task.customer_id or task.task_id),
            tier=name_of("tiers", notice.tier.value, language),
        )
        standing = "waiting" if task.placed_at is None else task.status.value
        lines = [
            said("task", "standing", language, status=said("task", standing, language)),
            said("task", "reference", language, task_id=task.task_id),
        ]
        if task.due_at is not None and task.due_at < self.clock.now():
            late = (self.clock.now() - task.due_at).total_seconds() / _HOUR
            due = f"{task.due_at.astimezone(self.zone):%Y-%m-%d %H:%M}"
            lines.insert(0, said("task", "due", language, owner=task.owner, due=due, hours=f"{late:.1f}"))
        return title, "\n".join(lines)

    def _role(self, news: TaskNews) -> str:
        """Whom it concerns: the role that is told, else the one the alert was for."""
        if news.notice.role or news.task.alert_id is None:
            return news.notice.role
        alert = self.operations_within(()).alert(news.task.alert_id)
        return alert.owner_role if alert else ""
