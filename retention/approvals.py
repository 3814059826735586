"""Who may let a proposed task or plan go ahead."""

from store.errors import NotPermitted
from store.messages import Message, MessageStatus
from store.operations import OperationStore
from store.records import ActionPlan, Task, TaskStatus

APPROVERS = frozenset({"manager", "admin"})
# Verifying ends a plan and may draft the next one, which whoever may propose may do.
VERIFIERS = APPROVERS | {"analyst", "service"}


def require_approver(role: str, what: str) -> None:
    """Raise NotPermitted unless `role` may approve."""
    if role not in APPROVERS:
        raise NotPermitted(
            f"{what}: role {role!r} is not permitted to approve",
            hint=f"ask someone with the role {' or '.join(sorted(APPROVERS))}",
        )


def require_verifier(role: str) -> None:
    """Raise NotPermitted unless `role` may verify plans."""
    if role not in VERIFIERS:
        raise NotPermitted(
            f"plan: role {role!r} is not permitted to verify",
            hint=f"ask someone with the role {' or '.join(sorted(VERIFIERS))}",
        )


def approve_task(operations: OperationStore, task_id: str, *, actor: str, role: str) -> Task:
    """Open a task that awaits approval. Raises NotPermitted, or ToolInputError for an unknown id."""
    require_approver(role, "task")
    return operations.set_task_status(task_id, TaskStatus.OPEN, actor=actor)


def reject_task(operations: OperationStore, task_id: str, *, actor: str, role: str) -> Task:
    """Turn a proposed task down. Raises NotPermitted, or ToolInputError for an unknown id."""
    require_approver(role, "task")
    return operations.set_task_status(task_id, TaskStatus.REJECTED, actor=actor)


def approve_plan(operations: OperationStore, plan_id: str, *, actor: str, role: str) -> ActionPlan:
    """Open a plan that awaits approval. Raises NotPermitted, or ToolInputError for an unknown id."""
    require_approver(role, "plan")
    return operations.set_plan_status(plan_id, TaskStatus.OPEN, actor=actor)


def reject_plan(operations: OperationStore, plan_id: str, *, actor: str, role: str) -> ActionPlan:
    """Turn a proposed plan down. Raises NotPermitted, or ToolInputError for an unknown id."""
    require_approver(role, "plan")
    return operations.set_plan_status(plan_id, TaskStatus.REJECTED, actor=actor)


def approve_message(operations: OperationStore, message_id: str, *, actor: str, role: str) -> Message:
    """Have a message ready to be sent. Raises NotPermitted, or ToolInputError for an unknown id."""
    require_approver(role, "message")
    return operations.set_message_status(message_id, MessageStatus.PREPARED, actor=actor)


def reject_message(operations: OperationStore, message_id: str, *, actor: str, role: str) -> Message:
    """Turn a message down. Raises NotPermitted, or ToolInputError for an unknown id."""
    require_approver(role, "message")
    return operations.set_message_status(message_id, MessageStatus.REJECTED, actor=actor)
