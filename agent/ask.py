"""One turn with the agent: the question goes in, the object of `voiceloop ask --json` comes out."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict
from typing import Any, cast

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage
from langgraph.graph.state import CompiledStateGraph
from langgraph.types import Command, StateSnapshot
from pydantic import BaseModel

from agent.approvals import Decision, Draft
from agent.ask_events import Answer, Event, FigureView, ToolCallView, closing_events
from agent.ask_stream import TurnWatch
from agent.guard_answer import AnswerGuard
from agent.language import language_of
from agent.model_limits import LIMITS, Spent, nothing_spent
from agent.number_lock import Source
from agent.offline_model import is_by_planner
from agent.phrases import name, phrase
from agent.state import APPROVAL_NOTE, questions, this_turn, tool_sources, turns_of
from agent.thread_keys import thread_key
from agent.thread_lock import thread_lock
from agent.thread_room import outdated
from agent.thread_store import ASKED, ASKED_AT, TURNS, NoThread, ThreadStore
from store.clock import Clock
from store.errors import ToolInputError
from tools.context import Asker

MAX_QUESTION_CHARACTERS = 8_000
# Of a question, in a list of threads.
_NOTED = 200


class Turn(BaseModel):
    """One question of a thread with its answer."""

    question: str
    answer: str


class Assistant:
    """Asks the graph. `has_model` tells whether an endpoint drives it; `answers` passes what is streamed."""

    def __init__(
        self,
        graph: CompiledStateGraph[Any, Any, Any, Any],
        *,
        has_model: bool,
        answers: AnswerGuard,
        threads: ThreadStore,
        clock: Clock,
    ) -> None:
        """`threads` tends the file that the graph keeps its state in."""
        self._graph = graph
        self._has_model = has_model
        self._answers = answers
        self._threads = threads
        self._clock = clock

    async def ask(
        self, question: str, *, thread_id: str, asker: Asker, earlier: Sequence[Turn] = ()
    ) -> Answer:
        """Answer one question in a thread; a turn that broke off is taken up where the same is asked again.

        `earlier`: what was said before elsewhere, as the beginning of a thread that there is none of yet.
        Raises ToolInputError for an empty question, one of more than 8,000 characters, or the name of a
        thread that cannot be one.
        """
        started = time.monotonic()
        text = _question(question)
        before = await self._graph.aget_state(self._config(thread_id, asker))
        config = self._config(thread_id, asker, before, text, len(earlier))
        state = await self._graph.ainvoke(_turn(before, text, earlier), config)
        await self._tend(config)
        return await asyncio.to_thread(self._answer, state, thread_id, started)

    async def stream(
        self, question: str, *, thread_id: str, asker: Asker, earlier: Sequence[Turn] = ()
    ) -> AsyncIterator[Event]:
        """The same turn as it comes about: steps, sentences that the number lock has passed, the answer.

        Raises what `ask` raises.
        """
        started = time.monotonic()
        text = _question(question)
        before = await self._graph.aget_state(self._config(thread_id, asker))
        config = self._config(thread_id, asker, before, text, len(earlier))
        turn = _turn(before, text, earlier)
        messages = before.values.get("messages", [])
        begun = messages if turn is None else [*messages, *_told(before, earlier), HumanMessage(text)]
        watch = TurnWatch(begun, self._answers)
        modes: Any = ["updates", "messages"]
        async for mode, payload in self._graph.astream(turn, config, stream_mode=modes):
            for event in watch.seen(mode, payload):
                yield event
        snapshot = await self._graph.aget_state(config)
        await self._tend(config)
        state = {**snapshot.values, "__interrupt__": snapshot.interrupts}
        answer = await asyncio.to_thread(self._answer, state, thread_id, started)
        for event in closing_events(answer):
            yield event

    async def decide(self, decision: Decision, *, thread_id: str, asker: Asker) -> Answer:
        """Resume a thread that stopped for approval.

        Raises ToolInputError where nothing waits, or not what the decision names.
        """
        started = time.monotonic()
        before = await self._graph.aget_state(self._config(thread_id, asker))
        if not before.tasks:
            raise ToolInputError(f"thread {thread_id!r} has nothing that awaits approval")
        if not before.interrupts:
            # The process ended between a step and its conclusion: what was decided then stands.
            config = self._config(thread_id, asker, before)
            state = await self._graph.ainvoke(None, config)
            await self._tend(config)
            return await asyncio.to_thread(self._answer, state, thread_id, started)
        waiting = {draft.id for draft in _pending({"__interrupt__": before.interrupts})}
        if unknown := decision.named() - waiting:
            raise ToolInputError(
                f"thread {thread_id!r} does not wait for {', '.join(sorted(unknown))}",
                hint=f"it waits for {', '.join(sorted(waiting))}",
            )
        config = self._config(thread_id, asker, before)
        state = await self._graph.ainvoke(Command(resume=decision.model_dump()), config)
        await self._tend(config)
        return await asyncio.to_thread(self._answer, state, thread_id, started)

    async def turns(self, thread_id: str, asker: Asker) -> list[Turn]:
        """What was asked and answered in a thread, oldest first; the answer of one that broke off is empty.

        Raises ToolInputError where the asker has no such thread.
        """
        state = await self._state(thread_id, asker)
        asked = turns_of(state.values.get("messages", []))
        told = [Turn(question=question, answer="\n\n".join(_answers(turn))) for question, turn in asked]
        if _unread(state):
            return [*told, Turn(question=cast("Any", state.metadata).get(ASKED, ""), answer="")]
        return [*told[:-1], Turn(question=told[-1].question, answer="")] if _is_open(state) else told

    async def last(self, thread_id: str, asker: Asker) -> Answer | None:
        """The last answer of a thread as it was given; None where it broke off before it had one.

        How long it took is not kept. Raises ToolInputError where the asker has no such thread.
        """
        state = await self._state(thread_id, asker)
        asked = questions(state.values.get("messages", []))
        if not asked or _is_open(state) or _unread(state):
            return None
        values = {**state.values, "__interrupt__": state.interrupts}
        return await asyncio.to_thread(self._answer, values, thread_id, None)

    async def _state(self, thread_id: str, asker: Asker) -> StateSnapshot:
        state = await self._graph.aget_state(self._config(thread_id, asker))
        if state.metadata is None:
            raise NoThread(thread_id)
        return state

    async def _tend(self, config: Any) -> None:
        await asyncio.to_thread(self._threads.prune, config["configurable"]["thread_id"])

    def _config(
        self,
        thread_id: str,
        asker: Asker,
        before: StateSnapshot | None = None,
        question: str = "",
        told: int = 0,
    ) -> Any:
        """The run's configuration; with the state before it, also what a list of threads shows."""
        configurable = {"thread_id": thread_key(asker, thread_id), "asker": asdict(asker)}
        if before is None:
            return {"configurable": configurable}
        earlier = questions(before.values.get("messages", []))
        last = question or (earlier[-1] if earlier else "")
        new = bool(question) and not _broke_off(before, question)
        noted = {ASKED: last[:_NOTED], TURNS: (len(earlier) or told) + new}
        noted[ASKED_AT] = (
            self._clock.now().isoformat() if question else (before.metadata or {}).get(ASKED_AT, "")
        )
        return {"configurable": configurable, "metadata": noted}

    def _answer(self, state: dict[str, Any], thread_id: str, started: float | None) -> Answer:
        messages: list[AnyMessage] = state["messages"]
        turn = this_turn(messages)
        asked = questions(messages)
        language = language_of(asked[-1])
        sources = tool_sources(messages)
        fallback = state.get("fallback_reason")
        text = "\n\n".join(_answers(turn))
        if fallback:
            key = "limit_reached" if fallback in LIMITS else "fell_back"
            text += "\n\n" + phrase(key, language, reason=name(f"why_{fallback}", language, fallback))
        calls = _calls(turn, sources)
        return Answer(
            answer=text,
            language=language,
            planner="llm" if self._has_model and not fallback else "offline",
            tool_calls=calls,
            figures=[FigureView(**vars(b)) for b in thread_lock(messages).check(text).bound],
            citations=_citations(text, sources),
            pending_approvals=_pending(state),
            plan=next((c.result["data"]["plan"] for c in calls if "plan" in c.result.get("data", {})), None),
            usage=_usage(turn, state.get("spent")),
            elapsed_ms=0 if started is None else round((time.monotonic() - started) * 1000),
            thread_id=thread_id,
        )


