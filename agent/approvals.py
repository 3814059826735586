"""Actions that wait for a person, found in a turn's results or in the store, and what is decided of them."""

from collections.abc import Sequence
from hashlib import sha256
from typing import Any, Final, Literal

import orjson
from pydantic import BaseModel, ConfigDict

from agent.number_lock import Source
from store.messages import Message
from store.records import ActionPlan, Task, TaskStatus

_PENDING: Final = TaskStatus.PENDING_APPROVAL.value
# What a person agrees to; status, times and who approved are no part of it.
_AGREED_TO: Final = {
    "task": ("summary", "advice", "owner", "tier"),
    "plan": ("problem", "cause", "measures", "risks"),
    "message": ("customer_id", "text", "translation"),
}
_SUMMARY: Final = {"task": "summary", "plan": "problem", "message": "text"}
_Kind = Literal["task", "plan", "message"]


class Draft(BaseModel):
    """One task, plan or message that awaits approval; `digest` stands for its words as they were shown."""

    model_config = ConfigDict(frozen=True)

    kind: _Kind
    id: str
    tool_call_id: str = ""
    summary: str
    owner: str = ""
    due_at: str | None = None
    customer_id: str | None = None
    created_by: str = ""
    created_at: str | None = None
    expired: bool = False
    digest: str = ""


class Decision(BaseModel):
    """What a person decided: ids to approve and to reject; "all" stands for every draft.

    `anyway`: also for a customer who has left since.
    """

    model_config = ConfigDict(extra="forbid")

    approve: list[str] | Literal["all"] = []
    reject: list[str] | Literal["all"] = []
    anyway: bool = False

    def named(self) -> set[str]:
        """The ids that it names."""
        return {one for chosen in (self.approve, self.reject) if chosen != "all" for one in chosen}


def pending_in(sources: Sequence[Source]) -> list[Draft]:
    """The drafts that these tool results say await approval, each once."""
    drafts: dict[str, Draft] = {}
    for source in sources:
        data = source.result.get("data", {})
        records = [*data.get("tasks", [])] if source.name == "create_retention_task" else []
        if source.name == "create_action_plan" and isinstance(data.get("plan"), dict):
            records = [data["plan"]]
        if source.name == "send_playbook_message":
            records = [data["message"]]
        for record in records:
            if record.get("status") == _PENDING:
                draft = _draft(record, source.tool_call_id)
                drafts[draft.id] = draft
    return list(drafts.values())


def stored_draft(record: Task | ActionPlan | Message, *, expired: bool) -> Draft:
    """A draft as the store has it now."""
    draft = _draft(record.model_dump(mode="json"), "")
    return draft.model_copy(update={"expired": expired})


def _draft(record: dict[str, Any], call: str) -> Draft:
    kind: _Kind = next(
        one
        for one in ("message", "plan", "task")
        if f"{one}_id" in record  # a message names its task
    )
    return Draft(
        kind=kind,
        id=record[f"{kind}_id"],
        tool_call_id=call,
        summary=record.get(_SUMMARY[kind], ""),
        owner=record.get("owner", ""),
        due_at=record.get("due_at"),
        customer_id=record.get("customer_id"),
        created_by=record.get("created_by", ""),
        created_at=record.get("created_at"),
        digest=_digest(kind, record),
    )


def _digest(kind: str, record: dict[str, Any]) -> str:
    agreed = {name: record.get(name) for name in _AGREED_TO[kind]}
    return sha256(orjson.dumps(agreed, option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]
