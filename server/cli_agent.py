"""Commands that ask: `ask`, `approve`, `tool`."""

from typing import TYPE_CHECKING, Any, NamedTuple, cast, get_args

import typer

from server.console import JsonFlag, application, command, out, print_json
from server.terminal import terminal
from store.errors import InputError, ToolInputError

if TYPE_CHECKING:
    from agent.ask import Assistant
    from agent.ask_events import Answer
    from agent.wiring import App
    from tools.context import Asker, Role

_READ_LIMIT = 1_000_000
_SUMMARY = 60
UserOption = typer.Option("", "--as-user", help="on whose behalf; default: VOICELOOP_USER")
RoleOption = typer.Option("", "--role", help="viewer, analyst, manager, admin or service")
ScopeOption = typer.Option([], "--scope", help="org unit that may be seen, with all below; may be repeated")
_ARGS_EXAMPLE = """write it like --args '{"period": "last 30 days"}'"""


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(ask)
    app.command()(approve)
    app.command()(tool)


def ask(
    question: str = typer.Argument(
        ..., help="what you want to know, in Chinese or English; - reads standard input"
    ),
    thread: str = typer.Option("", "--thread", help="continue this conversation"),
    approve: bool = typer.Option(False, "--approve", help="approve at once what the answer proposes"),
    user: str = UserOption,
    role: str = RoleOption,
    scope: list[str] = ScopeOption,
    as_json: bool = JsonFlag,
) -> None:
    """Ask the agent one question."""
    import asyncio

    with command(as_json):
        who = Who(user, role, scope)
        answer = asyncio.run(_ask(question, thread or _new_thread(), approve, who, live=not as_json))
        show_answer(answer, as_json)


def approve(
    thread: str = typer.Argument(..., help="the conversation that waits"),
    ids: list[str] = typer.Option([], "--id", help="approve only these; default: all"),
    reject: bool = typer.Option(False, "--reject", help="turn down instead"),
    user: str = UserOption,
    role: str = RoleOption,
    scope: list[str] = ScopeOption,
    as_json: bool = JsonFlag,
) -> None:
    """Approve (or reject) what a conversation has proposed."""
    import asyncio

    with command(as_json):
        show_answer(asyncio.run(_decide(thread, ids, reject, Who(user, role, scope))), as_json)


def tool(
    name: str = typer.Argument(..., help="the tool, e.g. nps_stats"),
    args: str = typer.Option("{}", "--args", help="its arguments as JSON"),
    user: str = UserOption,
    role: str = RoleOption,
    scope: list[str] = ScopeOption,
    as_json: bool = JsonFlag,
) -> None:
    """Call one typed tool directly. The result is JSON in any case."""
    with command(True):  # JSON in any case, errors included
        import orjson

        from tools.catalogue import run_tool

        try:
            arguments = orjson.loads(args)
        except orjson.JSONDecodeError as error:
            raise ToolInputError(f"--args is not JSON: {error}", hint=_ARGS_EXAMPLE) from error
        if not isinstance(arguments, dict):
            raise ToolInputError("--args must be a JSON object", hint=_ARGS_EXAMPLE)
        with application() as app:
            print_json(run_tool(name, arguments, app.context(Who(user, role, scope).asker(app))))


def _standard_input() -> str:
    try:
        return terminal().stdin.buffer.read(_READ_LIMIT).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(
            f"standard input is not UTF-8: {error}", hint="send the question as UTF-8"
        ) from error


def _new_thread() -> str:
    import uuid

    return uuid.uuid4().hex[:12]


class Who(NamedTuple):
    """Whom the options name; what they leave open is as the settings say."""

    user: str
    role: str
    scope: list[str]

    def asker(self, app: "App") -> "Asker":
        """Raises ToolInputError for a role that there is not."""
        from tools.context import Asker, Role

        roles = get_args(Role)
        if self.role and self.role not in roles:
            raise ToolInputError(f"there is no role {self.role!r}", hint=f"roles: {', '.join(roles)}")
        settings = app.settings
        role = cast("Role", self.role) if self.role else settings.role
        return Asker(self.user or settings.user, role, tuple(self.scope) or settings.scope)


async def _ask(question: str, thread: str, approve_all: bool, who: Who, *, live: bool) -> "Answer":
    from agent.approvals import Decision

    with application(reads=question == "-") as app:
        question = _standard_input() if question == "-" else question
        asker = who.asker(app)
        async with app.assistant() as assistant:
            if live:
                answer = await _watched(assistant, question, thread, asker)
            else:
                answer = await assistant.ask(question, thread_id=thread, asker=asker)
            if approve_all and answer.pending_approvals:
                return await assistant.decide(Decision(approve="all"), thread_id=thread, asker=asker)
            return answer


async def _watched(assistant: "Assistant", question: str, thread: str, asker: "Asker") -> "Answer":
    """Ask and show the steps on the way."""
    from server.live_turn import LiveTurn

    answer: Answer | None = None
    with LiveTurn() as turn:
        async for event in assistant.stream(question, thread_id=thread, asker=asker):
            turn.show(event)
            if event.type == "answer":
                answer = event.answer
    if answer is None:
        raise AssertionError("a turn ends with its answer")
    return answer


async def _decide(thread: str, ids: list[str], reject: bool, who: Who) -> "Answer":
    from agent.approvals import Decision

    chosen: Any = ids or "all"
    decision = Decision(reject=chosen) if reject else Decision(approve=chosen)
    with application() as app:
        async with app.assistant() as assistant:
            return await assistant.decide(decision, thread_id=thread, asker=who.asker(app))


def show_answer(answer: "Answer", as_json: bool) -> None:
    """The object of the contract, or the answer for a person with what awaits approval."""
    if as_json:
        print_json(answer)
        return
    from rich.markdown import Markdown
    from rich.markup import escape

    console = out()
    console.print(Markdown(answer.answer))
    zh = answer.language == "zh"
    if answer.pending_approvals:
        console.print()
        console.print("[bold]待审批[/bold]" if zh else "[bold]Awaiting approval[/bold]")
        for draft in answer.pending_approvals:
            due = f" → {draft.due_at[:16].replace('T', ' ')}" if draft.due_at else ""
            summary = draft.summary if len(draft.summary) <= _SUMMARY else draft.summary[:_SUMMARY] + "…"
            console.print(f"  {draft.id}  {escape(draft.owner)}{due}  {escape(summary)}")
        console.print(f"  → voiceloop approve {answer.thread_id}")
    tools = ", ".join(dict.fromkeys(call.name for call in answer.tool_calls))
    source = f"来源：{tools}" if zh else f"Sources: {tools}"
    again = "继续追问" if zh else "follow up"
    console.print(
        f"\n[dim]{source}  ·  {answer.elapsed_ms} ms  ·  {again}: --thread {answer.thread_id}[/dim]"
    )
