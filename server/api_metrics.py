"""What Prometheus is told: counts and times by route template, tool and model; no key, person or text."""

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.gc_collector import GCCollector
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_FAST: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_SLOW: Final = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120)


class Metrics:
    """The series of one server, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        for collect in (ProcessCollector, PlatformCollector, GCCollector):
            collect(registry=self.registry)
        self.requests = Counter(
            "voiceloop_http_requests_total",
            "Requests answered",
            ("method", "route", "status"),
            registry=self.registry,
        )
        self.seconds = Histogram(
            "voiceloop_http_request_seconds",
            "From the request to the end of its answer",
            ("method", "route"),
            buckets=_FAST,
            registry=self.registry,
        )
        self.in_flight = Gauge(
            "voiceloop_http_requests_in_flight", "Requests that are being answered", registry=self.registry
        )
        self.tools = Histogram(
            "voiceloop_tool_seconds",
            "Calls of tools by the agent",
            ("tool", "outcome"),
            buckets=_FAST,
            registry=self.registry,
        )
        self.models = Histogram(
            "voiceloop_model_seconds",
            "Calls of the model, the offline planner included",
            ("driver", "outcome"),
            buckets=_SLOW,
            registry=self.registry,
        )
        self.tokens = Counter(
            "voiceloop_model_tokens_total",
            "Tokens by the model's own count",
            ("kind",),
            registry=self.registry,
        )
        self.audit_waiting = Gauge(
            "voiceloop_audit_waiting", "Audit entries that are not on the disk yet", registry=self.registry
        )
        self.ingest_waiting = Gauge(
            "voiceloop_ingest_waiting",
            "Items of requests that are not on the disk yet",
            registry=self.registry,
        )
        self.ingest_lag = Gauge(
            "voiceloop_ingest_lag_seconds",
            "For how long stored texts have waited to be embedded",
            registry=self.registry,
        )

    def answered(self, method: str, route: str, status: int, elapsed_s: float) -> None:
        """Count one request."""
        verb = method if method in _METHODS else "other"
        self.requests.labels(verb, route, str(status)).inc()
        self.seconds.labels(verb, route).observe(elapsed_s)
