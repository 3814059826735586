"""What every request passes through first: an id, a line in the log, and a problem for whatever fails."""

import re
import secrets
import time
from typing import Final

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server.api_logs import causes, places
from server.api_metrics import Metrics
from server.api_problems import internal_error
from server.api_traces import Traces
from server.api_watch import Watch, watching

_LOG = structlog.get_logger()
# No page elsewhere may frame ours, guess a type, or learn where a link was followed.
_SAFE: Final = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
}
_GIVEN: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")


class Requests:
    """Middleware. Takes `X-Request-ID` where it is harmless, else makes one, and sends it back."""

    def __init__(self, app: ASGIApp, *, metrics: Metrics, traces: Traces) -> None:
        self._app = app
        self._metrics = metrics
        self._traces = traces
        self._watch = Watch(metrics, traces)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        given = headers.get("x-request-id", "")
        request_id = given if _GIVEN.fullmatch(given) else secrets.token_hex(8)
        scope.setdefault("state", {})["request_id"] = request_id
        started = time.monotonic()
        status = 0
        self._metrics.in_flight.inc()

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = int(message["status"])
                headers = MutableHeaders(scope=message)
                headers["X-Request-ID"] = request_id
                for name, value in _SAFE.items():
                    headers.setdefault(name, value)
                if scope["path"].startswith("/v1/"):
                    # Nothing of customers stays in a browser or a proxy.
                    headers.setdefault("Cache-Control", "no-store")
            await send(message)

        watched = watching.set(self._watch)
        with (
            structlog.contextvars.bound_contextvars(request_id=request_id),
            self._traces.request(headers) as span,
        ):
            try:
                await self._app(scope, receive, answer)
            except Exception as error:
                _LOG.error("request_failed", error=causes(error), at=places(error.__traceback__))
                if not status:
                    await internal_error(request_id)(scope, receive, answer)
                else:
                    # Half an answer must not look like a whole one: the connection is cut.
                    raise
            finally:
                watching.reset(watched)
                self._metrics.in_flight.dec()
                elapsed_s = time.monotonic() - started
                self._metrics.answered(scope["method"], route_of(scope), status, elapsed_s)
                if span is not None:
                    span.update_name(f"{scope['method']} {route_of(scope)}")
                    span.set_attributes({"http.response.status_code": status, "http.route": route_of(scope)})
                _LOG.info(
                    "request",
                    method=scope["method"],
                    route=route_of(scope),
                    status=status,
                    elapsed_ms=round(elapsed_s * 1000),
                )


def route_of(scope: Scope) -> str:
    """The template of the route served, e.g. `/v1/tasks/{task_id}`: paths themselves may hold customers."""
    path = getattr(scope.get("route"), "path", None)
    if path is not None:
        return str(path)
    # An application mounted here, such as /mcp, has routes of its own.
    mount = scope.get("root_path", "").removeprefix(scope.get("app_root_path", ""))
    return f"{mount}/*" if mount else "unknown"
