"""Our typed tools as LangChain tools: same names, derived schemas, the asker taken from the run."""

from collections.abc import Callable, Sequence
from typing import Any

from langchain_core.runnables import RunnableConfig
from langchain_core.tools import BaseTool, StructuredTool

from agent.model_results import compact
from store.errors import ToolInputError
from tools.context import Asker, ToolContext
from tools.registry import ToolSpec

ContextFor = Callable[[Asker], ToolContext]


def asker_of(config: RunnableConfig) -> Asker:
    """The asker a run was started for. A run without one is a mistake of ours, not of the model's."""
    asker = config.get("configurable", {}).get("asker")
    if not isinstance(asker, dict):
        raise TypeError("a run needs configurable.asker")
    return Asker(asker["user"], asker["role"], tuple(asker["scope"]))


def build_tools(specs: Sequence[ToolSpec], context_for: ContextFor) -> list[BaseTool]:
    """One LangChain tool a spec. The schema is handed over as JSON so that only our own validation runs."""
    return [_build(spec, context_for) for spec in specs]


def _build(spec: ToolSpec, context_for: ContextFor) -> BaseTool:
    def call(config: RunnableConfig, **args: Any) -> tuple[str, dict[str, Any]]:
        result = spec.run(args, context_for(asker_of(config)))
        whole = result.model_dump(mode="json", by_alias=True)
        return compact(whole), whole

    return StructuredTool(
        name=spec.name,
        description=spec.description,
        args_schema=spec.arguments.model_json_schema(by_alias=True),
        func=call,
        response_format="content_and_artifact",
    )


def error_for_model(error: ToolInputError) -> str:
    """What a model reads when its call could not be served."""
    return f"{error.message} {error.hint}".strip()
