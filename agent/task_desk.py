"""Changing a task on a person's behalf: what awaits approval by the approver, the rest by the policy."""

from collections.abc import Callable
from typing import Final

from agent.approvals import Decision
from agent.approver import Approver
from agent.phrases import Language, phrase
from retention.approvals import require_approver
from retention.policy import Policy
from retention.task_updates import update_task
from store.errors import Outdated, ToolInputError
from store.operations import OperationStore
from store.records import Task, TaskStatus
from store.task_changes import TaskChange
from tools.context import Asker

_DECISIONS: Final = frozenset({TaskStatus.OPEN, TaskStatus.REJECTED})


class TaskDesk:
    """Where people change tasks: the command line, the API, the page."""

    def __init__(
        self,
        approver: Approver,
        operations: Callable[[Asker], OperationStore],
        policy: Callable[[], Policy],
    ) -> None:
        """`operations`: what an asker may see of them; `policy`: the one that decides now."""
        self._approver = approver
        self._operations = operations
        self._policy = policy

    def change(
        self,
        task_id: str,
        change: TaskChange,
        asker: Asker,
        *,
        language: Language = "zh",
        anyway: bool = False,
    ) -> Task:
        """Change a task, all of it or nothing where a part is not permitted.

        Opening and turning down what awaits approval is a decision: an expired draft is cancelled instead,
        one whose customer has left is held, unless `anyway`. Raises ToolInputError for that and for an
        unknown id, NotPermitted for the role, Outdated for another version.
        """
        operations = self._operations(asker)
        task = operations.task(task_id)
        decides = (
            task is not None and task.status is TaskStatus.PENDING_APPROVAL and change.status in _DECISIONS
        )
        if task is None or not decides:
            return self._update(operations, task_id, change, asker)
        require_approver(asker.role, f"task {task_id}")
        if change.expected_version not in (None, task.version):
            raise Outdated(
                f"task {task_id!r} has been changed since (version {task.version}, not "
                f"{change.expected_version})",
                hint="read it again and repeat the change if it still makes sense",
            )
        approve = change.status is TaskStatus.OPEN
        decision = Decision(
            approve=[task_id] if approve else [], reject=[] if approve else [task_id], anyway=anyway
        )
        report = self._approver.decide(decision, asker)
        if report.held:
            raise ToolInputError(phrase(f"held_{report.held[0].reason}", language, id=task_id))
        stands = report.already[0] if report.already else None
        if stands is not None and stands.status != change.status:
            # Somebody else was faster and decided otherwise.
            status = phrase(f"stands_{stands.status}", language)
            raise ToolInputError(phrase("already_decided", language, id=task_id, status=status, by=stands.by))
        rest = change.model_copy(update={"status": None, "expected_version": None})
        return self._update(operations, task_id, rest, asker)

    def _update(self, operations: OperationStore, task_id: str, change: TaskChange, asker: Asker) -> Task:
        return update_task(
            operations, task_id, change, actor=asker.user, role=asker.role, policy=self._policy()
        )
