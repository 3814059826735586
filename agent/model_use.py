"""Whether a model's reply is of any use: a well-formed call, or a text that rests on results."""

from collections.abc import Sequence
from typing import Any, Final

from langchain.agents.middleware import ModelRequest, ModelResponse
from langchain_core.messages import AIMessage, AnyMessage, ToolMessage

from agent.language import language_of
from agent.model_actions import Useless
from agent.model_limits import NOT_PERMITTED
from agent.model_server import Served
from agent.model_text import is_noise, is_tool_call_as_text
from agent.number_lock import Source
from agent.state import questions, this_turn, tool_sources
from agent.thread_lock import thread_lock

# A question back to the asker is short.
_QUESTION_BACK: Final = 240


class UseCheck:
    """Refuses replies that cannot serve. Whether figures are right is the number lock's to say."""

    def require(self, request: ModelRequest[Any], response: ModelResponse[Any]) -> None:
        """Raises Useless: bad_arguments, cut, empty, noise, call_as_text or ungrounded."""
        for message in response.result:
            if isinstance(message, AIMessage):
                self._require_one(request, message)

    def _require_one(self, request: ModelRequest[Any], message: AIMessage) -> None:
        if message.tool_calls:
            return
        if message.invalid_tool_calls:
            raise Useless("bad_arguments")
        if message.response_metadata.get("finish_reason") == "length":
            raise Useless("cut")
        text = str(message.text).strip()
        if not text:
            raise Useless("empty")
        if is_tool_call_as_text(text):
            if isinstance(request.model, Served):
                request.model.prefer_json()
            raise Useless("call_as_text")
        asked = questions(request.messages)
        if is_noise(text, language_of(asked[-1])):
            raise Useless("noise")
        if not self._is_grounded(text, request.state):
            raise Useless("ungrounded")

    def _is_grounded(self, text: str, state: Any) -> bool:
        """Whether an answer shows a figure or cites feedback of a result, or is of a kind that need not."""
        messages: Sequence[AnyMessage] = state["messages"]
        sources = tool_sources(messages)
        checked = thread_lock(messages).check(text)
        if checked.bound or _cites(text, sources):
            return True
        if checked.claims and not state.get("redone"):
            return True  # the number lock asks for it again, naming what failed
        if len(text) <= _QUESTION_BACK and text.rstrip().endswith(("？", "?")):
            return True
        turn = this_turn(messages)
        if any(isinstance(m, ToolMessage) and str(m.text).startswith(NOT_PERMITTED) for m in turn):
            return True
        results = tool_sources(turn)
        # Without a result the planner answers: what is out of scope it says plainly, and noise it is not.
        return bool(results) and all(not source.result.get("n") for source in results)


def _cites(text: str, sources: Sequence[Source]) -> bool:
    return any(f"[{one}]" in text for source in sources for one in source.result.get("evidence", []))
