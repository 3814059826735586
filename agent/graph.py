"""The whole wiring of the agent: one LangGraph graph, whatever model drives it."""

from collections.abc import Callable, Sequence
from typing import Any

from langchain.agents import create_agent
from langchain.agents.middleware import (
    AgentMiddleware,
    ModelCallLimitMiddleware,
    ModelRequest,
    dynamic_prompt,
)
from langchain_core.language_models import BaseChatModel
from langchain_core.tools import BaseTool
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph.state import CompiledStateGraph

from agent.answer_lock import LockFigures
from agent.approvals import Approver
from agent.middleware import AskApproval, FallbackToPlanner, ToolErrors

MODEL_CALLS_PER_TURN = 12


def build_graph(
    *,
    planner: BaseChatModel,
    model: BaseChatModel | None,
    model_failures: tuple[type[Exception], ...],
    tools: Sequence[BaseTool],
    system_prompt: Callable[[str], str],
    approver: Approver,
    checkpointer: BaseCheckpointSaver[Any],
) -> CompiledStateGraph[Any, Any, Any, Any]:
    """Build the graph: model <-> tools, then the number lock, then the stop for approval.

    `planner` is the offline planner; it drives the graph where `model` is None and takes over where the
    model's endpoint raises one of `model_failures`. `system_prompt` is given the last question.
    """

    @dynamic_prompt
    def prompt(request: ModelRequest[Any]) -> str:
        from agent.state import questions

        return system_prompt(questions(request.messages)[-1])

    around: list[AgentMiddleware[Any, Any, Any]] = [
        AskApproval(approver),
        LockFigures(),
        ModelCallLimitMiddleware(run_limit=MODEL_CALLS_PER_TURN, exit_behavior="end"),
        ToolErrors(),
    ]
    if model is not None:
        around += [prompt, FallbackToPlanner(planner, model_failures)]
    return create_agent(model or planner, list(tools), middleware=around, checkpointer=checkpointer)