def _question(question: str) -> str:
    text = question.strip()
    if not text:
        raise ToolInputError("the question is empty")
    if len(text) > MAX_QUESTION_CHARACTERS:
        raise ToolInputError(
            f"the question has {len(text):,} characters; at most {MAX_QUESTION_CHARACTERS:,} are read",
            hint="to bring in feedback use `voiceloop ingest`",
        )
    return text


def _turn(before: StateSnapshot, text: str, earlier: Sequence[Turn]) -> dict[str, Any] | None:
    """What a turn starts from: the question, and nothing left of the turn before; None to go on with it."""
    if _broke_off(before, text):
        return None
    messages = [*outdated(before.values.get("messages", [])), *_told(before, earlier), HumanMessage(text)]
    return {"messages": messages, "fallback_reason": None, "redone": False, "spent": nothing_spent()}


def _told(before: StateSnapshot, earlier: Sequence[Turn]) -> list[AnyMessage]:
    """What was said before, as messages; nothing where the thread has any of its own."""
    if before.values.get("messages"):
        return []
    told: list[AnyMessage] = []
    for turn in earlier:
        told.append(HumanMessage(turn.question))
        told += [AIMessage(turn.answer)] if turn.answer else []
    return told


def _broke_off(before: StateSnapshot, text: str) -> bool:
    """Whether this very question was on its way to an answer when its process ended."""
    return _is_open(before) and questions(before.values.get("messages", []))[-1:] == [text]


