"""OpenTelemetry traces: a span for the request, the turn, each call of the model and each tool.

Off without `VOICELOOP_OTLP_ENDPOINT`, or without the group `otel`, which `voiceloop doctor` then tells.
Spans hold names, counts and times; never texts, arguments, keys or people.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

import structlog

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Span

_LOG = structlog.get_logger()
_EXPORTER: Final = "opentelemetry.exporter.otlp.proto.http"
_PATIENCE_S: Final = 5


class Traces:
    """What makes spans. Without a provider it makes none."""

    def __init__(self, provider: "TracerProvider | None" = None) -> None:
        self._provider = provider
        self._tracer = provider.get_tracer("voiceloop") if provider is not None else None

    @contextmanager
    def request(self, headers: Mapping[str, str]) -> "Iterator[Span | None]":
        """The span of a request, under the caller's own where it sends a `traceparent`."""
        if self._tracer is None:
            yield None
            return
        from opentelemetry.trace import SpanKind
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        above = TraceContextTextMapPropagator().extract(headers)
        with self._tracer.start_as_current_span("request", above, SpanKind.SERVER) as span:
            yield span

    def begin(self, name: str, under: "Span | None" = None) -> "Span | None":
        """Begin a span under another, or under the current one; `Span.end` ends it."""
        if self._tracer is None:
            return None
        from opentelemetry.trace import set_span_in_context

        above: Context | None = set_span_in_context(under) if under is not None else None
        return self._tracer.start_span(name, above)

    def close(self) -> None:
        """Send what waits."""
        if self._provider is not None:
            self._provider.shutdown()


def can_trace() -> bool:
    """Whether the group `otel` is installed."""
    try:
        return find_spec(_EXPORTER) is not None
    except ModuleNotFoundError:
        return False


def open_traces(endpoint: str | None) -> Traces:
    """Traces to that collector (OTLP over HTTP, protobuf)."""
    if not endpoint:
        return Traces()
    if not can_trace():
        _LOG.warning("no_traces", reason="the group otel is not installed: pip install 'voiceloop[otel]'")
        return Traces()
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider(resource=Resource.create({"service.name": "voiceloop"}))
    url = endpoint.rstrip("/").removesuffix("/v1/traces") + "/v1/traces"
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=url, timeout=_PATIENCE_S)))
    return Traces(provider)
