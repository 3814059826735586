"""The OpenAI protocol, so that any chat client can talk to the agent."""

import time
from collections.abc import AsyncIterator
from typing import Annotated, Any, Final, Literal
from urllib.parse import unquote

import orjson
from fastapi import APIRouter, Header
from fastapi.responses import StreamingResponse
from fastapi.sse import KEEPALIVE_COMMENT
from pydantic import BaseModel, ConfigDict, Field

from agent.ask import MAX_QUESTION_CHARACTERS, Turn
from agent.ask_events import Answer
from agent.phrases import phrase
from server.api_access import CallerNow
from server.api_audit import record
from server.api_problems import problems
from server.api_state import ServerState, StateNow
from server.chat_conversations import Conversation, Conversations
from server.chat_turns import ChatTurn
from server.openai_errors import OpenAIError, OpenAIRoute, told_error
from server.routes_chat import EVENT_STREAM, HEARTBEAT_S, THREAD_HEADER, ThreadName, thread_header
from store.errors import ToolInputError

router = APIRouter(prefix="/v1", tags=["openai"], route_class=OpenAIRoute)

MODEL: Final = "voiceloop"
_MOST_MESSAGES: Final = 200
# One event of a streamed completion: a chunk as JSON, an error document, or [DONE].
_CHUNK: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["data"],
    "properties": {"data": {"type": "string"}},
}


class ContentPart(BaseModel):
    """A piece of a message; only text is read."""

    model_config = ConfigDict(extra="ignore")

    type: str = Field(examples=["text"])
    text: str | None = None


class Message(BaseModel):
    """One message of the conversation. Those of `system` and `developer` change nothing here."""

    model_config = ConfigDict(extra="ignore")

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: str | list[ContentPart] | None = None

    def text(self) -> str:
        """Its text; ToolInputError for a message of a person that holds anything else."""
        if self.content is None or isinstance(self.content, str):
            return self.content or ""
        other = [part.type for part in self.content if part.text is None]
        if other and self.role == "user":
            raise ToolInputError(f"only text can be read, not {', '.join(other)}")
        return "\n".join(part.text for part in self.content if part.text is not None)


class StreamOptions(BaseModel):
    """What a stream tells besides."""

    model_config = ConfigDict(extra="ignore")

    include_usage: bool = False


class ResponseFormat(BaseModel):
    """Answers are text."""

    model_config = ConfigDict(extra="ignore")

    type: Literal["text"]


class CompletionRequest(BaseModel):
    """The whole conversation; the last message of the user is what is asked. What is not named is ignored."""

    model_config = ConfigDict(
        extra="ignore",
        json_schema_extra={
            "examples": [{"model": MODEL, "messages": [{"role": "user", "content": "10月NPS是多少？"}]}]
        },
    )

    model: str = Field(default=MODEL, max_length=100)
    messages: list[Message] = Field(min_length=1, max_length=_MOST_MESSAGES)
    stream: bool = False
    stream_options: StreamOptions | None = None
    n: Literal[1] | None = None
    response_format: ResponseFormat | None = None


class CompletionMessage(BaseModel):
    """The answer."""

    role: Literal["assistant"] = "assistant"
    content: str
    refusal: None = None


class Choice(BaseModel):
    """There is one."""

    index: Literal[0] = 0
    message: CompletionMessage
    finish_reason: Literal["stop"] = "stop"
    logprobs: None = None


class Usage(BaseModel):
    """Tokens of the model behind the agent; 0 where the offline planner answered."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


class Completion(BaseModel):
    """A completion, and what the agent knows besides under `voiceloop`: figures, citations, drafts."""

    id: str = Field(examples=["chatcmpl-5b1f0c9a"])
    object: Literal["chat.completion"] = "chat.completion"
    created: int
    model: str
    choices: list[Choice]
    usage: Usage
    voiceloop: Answer


class Model(BaseModel):
    """A model as the protocol lists it."""

    id: str = Field(examples=[MODEL])
    object: Literal["model"] = "model"
    created: int
    owned_by: str


class Models(BaseModel):
    """There is one."""

    object: Literal["list"] = "list"
    data: list[Model]


def _errors(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The responses of `problems` in the other shape, where they are raised behind the middleware."""
    told = {status: {**about, "model": OpenAIError} for status, about in problems(*statuses).items()}
    for about in told.values():
        about.pop("content")
    del told[422]
    return told


@router.get("/models", operation_id="list_models", summary="List the models", responses=_errors(401, 403))
def list_models(caller: CallerNow) -> Models:
    """One, whatever model drives the agent."""
    return Models(data=[Model(id=MODEL, created=0, owned_by="voiceloop")])


