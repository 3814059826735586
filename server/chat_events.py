"""The events of a chat as server-sent events."""

from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, Field, TypeAdapter

from agent.ask_events import (
    Answered,
    ApprovalRequest,
    Citations,
    Done,
    Event,
    Figures,
    Restart,
    StepFinished,
    StepStarted,
    Token,
)
from server.api_problems import Problem, response_of
from store.errors import VoiceLoopError

# How long a browser waits before it connects again.
_RETRY_MS: Final = 2_000


class Failed(BaseModel):
    """The turn ended without an answer; the same question asked again takes it up."""

    type: Literal["error"] = "error"
    problem: Problem


ChatEvent = Event | Failed

Told = Annotated[
    StepStarted
    | StepFinished
    | Token
    | Restart
    | Figures
    | Citations
    | ApprovalRequest
    | Answered
    | Done
    | Failed,
    Field(discriminator="type"),
]
_EVENTS: Final[TypeAdapter[Told]] = TypeAdapter(Told)

EXAMPLE: Final = """retry: 2000
event: step_started
data: {"type":"step_started","id":"plan_1_0","name":"nps_stats","args":{"period":"2026-10"}}
id: 5b1f0c9a.1

event: token
data: {"type":"token","text":"10月 NPS 为 0.0（n=56，推荐者 28，贬损者 28）。"}
id: 5b1f0c9a.3

event: done
data: {"type":"done","usage":{"input_tokens":0,"output_tokens":0,"model_calls":2},"elapsed_ms":84}
id: 5b1f0c9a.7.end

"""


def event_schemas() -> dict[str, Any]:
    """The schemas of events for the components of an OpenAPI document; `ChatEvents` is one of a stream."""
    told = _EVENTS.json_schema(ref_template="#/components/schemas/{model}")
    parts: dict[str, Any] = told.pop("$defs")
    types = ", ".join(told["discriminator"]["mapping"])
    data = {
        "type": "string",
        "contentMediaType": "application/json",
        "contentSchema": {"$ref": "#/components/schemas/ChatEvent"},
    }
    stream = {
        "type": "object",
        "required": ["data", "event", "id"],
        "properties": {
            "data": data,
            "event": {"type": "string"},
            "id": {"type": "string"},
            "retry": {"type": "integer", "minimum": 0},
        },
        "description": f"A server-sent event. `data` is a ChatEvent; `event` is its type: {types}. "
        "Lines that begin with a colon keep the connection open.",
    }
    return {**parts, "ChatEvent": told, "ChatEvents": stream}


def failed(error: VoiceLoopError, request_id: str = "") -> Failed:
    """What a reader of events is told of an error: no more than in a response."""
    return Failed(problem=Problem.model_validate_json(bytes(response_of(error, request_id).body)))


def server_sent(event_id: str, event: ChatEvent, *, first: bool) -> bytes:
    """One event on the wire; the first tells how soon to connect again."""
    from fastapi.sse import format_sse_event

    return format_sse_event(
        data_str=event.model_dump_json(by_alias=True),
        event=event.type,
        id=event_id,
        retry=_RETRY_MS if first else None,
    )
