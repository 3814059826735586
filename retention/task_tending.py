"""What becomes of tasks by themselves: given to somebody with room, woken, escalated when overdue."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from retention.policy import Policy
from retention.task_routing import WEEK, Owners, placed
from retention.wording import Language
from store.clock import Clock
from store.operations import OperationStore
from store.task_lines import TaskBoard, TaskLine, TaskRevision

ACTOR = "routing"


@dataclass(frozen=True)
class TendReport:
    """How many tasks were given to an owner, of them to another than the first; what still waits.

    `woken` snoozes ended; `escalated` counts the roles that were told of an overdue task.
    """

    placed: int
    passed_on: int
    waiting: int
    woken: int
    escalated: int


@dataclass(frozen=True)
class TaskTending:
    """Tends all tasks of one store; safe to repeat, and in several processes at once."""

    operations: OperationStore
    policy: Callable[[], Policy]
    clock: Clock
    zone: ZoneInfo
    language: Language = "zh"

    def run(self, *, actor: str = ACTOR) -> TendReport:
        """Tend once. Nothing is locked where there is nothing to do; NotPermitted within a scope."""
        policy, now = self.policy(), self.clock.now()
        since = now - WEEK

        def decide(board: TaskBoard) -> list[TaskRevision]:
            return revisions_of(board, policy, now, self.zone, self.language)

        board = self.operations.task_board(since)
        done = self.operations.revise_tasks(decide, since=since, actor=actor) if decide(board) else ()
        after = self.operations.task_board(since) if done else board
        before = {line.task_id: line for line in board.undone}
        given = [one for one in done if one.placed]
        return TendReport(
            placed=len(given),
            passed_on=sum(
                one.task_id in before and one.owner not in (None, before[one.task_id].owner) for one in given
            ),
            waiting=sum(line.placed_at is None for line in after.undone),
            woken=sum(one.wake for one in done),
            escalated=sum(one.tell is not None for one in done),
        )


def revisions_of(
    board: TaskBoard, policy: Policy, now: datetime, zone: ZoneInfo, language: Language
) -> list[TaskRevision]:
    """What is to become of the tasks on a board at `now`."""
    return [
        *placed(board, policy, language),
        *(TaskRevision(line.task_id, wake=True) for line in board.undone if _wakes(line, now)),
        *_escalated(board, policy, now, zone, language),
    ]


def _wakes(line: TaskLine, now: datetime) -> bool:
    return line.snoozed_until is not None and line.snoozed_until <= now


def _escalated(
    board: TaskBoard, policy: Policy, now: datetime, zone: ZoneInfo, language: Language
) -> Iterator[TaskRevision]:
    """The steps that are due and not taken; a task that is snoozed is asked for again first."""
    calendar, owners = policy.working_calendar(), Owners(policy, language)
    for line in board.undone:
        asleep = line.snoozed_until is not None and line.snoozed_until > now
        if line.due_at is None or line.due_at >= now or asleep:
            continue
        for step in policy.escalation.steps(line.tier):
            if step.role not in line.escalated_to and step.due(line.due_at, calendar, zone) <= now:
                yield TaskRevision(
                    line.task_id,
                    owner=owners.name(step.role) if step.take_over else None,
                    placed=step.take_over,
                    tell=step.role,
                )
