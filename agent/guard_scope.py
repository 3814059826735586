"""What an asker who may see only some org units is told: refusals by name, and what an answer counted."""

import re
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any

from langchain.agents.middleware import AgentMiddleware, ModelRequest, ModelResponse
from langchain_core.messages import AIMessage
from langgraph.config import get_config
from langgraph.runtime import Runtime

from agent.guard_request import visible
from agent.language import language_of
from agent.phrases import phrase
from agent.state import questions, this_turn
from agent.toolset import asker_of
from store.facts import FactStore
from store.units import BETWEEN, UNIT, Scope, within
from tools.caveats import caveat
from tools.refusals import refusal

_Handler = Callable[[ModelRequest[Any]], Awaitable[ModelResponse[Any]]]
_PATH = re.compile(r"[\w-]+(?:/[\w-]+)+/?", re.ASCII)
# A Chinese name ends where the sentence goes on.
_HAN_PATH = re.compile(r"[^\s/的和与及跟比在是有各，。？！、]+(?:/[^\s/的和与及跟比在是有各，。？！、]+)+")


class TellScope(AgentMiddleware[Any, Any, Any]):
    """A question that names a unit outside the asker's scope is refused; every other answer names the scope.

    Which units there are outside is not looked up: whether one exists is not told either.
    """

    def __init__(self, facts: FactStore) -> None:
        super().__init__()
        self._facts = facts

    async def awrap_model_call(self, request: ModelRequest[Any], handler: _Handler) -> ModelResponse[Any]:
        """Refuse before anything is looked up, or go on."""
        scope = asker_of(get_config()).scope
        if scope and not this_turn(request.messages):
            question = questions(request.messages)[-1]
            outside = units_outside(question, scope, self._known(scope))
            if outside:
                said = refusal("out_of_scope", language_of(question), {"units": outside, "scope": scope})
                return ModelResponse(result=[AIMessage(said)])
        return await handler(request)

    async def aafter_agent(self, state: Any, runtime: Runtime[Any]) -> dict[str, Any] | None:
        """Say what was counted, where the answer does not."""
        scope = asker_of(get_config()).scope
        answer = next((m for m in reversed(this_turn(state["messages"])) if isinstance(m, AIMessage)), None)
        if not scope or answer is None or answer.tool_calls:
            return None
        language, units = language_of(questions(state["messages"])[-1]), ", ".join(scope)
        if caveat("within_scope", language, scope=units) in answer.text:
            return None
        note = phrase("only_within_scope", language, scope=units)
        return {"messages": [answer.model_copy(update={"content": f"{answer.text}\n\n{note}"})]}

    def _known(self, scope: Scope) -> list[str]:
        info = self._facts.scoped(scope).catalogue().dimensions.get(UNIT)
        return [unit for unit, _ in info.values] if info else []


def units_outside(question: str, scope: Scope, known: Iterable[str]) -> list[str]:
    """What a question names in the manner of a unit and that is not within the scope.

    Paths that begin like the scope's own (hq/west), and names that differ from a `known` unit's only in their
    number (store-9 beside store-12).
    """
    text = visible(question)
    roots = {unit.split(BETWEEN)[0].casefold() for unit in scope}
    paths = [*_PATH.findall(text), *(path for path in _HAN_PATH.findall(text) if not _PATH.search(path))]
    found = [
        path.strip(BETWEEN)
        for path in paths
        if path.split(BETWEEN)[0].casefold() in roots and not within(path, scope)
    ]
    parts = {part for unit in (*known, *scope) for part in unit.split(BETWEEN)}
    own = {_bare(part) for part in parts}
    rest = _PATH.sub(" ", text)
    found += [named for named in _numbered(rest, parts) if _bare(named) not in own]
    return list(dict.fromkeys(found))


def _bare(name: str) -> str:
    return re.sub(r"[-_ ]", "", name).casefold()


def _numbered(text: str, parts: Iterable[str]) -> Sequence[str]:
    shapes = {
        re.sub(r"\\?[-_ ]*\d+", r"[-_ ]?\\d+", re.escape(part)) for part in parts if re.search(r"\D\d", part)
    }
    return [hit for shape in sorted(shapes) for hit in re.findall(rf"(?<![\w-]){shape}(?!\w)", text, re.I)]
