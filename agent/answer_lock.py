"""The number lock in the graph: an answer is checked, redone once, then cut."""

from asyncio import to_thread
from typing import Any

from langchain.agents.middleware import AgentMiddleware, hook_config
from langchain_core.messages import AIMessage, HumanMessage, RemoveMessage
from langgraph.runtime import Runtime

from agent.language import language_of
from agent.phrases import phrase
from agent.state import LOCK_NOTE, PREFERENCE_NOTE, TurnState, questions
from agent.thread_lock import thread_lock
from prompts.library import render


class LockFigures(AgentMiddleware[TurnState, Any, Any]):
    """No claim that fails leaves the graph: the answer is redone once, then cut."""

    state_schema = TurnState

    @hook_config(can_jump_to=["model"])
    async def aafter_model(self, state: TurnState, runtime: Runtime[Any]) -> dict[str, Any] | None:
        """Check an answer (a message without tool calls) against the results of the thread."""
        answer = state["messages"][-1]
        if not isinstance(answer, AIMessage) or answer.tool_calls or answer.name == PREFERENCE_NOTE:
            return None
        asked = questions(state["messages"])
        # In a thread: it takes a while, and others wait for the event loop.
        claims = await to_thread(lambda: thread_lock(state["messages"]).check(answer.text).claims)
        if not claims:
            return None
        language = language_of(asked[-1])
        if not state.get("redone"):
            failures = "\n".join(f"- {reason}" for reason in dict.fromkeys(claim.reason for claim in claims))
            note = render("number_lock", language, failures=failures)
            return {"messages": [HumanMessage(note, name=LOCK_NOTE)], "redone": True, "jump_to": "model"}
        kept = thread_lock(state["messages"]).cut(answer.text)
        if not kept and not state.get("fallback_reason"):
            update = {"fallback_reason": "UnboundFigures", "messages": [RemoveMessage(answer.id or "")]}
            return {**update, "jump_to": "model"}
        shown = "\n\n".join(part for part in (kept, phrase("figures_cut", language)) if part)
        return {"messages": [AIMessage(shown, id=answer.id)]}
