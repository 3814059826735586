"""The whole wiring of the agent: one LangGraph graph, whatever model drives it."""

from collections.abc import Callable, Sequence
from typing import Any

from langchain.agents import create_agent
from langchain.agents.middleware import AgentMiddleware
from langchain_core.language_models import BaseChatModel
from langchain_core.tools import BaseTool
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph.state import CompiledStateGraph

from agent.answer_lock import LockFigures
from agent.approver import Approver
from agent.middleware import AskApproval, DriveTurn, ToolErrors
from agent.model_limits import TurnLimits
from agent.model_request import FitRequest
from agent.model_use import UseCheck
from agent.offline_model import OfflinePlanner


def build_graph(
    *,
    planner: OfflinePlanner,
    models: Sequence[BaseChatModel],
    model_failures: tuple[type[Exception], ...],
    limits: TurnLimits,
    tools: Sequence[BaseTool],
    system_prompt: Callable[[str, str], str],
    approver: Approver,
    guards: Sequence[AgentMiddleware[Any, Any, Any]],
    checkpointer: BaseCheckpointSaver[Any],
) -> CompiledStateGraph[Any, Any, Any, Any]:
    """Build the graph: model <-> tools, then the number lock, then the stop for approval.

    `guards` stand between the model and the world, whichever model it is.

    `planner` is the offline planner; it drives the graph where there are no `models` and takes over where
    their endpoints raise one of `model_failures`, answer uselessly or reach the `limits` of a turn.
    `system_prompt` is given the last question and what the common arguments mean.
    """
    around: list[AgentMiddleware[Any, Any, Any]] = [
        AskApproval(approver),
        LockFigures(),
        ToolErrors(),
        *guards,
    ]
    if models:
        around += [
            DriveTurn(planner, models, model_failures, limits, UseCheck()),
            FitRequest(system_prompt, planner.first_tools),
        ]
    driver = models[0] if models else planner
    return create_agent(driver, list(tools), middleware=around, checkpointer=checkpointer)
