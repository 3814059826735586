"""Who may change what of a task: by the policy, with approval where the task awaits it."""

from retention.approvals import require_approver
from retention.policy import Policy
from store.errors import NotPermitted, ToolInputError
from store.operations import OperationStore
from store.records import Task, TaskStatus
from store.task_changes import TaskChange


def update_task(
    operations: OperationStore, task_id: str, change: TaskChange, *, actor: str, role: str, policy: Policy
) -> Task:
    """Change a task. Nothing is written where one part of the change is not permitted.

    What awaits approval is opened, turned down or cancelled by an approver only. Raises ToolInputError for an
    unknown id or an impossible move, NotPermitted for the role, Outdated for another version.
    """
    task = operations.task(task_id)
    if task is None:
        raise ToolInputError(f"no task {task_id!r}; list_tasks gives the ids")
    if change.status not in (None, task.status) and task.status is TaskStatus.PENDING_APPROVAL:
        require_approver(role, f"task {task_id}")
    for field, allowed in policy.task_changes.model_dump().items():
        if _touches(change, field) and role not in allowed:
            raise NotPermitted(
                f"not permitted: the role {role} may not change the {field} of a task",
                hint=f"ask someone with the role {' or '.join(allowed)}",
            )
    _require_in_time(task, change, role, policy)
    return operations.change_task(task_id, change, actor=actor)


def _require_in_time(task: Task, change: TaskChange, role: str, policy: Policy) -> None:
    """A snooze beyond the deadline moves the deadline in all but name, so it takes the same role."""
    due_at, until = change.due_at or task.due_at, change.snoozed_until
    allowed = policy.task_changes.due_at
    if due_at is None or until is None or until <= due_at or role in allowed:
        return
    raise NotPermitted(
        f"not permitted: the role {role} may not snooze a task beyond its deadline, {due_at.isoformat()}",
        hint=f"ask someone with the role {' or '.join(allowed)} to move the deadline, or wake it earlier",
    )


def _touches(change: TaskChange, field: str) -> bool:
    if field == "snoozed_until":
        return change.wake or change.snoozed_until is not None
    return getattr(change, field) is not None
