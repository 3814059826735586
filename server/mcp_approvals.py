"""Approvals through MCP: what awaits one, and deciding by id, for roles that may."""

from functools import partial
from typing import Annotated

from mcp_types import ToolAnnotations
from pydantic import BaseModel, ConfigDict, Field

from agent.approvals import Decision, Draft
from agent.approver import Report
from server.api_audit import record
from server.mcp_caller import Context, Session
from server.mcp_own_tool import OwnTool, Told, in_thread
from server.mcp_words import line

_MOST = 100
Ids = Annotated[list[Annotated[str, Field(min_length=1, max_length=200)]], Field(max_length=_MOST)]


class NoArguments(BaseModel):
    """There are none."""

    model_config = ConfigDict(extra="forbid")


class Approvals(BaseModel):
    """Drafts that await approval."""

    approvals: list[Draft]


class ApproveArguments(BaseModel):
    """Each draft by its id: a person who approves has seen which ones."""

    model_config = ConfigDict(extra="forbid")

    approve: Annotated[Ids, Field(description="ids of the drafts to approve")] = []
    reject: Annotated[Ids, Field(description="ids of the drafts to reject")] = []
    anyway: Annotated[bool, Field(description="also for customers who have left since")] = False


async def _list(_args: NoArguments, session: Session, _context: Context) -> Told:
    state, caller, _ = session
    found = await in_thread(partial(state.app.approver.waiting, caller.asker))
    record(state, caller, "approvals.read", "", n=len(found))
    return Told(_told(found, session), Approvals(approvals=found))


def _told(found: list[Draft], session: Session) -> str:
    rows = [f"{one.id}  {one.kind}  {one.owner}  {one.due_at or ''}  {one.summary}" for one in found]
    return "\n".join([line("approvals", session.caller.language, n=len(found)), *rows])


async def _approve(args: ApproveArguments, session: Session, _context: Context) -> Told:
    state, caller, _ = session
    decision = Decision(approve=args.approve, reject=args.reject, anyway=args.anyway)
    report: Report = await in_thread(partial(state.app.approver.decide, decision, caller.asker))
    return Told(report.text(caller.language), report)


LIST_APPROVALS = OwnTool(
    name="list_approvals",
    arguments=NoArguments,
    result=Approvals,
    run=_list,
    annotations=ToolAnnotations(read_only_hint=True, idempotent_hint=True, open_world_hint=False),
    role="manager",
)
APPROVE = OwnTool(
    name="approve",
    arguments=ApproveArguments,
    result=Report,
    run=_approve,
    annotations=ToolAnnotations(
        read_only_hint=False, destructive_hint=True, idempotent_hint=True, open_world_hint=False
    ),
    role="manager",
)
