"""Requests made up from the OpenAPI document, sound ones and broken ones, to a real server.

No answer is a server error, and none has a status, a type or a shape that the document does not tell of. A few
requests a route here; `make test-api` sends many.
"""

import os
from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from agent.wiring import App
from server.api import create_api
from tests.agent_home import make_home, open_home
from tests.serving import serve_api
from tests.test_server_roles import ROUTES

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])

EXAMPLES: Final = int(os.environ.get("VOICELOOP_TEST_API_EXAMPLES", "3"))
CHECKS: Final[list[Any]] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


class Target(NamedTuple):
    """A server with its document, and the headers of an administrator's key."""

    schema: Any
    address: str
    headers: dict[str, str]


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    with open_home(make_home(tmp_path_factory.mktemp("schema")), rate_per_s=0) as app:
        yield app


@pytest.fixture(scope="module")
def target(app: App) -> Iterator[Target]:
    key = app.keys.create(name="tester", role="admin", scope=(), created_by="test")
    schema = schemathesis.openapi.from_dict(create_api(app).openapi())
    with serve_api(app) as address:
        yield Target(schema, address, {"Authorization": f"Bearer {key.token}"})


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
@pytest.mark.parametrize("operation_id", sorted(ROUTES))
def test_answers_are_as_the_document_says(target: Target, operation_id: str, mode: GenerationMode) -> None:
    operation = target.schema.find_operation_by_id(operation_id)
    check: Callable[[Any], None] = lambda case: send(case, target)  # noqa: E731 - given wants a function
    strategy = operation.as_strategy(generation_mode=mode)
    bounded = settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=EXAMPLES <= 10,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    try:
        wanted: Any = given(strategy)
        bounded(wanted(check))()
    except Unsatisfiable:
        # A route that takes nothing cannot be asked wrongly.
        assert mode is GenerationMode.NEGATIVE and not takes_anything(operation)


def takes_anything(operation: Any) -> bool:
    return bool([*operation.query, *operation.path_parameters, *operation.headers, *operation.body])


def send(case: Any, target: Target) -> None:
    response = case.call(base_url=target.address, headers=target.headers, timeout=60)
    case.validate_response(response, checks=CHECKS, headers=target.headers)
