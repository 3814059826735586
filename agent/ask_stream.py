"""A turn as it comes about: graph updates and model tokens in, events out."""

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

from langchain_core.messages import AIMessage, AIMessageChunk, AnyMessage, BaseMessage, ToolMessage

from agent.ask_events import Event, Restart, StepFinished, StepStarted, Token
from agent.guard_answer import AnswerGuard, guard_sources
from agent.thread_lock import thread_lock

_MODEL: Final = "model"
# A sentence ends at these; a full stop within a number does not.
_END: Final = re.compile(r"[。！？!?；;\n]+|\.(?=\s)")


class TurnWatch:
    """Follows one turn. Text is released sentence by sentence, once number lock and guard have passed it."""

    def __init__(self, messages: Sequence[AnyMessage], answers: AnswerGuard) -> None:
        """`messages`: the thread with the question at its end."""
        self._messages: list[AnyMessage] = list(messages)
        self._answers = answers
        self._shown = ""
        self._message_id: str | None = None
        self._held = ""
        self._released = False
        self._stopped = False

    def seen(self, mode: str, payload: Any) -> Iterator[Event]:
        """The events of one item of the graph's stream (modes "updates" and "messages")."""
        if mode == "messages":
            message, about = payload
            if about.get("langgraph_node") == _MODEL and isinstance(message, AIMessage | AIMessageChunk):
                yield from self._text(message)
            return
        for node, update in payload.items():
            messages = _messages_in(update)
            self._messages += messages
            for message in messages:
                yield from self._step(node, message)

    def _step(self, node: str, message: AnyMessage) -> Iterator[Event]:
        if isinstance(message, ToolMessage):
            result = message.artifact if isinstance(message.artifact, dict) else None
            yield StepFinished(
                id=message.tool_call_id,
                name=message.name or "",
                ok=result is not None,
                n=result.get("n") if result else None,
                error="" if result else str(message.text),
            )
        elif isinstance(message, AIMessage) and node == _MODEL:
            if not message.tool_calls:
                yield from self._release(whole=True)
            for call in message.tool_calls:
                yield StepStarted(id=call["id"] or "", name=call["name"], args=call["args"])

    def _text(self, message: BaseMessage) -> Iterator[Event]:
        if message.id != self._message_id:
            if self._released:
                yield Restart()
            self._message_id, self._held, self._released, self._stopped = message.id, "", False, False
            self._shown = ""
        self._held += str(message.text)
        yield from self._release(whole=False)

    def _release(self, *, whole: bool) -> Iterator[Event]:
        """What of the held text ends a sentence and passes; after the first that does not, nothing more."""
        if self._stopped:
            return
        ends = [found.end() for found in _END.finditer(self._held)]
        until = len(self._held) if whole else (ends[-1] if ends else 0)
        text, rest = self._held[:until], self._held[until:]
        if not text:
            return
        lock = thread_lock(self._messages)
        at = 0
        for end in [*(end for end in ends if end <= until), until]:
            sentence = text[at:end]
            if not sentence:
                continue
            if sentence.strip() and (lock.check(sentence).claims or "\ufffd" in sentence):
                self._stopped = True
                return
            # With what stands before it: instructions may be told in pieces.
            if self._answers.clean(self._shown + sentence, guard_sources(self._messages)).removed:
                self._stopped = True
                return
            self._shown += sentence
            self._released = True
            yield Token(text=sentence)
            at = end
        self._held = rest


def _messages_in(update: Any) -> list[AnyMessage]:
    """The messages of a node's update: a mapping, or several where the node returned commands."""
    parts = update if isinstance(update, list | tuple) else [update]
    found: list[AnyMessage] = []
    for part in parts:
        messages = part.get("messages") if isinstance(part, dict) else None
        found += messages if isinstance(messages, list) else []
    return [message for message in found if isinstance(message, BaseMessage)]