def _unread(state: StateSnapshot) -> bool:
    """Whether a turn broke off before its question became part of the state."""
    return state.metadata is not None and state.metadata.get("source") == "input"


def _is_open(state: StateSnapshot) -> bool:
    """Whether a step is left to do. `next` leaves out one that ran and was not concluded."""
    return bool(state.tasks) and not state.interrupts


def _answers(turn: Sequence[AnyMessage]) -> list[str]:
    """The last answer of a turn, and the report on approvals after it."""
    answers = [m for m in turn if isinstance(m, AIMessage) and not m.tool_calls and m.name != APPROVAL_NOTE]
    reports = [m for m in turn if isinstance(m, AIMessage) and m.name == APPROVAL_NOTE]
    return [str(m.text) for m in [*answers[-1:], *reports]]


def _calls(turn: Sequence[AnyMessage], sources: Sequence[Source]) -> list[ToolCallView]:
    results = {source.tool_call_id: dict(source.result) for source in sources}
    errors = {m.tool_call_id: str(m.text) for m in turn if m.type == "tool" and m.status == "error"}
    views = []
    for message in turn:
        for call in message.tool_calls if isinstance(message, AIMessage) else ():
            call_id = call["id"] or ""
            result = results.get(call_id) or {"error": errors.get(call_id, "")}
            views.append(ToolCallView(id=call_id, name=call["name"], args=call["args"], result=result))
    return views


def _citations(text: str, sources: Sequence[Source]) -> list[str]:
    """Feedback ids that the answer cites and that some result gave as evidence."""
    known = {feedback_id for source in sources for feedback_id in source.result.get("evidence", [])}
    cited = [(text.find(f"[{i}]"), i) for i in known if f"[{i}]" in text]
    return [feedback_id for _, feedback_id in sorted(cited)]


def _pending(state: dict[str, Any]) -> list[Draft]:
    waiting = state.get("__interrupt__") or ()
    return [Draft(**draft) for stop in waiting for draft in stop.value["pending_approvals"]]


def _usage(turn: Sequence[AnyMessage], spent: Spent | None) -> dict[str, int]:
    """Tokens of endpoints, replies of no use included, and the calls of whatever drove the turn."""
    taken = spent or nothing_spent()
    planned = sum(isinstance(m, AIMessage) and is_by_planner(m) for m in turn)
    return {
        "input_tokens": taken["input_tokens"],
        "output_tokens": taken["output_tokens"],
        "total_tokens": taken["input_tokens"] + taken["output_tokens"],
        "model_calls": taken["calls"] + planned,
    }
