"""The audit log over the API, for administrators of the whole."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel, Field

from server.api_access import CallerNow, needs
from server.api_audit import record
from server.api_pages import Cursor, Limit, cursor_at, offset_of
from server.api_problems import problems
from server.api_state import StateNow

router = APIRouter(prefix="/v1/audit", tags=["access"], dependencies=[needs("admin")])
_Name = Annotated[str | None, Query(max_length=200)]


class AuditView(BaseModel):
    """One entry of the chain."""

    number: int = Field(examples=[42])
    occurred_at: AwareDatetime
    actor: str = Field(examples=["wang"])
    action: str = Field(examples=["feedback.read"])
    subject: str = Field(examples=["f-1c9a"])
    detail: dict[str, str] = Field(examples=[{"key": "0123456789ab"}])


class AuditPage(BaseModel):
    """Entries, newest first."""

    entries: list[AuditView]
    next_cursor: str | None = None


@router.get("", operation_id="list_audit", summary="Read the audit log", responses=problems(401, 403))
def list_audit(
    caller: CallerNow,
    state: StateNow,
    limit: Limit = 50,
    cursor: Cursor = None,
    actor: _Name = None,
    action: _Name = None,
) -> AuditPage:
    """Who did what to what. `voiceloop audit verify` checks that the chain is whole."""
    # Through the caller's own operations: to an administrator of some units alone the chain is refused.
    operations = state.app.operations_of(caller.asker)
    before = offset_of(cursor) if cursor is not None else None
    state.audit.flush()
    found = operations.audit_page(limit=limit + 1, before=before, actor=actor, action=action)
    record(state, caller, "audit.read", "audit", actor=actor, action=action)
    entries = [
        AuditView(
            number=number,
            occurred_at=entry.occurred_at,
            actor=entry.actor,
            action=entry.action,
            subject=entry.subject,
            detail=entry.detail,
        )
        for number, entry in found[:limit]
    ]
    more = len(found) > limit
    return AuditPage(entries=entries, next_cursor=cursor_at(entries[-1].number) if more else None)
