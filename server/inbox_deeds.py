"""What people do by buttons and forms outside: decide about drafts, judge alerts, change tasks."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from starlette.concurrency import run_in_threadpool

from agent.approvals import Decision, Draft
from retention.approvals import APPROVERS
from server.api_state import ServerState
from server.inbox_words import Language, word
from store.alerts import Alert
from store.errors import NotPermitted, ToolInputError
from store.inbox import Source
from store.records import Task
from store.sqlite_writer import ALLOWED_MOVES
from tools.catalogue import run_tool
from tools.context import Asker


class Deed(NamedTuple):
    """What came of it in words; `done` is False where it was refused and nothing changed."""

    words: str
    done: bool


class AlertNow(NamedTuple):
    """An alert with its task, as they stand now."""

    alert: Alert
    task: Task | None


class Deeds:
    """Deeds of people from one source, within their role and scope, each audited by what carries it out."""

    def __init__(self, state: ServerState, source: Source) -> None:
        self._state = state
        self._source = source

    async def decide(self, asker: Asker, draft: Draft, *, approve: bool, language: Language) -> Deed:
        """Approve or reject a draft; again it only says how it was decided."""
        if asker.role not in APPROVERS:
            return Deed(word("not_approver", language, role=asker.role), done=False)
        decision = Decision(approve=[draft.id]) if approve else Decision(reject=[draft.id])
        approver = self._state.app.approver
        try:
            report = await run_in_threadpool(approver.carry_out, [draft], decision, asker)
        except (ToolInputError, NotPermitted) as refused:
            return Deed(refused.message, done=False)
        held = {one.id for one in report.held}
        if draft.id in held and await self.task(asker, draft.id) is None and draft.kind == "task":
            return Deed(word("gone", language), done=False)
        return Deed(report.text(language), done=draft.id not in held)

    async def verdict(
        self, asker: Asker, alert_id: str, verdict: str, reason: str, *, language: Language
    ) -> Deed:
        """Judge an alert."""
        args = {"alert_id": alert_id, "verdict": verdict, "reason": reason}
        return await self._run("record_verdict", args, asker, language, word(verdict, language))

    async def change_task(
        self, asker: Asker, task_id: str, changes: Mapping[str, Any], *, language: Language
    ) -> Deed:
        """Change a task; `changes` are arguments of `update_task`."""
        if not changes:
            return Deed(word("task_unchanged", language), done=False)
        said = word("task_saved", language)
        return await self._run("update_task", {"task_id": task_id, **changes}, asker, language, said)

    async def alert(self, asker: Asker, alert_id: str) -> AlertNow | None:
        """An alert as it stands, where the asker may see it."""
        return await run_in_threadpool(self.alert_now, asker, alert_id)

    def alert_now(self, asker: Asker, alert_id: str) -> AlertNow | None:
        """The same, for callers in a thread of their own."""
        operations = self._state.app.operations_of(asker)
        alert = operations.alert(alert_id)
        if alert is None:
            return None
        tasks = operations.tasks(customer_id=alert.customer_id)
        return AlertNow(alert, next((one for one in tasks if one.alert_id == alert_id), None))

    async def task(self, asker: Asker, task_id: str) -> Task | None:
        """A task as it stands, where the asker may see it."""
        operations = self._state.app.operations_of(asker)
        return await run_in_threadpool(operations.task, task_id)

    async def _run(
        self, name: str, args: Mapping[str, Any], asker: Asker, language: Language, said: str
    ) -> Deed:
        def run() -> None:
            run_tool(name, {**args, "language": language}, self._state.app.context(asker))

        try:
            await run_in_threadpool(run)
        except (ToolInputError, NotPermitted) as refused:
            return Deed(refused.message, done=False)
        self._state.audit.add(asker.user, "tool.run", name, {"by": self._source})
        return Deed(said, done=True)


def next_states(task: Task) -> list[str]:
    """The states that a task may be put into without an approval, the one it has first."""
    moves = sorted(state.value for state in ALLOWED_MOVES[task.status] if state.value not in _DECIDED)
    return [task.status.value, *moves]


# An approval is a deed of its own: it asks for a role and for the words that were agreed to.
_DECIDED = ("open", "rejected")
