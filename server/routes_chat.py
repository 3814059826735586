"""Chat: ask, follow, decide; and the conversations of whoever asks."""

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated, Any, Final
from urllib.parse import quote

from fastapi import APIRouter, Header, Path, Request, Response
from fastapi.responses import StreamingResponse
from fastapi.sse import KEEPALIVE_COMMENT
from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from agent.approvals import Decision
from agent.ask import MAX_QUESTION_CHARACTERS, Turn
from agent.ask_events import Answer, closing_events
from agent.thread_keys import LONGEST_NAME
from agent.thread_store import NoThread
from server.api_access import Caller, CallerNow
from server.api_audit import record
from server.api_pages import Cursor, Limit, page
from server.api_problems import Busy, NotFound, problems
from server.api_state import ServerState, StateNow
from server.chat_events import EXAMPLE, failed, server_sent
from server.chat_log import TurnLog, is_last
from server.chat_turns import ChatTurn, new_thread_id

router = APIRouter(prefix="/v1/chat", tags=["chat"])

EVENT_STREAM: Final = "text/event-stream"
HEARTBEAT_S: Final = 15.0
# They are paths of their own.
_TAKEN: Final = ("threads", "completions")


def _free(name: str) -> str:
    if name in (*_TAKEN, ".", ".."):
        raise ValueError(f"a thread cannot be called {name!r}")
    return name


_NAME: Final = {"min_length": 1, "max_length": LONGEST_NAME, "pattern": r"^[^/]+$"}
ThreadName = Annotated[
    str,
    Field(**_NAME, description="name of a conversation, without `/`", examples=["5f0c1d2e3a4b"]),
    AfterValidator(_free),
]
ThreadInPath = Annotated[
    str,
    Path(**_NAME, description="name of a conversation", examples=["5f0c1d2e3a4b"]),
]


class ChatRequest(BaseModel):
    """One question; without a thread it begins one."""

    model_config = ConfigDict(extra="forbid")

    message: str = Field(
        min_length=1, max_length=MAX_QUESTION_CHARACTERS, pattern=r"\S", examples=["10月NPS是多少？"]
    )
    thread_id: ThreadName | None = None


class ThreadSummary(BaseModel):
    """A conversation as a list shows it."""

    thread_id: str = Field(examples=["5f0c1d2e3a4b"])
    asked: str = Field(description="its last question", examples=["10月NPS是多少？"])
    asked_at: datetime | None
    turns: int
    awaiting: list[str] = Field(description="ids of the drafts that it stopped for")
    running: bool = Field(description="whether a turn is under way")


class Threads(BaseModel):
    """Conversations, the one asked last first."""

    threads: list[ThreadSummary]
    next_cursor: str | None


class Thread(BaseModel):
    """A conversation: every question with its answer, and the last answer with its figures and results."""

    thread_id: str
    turns: list[Turn]
    last: Answer | None = Field(description="null where the last turn goes on or broke off")
    running: bool


class NewTitle(BaseModel):
    """What a conversation is to be called."""

    model_config = ConfigDict(extra="forbid")

    title: ThreadName


class Renamed(BaseModel):
    """What it is called from now on."""

    thread_id: str


_STREAM: Final[dict[str, Any]] = {
    EVENT_STREAM: {"itemSchema": {"$ref": "#/components/schemas/ChatEvents"}, "example": EXAMPLE}
}
THREAD_HEADER: Final = "X-Thread-Id"
_THREAD_TOLD: Final[dict[str, Any]] = {
    THREAD_HEADER: {
        "description": "name of the conversation, percent-encoded",
        "schema": {"type": "string"},
    }
}


@router.post(
    "",
    operation_id="chat",
    summary="Ask the agent",
    response_model=Answer,
    responses={
        200: {
            "description": "the answer, or its events as they come",
            "content": _STREAM,
            "headers": _THREAD_TOLD,
        },
        **problems(400, 401, 403, 409, 503),
    },
)
async def chat(body: ChatRequest, request: Request, caller: CallerNow, state: StateNow) -> Any:
    """One turn. With `Accept: text/event-stream` its steps, text and figures come as server-sent events.

    The turn goes on when the connection ends: `GET /v1/chat/{thread}/events` takes it up again.
    """
    streamed = EVENT_STREAM in request.headers.get("accept", "")
    thread_id = body.thread_id or new_thread_id()
    turn = state.turns.ask(body.message, thread_id=thread_id, asker=caller.asker, streamed=streamed)
    record(state, caller, "chat.ask", thread_id)
    if streamed:
        return _stream(turn.log, 0, thread_id, state)
    return await turn.answer()


@router.get(
    "/threads",
    operation_id="list_threads",
    summary="List your conversations",
    responses=problems(400, 401, 403),
)
def list_threads(caller: CallerNow, state: StateNow, limit: Limit = 50, cursor: Cursor = None) -> Threads:
    """Those of the key that asks, within its scope; the one asked last first."""
    entries, following = page(state.app.threads.entries(caller.asker), limit, cursor)
    found = [
        ThreadSummary(
            thread_id=one.name,
            asked=one.asked,
            asked_at=one.asked_at,
            turns=one.turns,
            awaiting=list(one.drafts),
            running=_is_running(state.turns.of(one.name, caller.asker)),
        )
        for one in entries
    ]
    return Threads(threads=found, next_cursor=following)


