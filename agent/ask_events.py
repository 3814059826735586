"""What a turn gives back: the answer, and the events on the way to it."""

from collections.abc import Iterator
from typing import Any, Literal

from pydantic import BaseModel

from agent.approvals import Draft


class ToolCallView(BaseModel):
    """One tool call with its result; `result` is the message it failed with where it failed."""

    id: str
    name: str
    args: dict[str, Any]
    result: dict[str, Any]


class FigureView(BaseModel):
    """A figure as shown and the place of its value in a tool result."""

    text: str
    value: float | str
    tool_call_id: str
    path: str


class Answer(BaseModel):
    """What a turn gives back."""

    answer: str
    language: Literal["zh", "en"]
    planner: Literal["llm", "offline"]
    tool_calls: list[ToolCallView]
    figures: list[FigureView]
    citations: list[str]
    pending_approvals: list[Draft]
    plan: dict[str, Any] | None = None
    usage: dict[str, int]
    elapsed_ms: int
    thread_id: str


class StepStarted(BaseModel):
    """A tool is called."""

    type: Literal["step_started"] = "step_started"
    id: str
    name: str
    args: dict[str, Any]


class StepFinished(BaseModel):
    """A tool has answered: `n` items where it succeeded, else the words it failed with."""

    type: Literal["step_finished"] = "step_finished"
    id: str
    name: str
    ok: bool
    n: int | None = None
    error: str = ""


class Token(BaseModel):
    """The next piece of the answer; its figures have been checked."""

    type: Literal["token"] = "token"
    text: str


class Restart(BaseModel):
    """The pieces so far are void: the answer is written anew."""

    type: Literal["restart"] = "restart"


class Figures(BaseModel):
    """The figures of the answer with their places in the results."""

    type: Literal["figures"] = "figures"
    figures: list[FigureView]


class Citations(BaseModel):
    """The feedback that the answer cites."""

    type: Literal["citations"] = "citations"
    citations: list[str]


class ApprovalRequest(BaseModel):
    """What waits for a person's decision."""

    type: Literal["approval_request"] = "approval_request"
    pending_approvals: list[Draft]


class Answered(BaseModel):
    """The whole answer; it stands in place of the pieces, which may lack what could not be checked early."""

    type: Literal["answer"] = "answer"
    answer: Answer


class Done(BaseModel):
    """The turn is over."""

    type: Literal["done"] = "done"
    usage: dict[str, int]
    elapsed_ms: int


Event = StepStarted | StepFinished | Token | Restart | Figures | Citations | ApprovalRequest | Answered | Done


def closing_events(answer: Answer) -> Iterator[Event]:
    """What follows once the answer is known."""
    yield Figures(figures=answer.figures)
    yield Citations(citations=answer.citations)
    if answer.pending_approvals:
        yield ApprovalRequest(pending_approvals=answer.pending_approvals)
    yield Answered(answer=answer)
    yield Done(usage=answer.usage, elapsed_ms=answer.elapsed_ms)
