"""The agent through MCP: one turn, with its steps as progress."""

from typing import Annotated, Any, Final

from mcp_types import ToolAnnotations
from pydantic import BaseModel, ConfigDict, Field

from agent.approvals import Draft
from agent.ask import MAX_QUESTION_CHARACTERS
from agent.ask_events import Answer, FigureView
from server.api_access import Language
from server.chat_events import ChatEvent
from server.chat_turns import new_thread_id
from server.mcp_caller import Context, Session
from server.mcp_own_tool import OwnTool, Told
from server.mcp_words import line

# Between two events of a turn: some clients give up on a call of which they hear nothing for a minute.
_PAUSE_S: Final = 15.0
_ERROR_SHOWN: Final = 200


class AskArguments(BaseModel):
    """A question, and the conversation that it belongs to."""

    model_config = ConfigDict(extra="forbid")

    question: Annotated[
        str,
        Field(min_length=1, max_length=MAX_QUESTION_CHARACTERS, description="in Chinese or English"),
    ]
    thread_id: Annotated[
        str, Field(max_length=200, description="the conversation to go on with; none: a new one")
    ] = ""


class Call(BaseModel):
    """A tool that the agent called; its result can be had by calling it again."""

    id: str
    name: str
    args: dict[str, Any]
    n: int | None = None
    error: str = ""


class AskResult(BaseModel):
    """The answer with the places of its figures, the feedback it cites and what it wants approved."""

    answer: str
    language: Language
    planner: str
    tool_calls: list[Call]
    figures: list[FigureView]
    citations: list[str]
    pending_approvals: list[Draft]
    plan: dict[str, Any] | None
    elapsed_ms: int
    thread_id: str


async def _ask(args: AskArguments, session: Session, context: Context) -> Told:
    state, caller, _ = session
    thread_id = args.thread_id.strip() or new_thread_id()
    turn = state.turns.ask(args.question, thread_id=thread_id, asker=caller.asker, streamed=True)
    told = 0
    async for logged in turn.log.follow(0, pause_s=_PAUSE_S, closing=state.closing):
        message = _progress(logged.event, caller.language) if logged else ""
        if message is not None:
            told += 1
            await context.session.report_progress(told, message=message)
    return _told(await turn.answer(), caller.language)


def _progress(event: ChatEvent, language: Language) -> str | None:
    """What a person is told of an event; None where that is nothing."""
    match event.type:
        case "step_started":
            return line("step", language, name=event.name)
        case "step_finished" if event.ok:
            return line("step_done", language, name=event.name, n=event.n)
        case "step_finished":
            return line("step_failed", language, name=event.name, error=event.error[:_ERROR_SHOWN])
        case "figures":
            return line("writing", language)
        case _:
            return None


def _told(answer: Answer, language: Language) -> Told:
    parts = [answer.answer]
    if answer.pending_approvals:
        ids = ", ".join(one.id for one in answer.pending_approvals)
        parts.append(line("awaiting", language, ids=ids))
    parts.append(line("thread", language, thread_id=answer.thread_id))
    calls = [
        Call(
            id=one.id, name=one.name, args=one.args, n=one.result.get("n"), error=one.result.get("error", "")
        )
        for one in answer.tool_calls
    ]
    kept = answer.model_dump(exclude={"tool_calls", "usage"})
    return Told("\n\n".join(parts), AskResult(**kept, tool_calls=calls))


ASK = OwnTool(
    name="ask",
    arguments=AskArguments,
    result=AskResult,
    run=_ask,
    annotations=ToolAnnotations(
        read_only_hint=False, destructive_hint=False, idempotent_hint=False, open_world_hint=False
    ),
)