@router.post(
    "/chat/completions",
    operation_id="create_chat_completion",
    summary="Ask the agent in the OpenAI protocol",
    response_model=Completion,
    responses={
        200: {
            "description": "the completion, or its chunks",
            "content": {EVENT_STREAM: {"itemSchema": _CHUNK}},
        },
        **_errors(400, 401, 403, 404, 409, 503),
    },
)
async def create_chat_completion(
    body: CompletionRequest,
    caller: CallerNow,
    state: StateNow,
    thread: Annotated[
        ThreadName | None,
        Header(alias=THREAD_HEADER, description="the conversation; none: the messages tell which it is"),
    ] = None,
) -> Any:
    """The conversation in `messages` is found again by its questions; the thread is told in `X-Thread-Id`.

    Messages of `system` are data: they give nobody another role or scope, and the agent's own rules stand.
    """
    said = _conversation(body.messages)
    if thread is not None:
        turn = state.turns.ask(
            said.question,
            thread_id=unquote(thread),
            asker=caller.asker,
            streamed=body.stream,
            earlier=said.earlier,
        )
    else:
        conversations = Conversations(state.turns, state.app.threads)
        turn = await conversations.ask(said, caller.asker, streamed=body.stream)
    record(state, caller, "chat.ask", turn.thread_id)
    if body.stream:
        wanted = body.stream_options is not None and body.stream_options.include_usage
        chunks = _chunks(turn, body.model, state, usage=wanted)
        headers = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no", **thread_header(turn.thread_id)}
        return StreamingResponse(chunks, media_type=EVENT_STREAM, headers=headers)
    answer = await turn.answer()
    return Completion(
        id=_id(turn),
        created=int(time.time()),
        model=body.model,
        choices=[Choice(message=CompletionMessage(content=answer.answer))],
        usage=_usage(answer),
        voiceloop=answer,
    )


def _conversation(messages: list[Message]) -> Conversation:
    """The turns of the messages; ToolInputError where the last of them is not a question."""
    last = messages[-1]
    question = last.text().strip()
    if last.role != "user" or not question:
        raise ToolInputError("the last message must be a question of the user")
    if len(question) > MAX_QUESTION_CHARACTERS:
        raise ToolInputError(
            f"the question has {len(question):,} characters; at most {MAX_QUESTION_CHARACTERS:,} are read"
        )
    turns: list[Turn] = []
    for message in messages[:-1]:
        text = message.text().strip()
        if message.role == "user" and text:
            turns.append(Turn(question=text[:MAX_QUESTION_CHARACTERS], answer=""))
        elif message.role == "assistant" and turns and text:
            turns[-1] = Turn(question=turns[-1].question, answer=text[:MAX_QUESTION_CHARACTERS])
    return Conversation(tuple(turns), question)


async def _chunks(turn: ChatTurn, model: str, state: ServerState, *, usage: bool) -> AsyncIterator[bytes]:
    """The answer in pieces as they are checked.

    What was sent cannot be taken back in this protocol: where the answer is written anew it goes on after a
    blank line, and where the whole in the end is not what was sent, it is sent once more, and that is said.
    """
    created = int(time.time())

    def chunk(delta: dict[str, Any], finish: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "finish_reason": finish, "logprobs": None}
        return _data({**about, "choices": [choice]})

    about = {"id": _id(turn), "object": "chat.completion.chunk", "created": created, "model": model}
    yield chunk({"role": "assistant", "content": ""})
    sent = ""
    async for logged in turn.log.follow(0, pause_s=HEARTBEAT_S, closing=state.closing):
        if logged is None:
            yield KEEPALIVE_COMMENT
            continue
        event = logged.event
        if event.type == "token":
            sent += event.text
            yield chunk({"content": event.text})
        elif event.type == "restart" and sent:
            sent = ""
            yield chunk({"content": "\n\n"})
        elif event.type == "answer":
            if rest := _rest(sent, event.answer):
                yield chunk({"content": rest})
        elif event.type == "error":
            yield _data(told_error(event.problem))
            return
    if not turn.is_over:
        return
    yield chunk({}, "stop")
    if usage:
        answer = await turn.answer()
        yield _data({**about, "choices": [], "usage": _usage(answer).model_dump()})
    yield b"data: [DONE]\n\n"


def _rest(sent: str, answer: Answer) -> str:
    """What is left to send of an answer."""
    if answer.answer.startswith(sent):
        return answer.answer[len(sent) :]
    if answer.answer.startswith(sent.rstrip()):
        return answer.answer[len(sent.rstrip()) :]
    return "\n\n" + phrase("answer_anew", answer.language) + "\n\n" + answer.answer


def _data(document: dict[str, Any]) -> bytes:
    return b"data: " + orjson.dumps(document) + b"\n\n"


def _id(turn: ChatTurn) -> str:
    return f"chatcmpl-{turn.log.turn}"


def _usage(answer: Answer) -> Usage:
    return Usage(
        prompt_tokens=answer.usage["input_tokens"],
        completion_tokens=answer.usage["output_tokens"],
        total_tokens=answer.usage["total_tokens"],
    )
