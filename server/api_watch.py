"""Follows a question through turn, model and tools, for the metrics and the traces.

LangChain gives every run within a context to a handler that the context names: nothing in the agent knows.
"""

import time
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from uuid import UUID, uuid4

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import BaseMessage
from langchain_core.outputs import ChatGeneration, LLMResult
from langchain_core.tracers.context import register_configure_hook

from server.api_metrics import Metrics
from server.api_traces import Traces

if TYPE_CHECKING:
    from opentelemetry.trace import Span

# Runs that ended without a word, which none should, are forgotten beyond so many.
_KEPT: Final = 20_000
_PLANNER: Final = "OfflinePlanner"

watching: ContextVar["Watch | None"] = ContextVar("voiceloop_watch", default=None)
register_configure_hook(watching, inheritable=True)


@contextmanager
def watched_tool(name: str) -> Iterator[None]:
    """A tool that is called by a request itself and not by the agent."""
    watch, run_id = watching.get(), uuid4()
    if watch is None:
        yield
        return
    outcome = "error"
    watch.begin(run_id, name, None, "tool ")
    try:
        yield
        outcome = "success"
    finally:
        watch.tool_ended(run_id, outcome)


class _Run(NamedTuple):
    name: str
    span: "Span | None"
    began: float
    own: bool


class Watch(BaseCallbackHandler):
    """Counts and traces runs; keeps no texts. A run of the graph that is under no other is a turn."""

    run_inline = True
    raise_error = False

    def __init__(self, metrics: Metrics, traces: Traces) -> None:
        self._metrics = metrics
        self._traces = traces
        self._runs: OrderedDict[UUID, _Run] = OrderedDict()

    def on_chain_start(
        self,
        serialized: dict[str, Any],
        inputs: dict[str, Any],
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        **kwargs: Any,
    ) -> None:
        """A turn, or a step of one, which has no span of its own."""
        above = self._runs.get(parent_run_id) if parent_run_id else None
        if above is None:
            self.begin(run_id, "turn", None)
        else:
            self._keep(run_id, above._replace(own=False))

    def on_chain_end(self, outputs: Any, *, run_id: UUID, **kwargs: Any) -> None:
        """Its end."""
        self._end(run_id, "success")

    def on_chain_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        """Its end, for approval or by an error."""
        self._end(run_id, type(error).__name__)

    def on_chat_model_start(
        self,
        serialized: dict[str, Any],
        messages: list[list[BaseMessage]],
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        **kwargs: Any,
    ) -> None:
        """One call of the model."""
        called = str((serialized or {}).get("name") or kwargs.get("name") or "")
        self.begin(run_id, "planner" if called == _PLANNER else "endpoint", parent_run_id, "model ")

    def on_llm_end(self, response: LLMResult, *, run_id: UUID, **kwargs: Any) -> None:
        """Its end, with the tokens that the endpoint counted."""
        run = self._end(run_id, "success")
        for generation in (one for some in response.generations for one in some):
            if isinstance(generation, ChatGeneration):
                used = getattr(generation.message, "usage_metadata", None) or {}
                for kind in ("input_tokens", "output_tokens"):
                    self._metrics.tokens.labels(kind).inc(used.get(kind, 0))
        if run is not None:
            self._metrics.models.labels(run.name, "success").observe(time.monotonic() - run.began)

    def on_llm_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        """Its end by an error."""
        run = self._end(run_id, type(error).__name__)
        if run is not None:
            self._metrics.models.labels(run.name, "error").observe(time.monotonic() - run.began)

    def on_tool_start(
        self,
        serialized: dict[str, Any],
        input_str: str,
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        **kwargs: Any,
    ) -> None:
        """One call of a tool."""
        name = str((serialized or {}).get("name") or kwargs.get("name") or "unknown")
        self.begin(run_id, name, parent_run_id, "tool ")

    def on_tool_end(self, output: Any, *, run_id: UUID, **kwargs: Any) -> None:
        """Its end; a refusal is told to the model and is an error here."""
        outcome = "error" if getattr(output, "status", "success") == "error" else "success"
        self.tool_ended(run_id, outcome)

    def on_tool_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        """Its end by an error."""
        self.tool_ended(run_id, "error")

    def tool_ended(self, run_id: UUID, outcome: str) -> None:
        """A call of a tool ends."""
        run = self._end(run_id, outcome)
        if run is not None:
            self._metrics.tools.labels(run.name, outcome).observe(time.monotonic() - run.began)

    def begin(self, run_id: UUID, name: str, parent: UUID | None, prefix: str = "") -> None:
        """A run begins: a turn, a call of the model or of a tool."""
        above = self._runs.get(parent) if parent else None
        span = self._traces.begin(prefix + name, above.span if above else None)
        self._keep(run_id, _Run(name, span, time.monotonic(), own=True))

    def _keep(self, run_id: UUID, run: _Run) -> None:
        self._runs[run_id] = run
        if len(self._runs) > _KEPT:
            self._runs.popitem(last=False)

    def _end(self, run_id: UUID, outcome: str) -> _Run | None:
        run = self._runs.pop(run_id, None)
        if run is not None and run.own and run.span is not None:
            run.span.set_attribute("voiceloop.outcome", outcome)
            run.span.end()
        return run
