"""A question followed through model and tools: metrics, and spans at a collector's wire."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.agent_home import QUESTION, make_home, open_home
from tests.serving import serve_api

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])


@contextmanager
def collector() -> Iterator[tuple[str, list[Span]]]:
    """An OTLP collector that keeps what it is sent."""
    spans: list[Span] = []

    class Take(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                import gzip

                body = gzip.decompress(body)
            assert self.path == "/v1/traces"
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                for scope in resource.scope_spans:
                    spans.extend(scope.spans)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Take)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", spans
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


def test_a_question_is_followed_through_model_and_tools(tmp_path: Path) -> None:
    home = make_home(tmp_path)
    above = "0af7651916cd43dd8448eb211c80319c"
    with (
        collector() as (endpoint, spans),
        open_home(home, otlp_endpoint=endpoint) as app,
        serve_api(app) as url,
    ):
        response = httpx.post(
            f"{url}/v1/chat",
            json={"message": QUESTION},
            headers={"traceparent": f"00-{above}-b7ad6b7169203331-01", "Accept": "application/json"},
            timeout=60,
        )
        assert response.status_code == 200, response.text
        assert httpx.post(f"{url}/v1/tools/nps_stats", json={}).status_code == 200
        assert httpx.post(f"{url}/v1/tools/nps_stats", json={"limit": "x"}).status_code == 400
        told = httpx.get(f"{url}/metrics").text
    by_name = {span.name: span for span in spans if span.trace_id.hex() == above}
    request, turn = by_name["POST /v1/chat"], by_name["turn"]
    model, tool = by_name["model planner"], by_name["tool nps_stats"]
    assert request.parent_span_id.hex() == "b7ad6b7169203331"
    assert turn.parent_span_id == request.span_id
    assert model.parent_span_id == tool.parent_span_id == turn.span_id
    assert QUESTION not in str(spans)
    assert 'voiceloop_tool_seconds_count{outcome="success",tool="nps_stats"} 2.0' in told
    assert 'voiceloop_tool_seconds_count{outcome="error",tool="nps_stats"} 1.0' in told
    assert 'voiceloop_http_requests_total{method="POST",route="/v1/chat",status="200"} 1.0' in told
    assert QUESTION not in told