@router.get(
    "/{thread}",
    operation_id="get_thread",
    summary="Show a conversation",
    responses=problems(400, 401, 403, 404),
)
async def get_thread(thread: ThreadInPath, caller: CallerNow, state: StateNow) -> Thread:
    """Every question and answer, oldest first."""
    running = _is_running(state.turns.of(thread, caller.asker))
    with _known(thread):
        turns = await state.assistant.turns(thread, caller.asker)
        last = None if running else await state.assistant.last(thread, caller.asker)
    record(state, caller, "chat.read", thread)
    return Thread(thread_id=thread, turns=turns, last=last, running=running)


@router.get(
    "/{thread}/events",
    operation_id="follow_thread",
    summary="Follow the turn of a conversation",
    response_class=StreamingResponse,
    responses={
        200: {"description": "the events after the one named", "content": _STREAM, "headers": _THREAD_TOLD},
        204: {"description": "the turn is over and all of it was seen"},
        **problems(400, 401, 403, 404),
    },
)
async def follow_thread(
    thread: ThreadInPath,
    caller: CallerNow,
    state: StateNow,
    last_event_id: Annotated[
        str | None, Header(max_length=100, description="id of the last event seen; none: from the first")
    ] = None,
) -> Response:
    """The events of the turn under way, or of the last one; again from the one after `Last-Event-ID`.

    Of a turn that ended long ago, or before the server was started, only its end is told.
    """
    turn = state.turns.of(thread, caller.asker)
    if turn is not None:
        seen = turn.log.after(last_event_id or "")
        if turn.is_over and turn.log.is_seen(seen):
            return Response(status_code=204)
        return _stream(turn.log, seen, thread, state)
    if last_event_id is not None and is_last(last_event_id):
        return Response(status_code=204)
    return _stream(await _stored(thread, caller, state), 0, thread, state)


@router.post(
    "/{thread}/approvals",
    operation_id="decide_in_thread",
    summary="Decide about the drafts of a conversation",
    responses=problems(400, 401, 403, 404, 409, 503),
)
async def decide_in_thread(
    thread: ThreadInPath, body: Decision, caller: CallerNow, state: StateNow
) -> Answer:
    """Approve or reject what its last turn drafted: ids, or "all". Each draft is carried out exactly once."""
    with _known(thread):
        await state.assistant.turns(thread, caller.asker)
    turn = state.turns.decide(body, thread_id=thread, asker=caller.asker)
    record(state, caller, "chat.decide", thread)
    return await turn.answer()


@router.post(
    "/{thread}/stop",
    operation_id="stop_turn",
    summary="Stop the turn of a conversation",
    status_code=204,
    responses=problems(400, 401, 403, 404),
)
async def stop_turn(thread: ThreadInPath, caller: CallerNow, state: StateNow) -> None:
    """Its answer will not come; what was drafted until then stays. Nothing happens where no turn goes on."""
    if state.turns.stop(thread, caller.asker):
        record(state, caller, "chat.stop", thread)
        return
    with _known(thread):
        await state.assistant.turns(thread, caller.asker)


@router.patch(
    "/{thread}",
    operation_id="rename_thread",
    summary="Rename a conversation",
    responses=problems(400, 401, 403, 404, 409),
)
async def rename_thread(thread: ThreadInPath, body: NewTitle, caller: CallerNow, state: StateNow) -> Renamed:
    """Its title is its name: the conversation is found under the new one from then on."""
    with _known(thread), state.turns.held(thread, caller.asker):
        await run_in_threadpool(state.app.threads.rename, thread, body.title, caller.asker)
    record(state, caller, "chat.rename", thread, title=body.title)
    return Renamed(thread_id=body.title)


@router.delete(
    "/{thread}",
    operation_id="delete_thread",
    summary="Delete a conversation",
    status_code=204,
    responses=problems(400, 401, 403, 404, 409),
)
async def delete_thread(thread: ThreadInPath, caller: CallerNow, state: StateNow) -> None:
    """Forget a conversation. What it drafted stays."""
    with _known(thread), state.turns.held(thread, caller.asker):
        await run_in_threadpool(state.app.threads.delete, thread, caller.asker)
    record(state, caller, "chat.delete", thread)


async def _stored(thread: str, caller: Caller, state: ServerState) -> TurnLog:
    """The end of a thread's last turn as the thread keeps it."""
    with _known(thread):
        answer = await state.assistant.last(thread, caller.asker)
    log = TurnLog("stored")
    if answer is None:
        stopped = Busy("the turn broke off before its answer was there", hint="ask the same again")
        log.write(failed(stopped), last=True)
        return log
    for event in closing_events(answer):
        log.write(event, last=event.type == "done")
    return log


def _stream(log: TurnLog, seen: int, thread_id: str, state: ServerState) -> StreamingResponse:
    async def wire() -> AsyncIterator[bytes]:
        first = True
        async for logged in log.follow(seen, pause_s=HEARTBEAT_S, closing=state.closing):
            yield KEEPALIVE_COMMENT if logged is None else server_sent(logged.id, logged.event, first=first)
            first = first and logged is None

    headers = {
        "Cache-Control": "no-cache",
        "X-Accel-Buffering": "no",
        **thread_header(thread_id),
    }
    return StreamingResponse(wire(), media_type=EVENT_STREAM, headers=headers)


def thread_header(thread_id: str) -> dict[str, str]:
    """The header that names the conversation: not every name can stand in one as it is."""
    return {THREAD_HEADER: quote(thread_id, safe="")}


def _is_running(turn: ChatTurn | None) -> bool:
    return turn is not None and not turn.is_over


@contextmanager
def _known(thread: str) -> Iterator[None]:
    """A thread that the caller has none of is not found; whether another has one by that name is not told."""
    try:
        yield
    except NoThread as error:
        raise NotFound(f"you have no thread {thread!r}", hint="GET /v1/chat/threads lists them") from error
