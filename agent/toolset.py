"""Our typed tools as LangChain tools: same names, derived schemas, the asker taken from the run."""

from collections.abc import Callable, Sequence
from typing import Any

import orjson
from langchain_core.runnables import RunnableConfig
from langchain_core.tools import BaseTool, StructuredTool

from store.errors import ToolInputError
from tools.context import Asker, ToolContext
from tools.registry import ToolSpec
from tools.results import ToolResult

ContextFor = Callable[[Asker], ToolContext]
_LEFT_OUT_FOR_MODELS = {"args", "chart", "tool"}


def asker_of(config: RunnableConfig) -> Asker:
    """The asker a run was started for. A run without one is a mistake of ours, not of the model's."""
    asker = config.get("configurable", {}).get("asker")
    if not isinstance(asker, dict):
        raise TypeError("a run needs configurable.asker")
    return Asker(**asker)


def build_tools(specs: Sequence[ToolSpec], context_for: ContextFor) -> list[BaseTool]:
    """One LangChain tool a spec. The schema is handed over as JSON so that only our own validation runs."""
    return [_build(spec, context_for) for spec in specs]


def _build(spec: ToolSpec, context_for: ContextFor) -> BaseTool:
    def call(config: RunnableConfig, **args: Any) -> tuple[str, dict[str, Any]]:
        result = spec.run(args, context_for(asker_of(config)))
        return for_model(result), result.model_dump(mode="json", by_alias=True)

    return StructuredTool(
        name=spec.name,
        description=spec.description,
        args_schema=spec.arguments.model_json_schema(by_alias=True),
        func=call,
        response_format="content_and_artifact",
    )


def for_model(result: ToolResult) -> str:
    """A result as compact JSON for a model: without the chart and the echo of its arguments."""
    shown = result.model_dump(mode="json", by_alias=True, exclude=_LEFT_OUT_FOR_MODELS)
    return orjson.dumps(shown).decode()


def error_for_model(error: ToolInputError) -> str:
    """What a model reads when its call could not be served."""
    return f"{error.message} {error.hint}".strip()
