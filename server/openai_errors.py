"""Errors in the shape that OpenAI's clients know, for the routes that speak their protocol."""

from collections.abc import Callable, Coroutine
from typing import Any, Final

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from server.api_problems import Problem, request_id_of, response_of
from store.errors import VoiceLoopError

_TYPES: Final = {
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    409: "conflict_error",
    429: "rate_limit_error",
    503: "overloaded_error",
}


_KEPT: Final = ("retry-after", "www-authenticate")


class OpenAIErrorBody(BaseModel):
    """What went wrong."""

    message: str
    type: str = Field(examples=["invalid_request_error"])
    param: str | None = None
    code: str | None = None


class OpenAIError(BaseModel):
    """An error document of the OpenAI protocol."""

    error: OpenAIErrorBody


class OpenAIRoute(APIRoute):
    """A route whose errors are OpenAI's, whoever raises them."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler with its errors told in that shape."""
        handle = super().get_route_handler()

        async def told(request: Request) -> Response:
            try:
                return await handle(request)
            except VoiceLoopError as error:
                return error_response(error, request_id_of(request))
            except RequestValidationError as error:
                return _invalid(error)
            except HTTPException as error:  # a body that cannot be read at all
                return JSONResponse(_document(error.status_code, error.detail), error.status_code)

        return told


def error_response(error: VoiceLoopError, request_id: str = "") -> JSONResponse:
    """The same status and words as a problem document, in the other shape."""
    told = response_of(error, request_id)
    headers = {
        name: told.headers[name] for name in ("retry-after", "www-authenticate") if name in told.headers
    }
    document = told_error(Problem.model_validate_json(bytes(told.body)))
    return JSONResponse(document, told.status_code, headers=headers)


def told_error(problem: Problem) -> dict[str, Any]:
    """A problem as an error document, which is also how a stream ends that fails."""
    message = f"{problem.detail} {problem.hint}".strip()
    return _document(problem.status, message, code=problem.type.rpartition(":")[2])


def _invalid(error: RequestValidationError) -> JSONResponse:
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"][1:])
    return JSONResponse(_document(400, f"{where}: {first['msg']}".lstrip(": "), param=where or None), 400)


def _document(
    status: int, message: str, *, param: str | None = None, code: str | None = None
) -> dict[str, Any]:
    server = "server_error" if status >= 500 else "invalid_request_error"
    body = OpenAIErrorBody(message=message, type=_TYPES.get(status, server), param=param, code=code)
    return OpenAIError(error=body).model_dump()
