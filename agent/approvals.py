"""Actions that wait for a person: found in a turn's results, carried out once they are decided."""

from collections.abc import Sequence
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from agent.number_lock import Source
from agent.phrases import phrase
from retention.approvals import approve_plan, approve_task, reject_plan, reject_task
from store.operations import OperationStore
from store.records import TaskStatus
from tools.context import Asker

_PENDING = TaskStatus.PENDING_APPROVAL.value


class Draft(BaseModel):
    """One task or plan that awaits approval."""

    model_config = ConfigDict(frozen=True)

    kind: Literal["task", "plan"]
    id: str
    tool_call_id: str
    summary: str
    owner: str = ""
    due_at: str | None = None
    customer_id: str | None = None


class Decision(BaseModel):
    """What a person decided: ids to approve and to reject; "all" stands for every draft."""

    model_config = ConfigDict(extra="forbid")

    approve: list[str] | Literal["all"] = []
    reject: list[str] | Literal["all"] = []

    def named(self) -> set[str]:
        """The ids that it names."""
        return {one for chosen in (self.approve, self.reject) if chosen != "all" for one in chosen}


class Report(BaseModel):
    """What was carried out."""

    approved: list[str] = []
    rejected: list[str] = []

    def text(self, language: Literal["zh", "en"]) -> str:
        """One sentence for the thread."""
        parts = []
        if self.approved:
            parts.append(phrase("approved", language, ids=", ".join(self.approved)))
        if self.rejected:
            parts.append(phrase("rejected", language, ids=", ".join(self.rejected)))
        return " ".join(parts) or phrase("nothing_decided", language)


def pending_in(sources: Sequence[Source]) -> list[Draft]:
    """The drafts that these tool results say await approval, each once."""
    drafts: dict[str, Draft] = {}
    for source in sources:
        data = source.result.get("data", {})
        records = [*data.get("tasks", [])] if source.name == "create_retention_task" else []
        if source.name == "create_action_plan" and isinstance(data.get("plan"), dict):
            records = [data["plan"]]
        for record in records:
            if record.get("status") == _PENDING:
                draft = _draft(record, source.tool_call_id)
                drafts[draft.id] = draft
    return list(drafts.values())


def _draft(record: dict[str, Any], call: str) -> Draft:
    if "task_id" in record:
        return Draft(
            kind="task",
            id=record["task_id"],
            tool_call_id=call,
            summary=record.get("summary", ""),
            owner=record.get("owner", ""),
            due_at=record.get("due_at"),
            customer_id=record.get("customer_id"),
        )
    return Draft(kind="plan", id=record["plan_id"], tool_call_id=call, summary=record.get("problem", ""))


class Approver:
    """Carries decisions out in the operation store; a decision carried out before is only reported again."""

    def __init__(self, operations: OperationStore) -> None:
        self._operations = operations

    def carry_out(self, drafts: Sequence[Draft], decision: Decision, asker: Asker) -> Report:
        """Approve and reject; raises NotPermitted before anything is changed where the role may not."""
        report = Report()
        for draft in drafts:
            if decision.approve == "all" or draft.id in decision.approve:
                self._move(draft, asker, approve=True)
                report.approved.append(draft.id)
            elif decision.reject == "all" or draft.id in decision.reject:
                self._move(draft, asker, approve=False)
                report.rejected.append(draft.id)
        return report

    def _move(self, draft: Draft, asker: Asker, *, approve: bool) -> None:
        if self._status(draft) != _PENDING:
            return
        if draft.kind == "task":
            move_task = approve_task if approve else reject_task
            move_task(self._operations, draft.id, actor=asker.user, role=asker.role)
        else:
            move_plan = approve_plan if approve else reject_plan
            move_plan(self._operations, draft.id, actor=asker.user, role=asker.role)

    def _status(self, draft: Draft) -> str | None:
        if draft.kind == "task":
            return next((t.status.value for t in self._operations.tasks() if t.task_id == draft.id), None)
        return next((p.status.value for p in self._operations.plans() if p.plan_id == draft.id), None)
