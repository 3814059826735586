"""Errors as RFC 9457 problem documents: whatever a handler raises, the caller learns what to do about it.

What comes of the errors in store/errors.py, the nearest above in the tree deciding:

401 Unauthenticated   403 NotPermitted   404 NotFound   409 Conflict   412 Outdated   413 TooLarge
400 ToolInputError, InputError   429 TooMany   503 StoreLocked, Busy, ModelUnavailable   507 StoreFull
500 any other
"""

import math
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from store.errors import (
    InputError,
    ModelUnavailable,
    NotPermitted,
    Outdated,
    StoreError,
    StoreFull,
    StoreLocked,
    ToolInputError,
    VoiceLoopError,
)

MEDIA_TYPE: Final = "application/problem+json"
_LOG = structlog.get_logger()
# So many wrong fields are named at once.
_FIELDS: Final = 20


class NotFound(ToolInputError):
    """There is none of that id in the whole store. One outside the asker's scope is NotPermitted instead."""


class Conflict(ToolInputError):
    """What was asked for cannot be done as things stand now."""


class Unauthenticated(NotPermitted):
    """Nobody knows who asks."""


class TooLarge(InputError):
    """The request holds more than is taken at once."""


class TooMany(VoiceLoopError):
    """More was sent than is taken in that time; `retry_after_s` says when to send again."""

    def __init__(self, message: str, *, retry_after_s: float, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.retry_after_s = retry_after_s


class Busy(StoreError):
    """The server is doing too much else; `retry_after_s` says when to send again."""

    def __init__(self, message: str, *, retry_after_s: float = 1, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.retry_after_s = retry_after_s


_STATUS: Final[Mapping[type[VoiceLoopError], int]] = {
    Unauthenticated: 401,
    NotPermitted: 403,
    NotFound: 404,
    Conflict: 409,
    Outdated: 412,
    TooLarge: 413,
    TooMany: 429,
    ToolInputError: 400,
    InputError: 400,
    StoreLocked: 503,
    Busy: 503,
    ModelUnavailable: 503,
    StoreFull: 507,
    VoiceLoopError: 500,
}
_RETRY_AFTER_S: Final = 2
# What the limits, the stores and the reading of the request may answer on any route.
_ANY: Final = (400, 413, 422, 429, 500, 503, 507)


class FieldProblem(BaseModel):
    """One part of the request that is wrong."""

    where: str = Field(examples=["body.items.0.nps"])
    message: str = Field(examples=["Input should be less than or equal to 10"])


class Problem(BaseModel):
    """RFC 9457, and what helps a person: a hint, and the id that the server's log knows the request by."""

    type: str = Field(examples=["urn:voiceloop:problem:not-permitted"])
    title: str = Field(examples=["Forbidden"])
    status: int = Field(examples=[403])
    detail: str = Field(examples=["this needs the role manager, and yours is viewer"])
    hint: str = Field(default="", examples=["ask an administrator for a key with that role"])
    request_id: str = Field(default="", examples=["0c1f7c1e9d0a4b6f"])
    errors: list[FieldProblem] | None = Field(
        default=None, description="which fields are wrong; null unless status is 422"
    )


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route that may answer with these statuses."""
    return {
        status: {
            "description": HTTPStatus(status).phrase,
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        for status in sorted({*statuses, *_ANY})
    }


def status_of(error: VoiceLoopError) -> int:
    """The HTTP status of an error of ours."""
    return next(_STATUS[one] for one in type(error).__mro__ if one in _STATUS)


def problem_response(
    status: int,
    detail: str,
    *,
    kind: str = "",
    hint: str = "",
    request_id: str = "",
    errors: list[FieldProblem] | None = None,
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """A problem document as a response."""
    title = HTTPStatus(status).phrase
    problem = Problem(
        type=f"urn:voiceloop:problem:{kind or title.lower().replace(' ', '-')}",
        title=title,
        status=status,
        detail=detail,
        hint=hint,
        request_id=request_id,
        errors=errors,
    )
    document = problem.model_dump(exclude={"errors"} if errors is None else None)
    return JSONResponse(document, status, headers=headers, media_type=MEDIA_TYPE)


def response_of(error: VoiceLoopError, request_id: str = "") -> JSONResponse:
    """What a caller is told of an error of ours; of one on our side no more than that it happened."""
    status = status_of(error)
    headers = {}
    if status in (429, 503):
        headers["Retry-After"] = str(max(1, math.ceil(getattr(error, "retry_after_s", _RETRY_AFTER_S))))
    if status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="voiceloop"'
    if status == 500:
        return internal_error(request_id)
    kind = "".join(f"-{c.lower()}" if c.isupper() else c for c in _kind(error)).lstrip("-")
    return problem_response(
        status, error.message, kind=kind, hint=error.hint, request_id=request_id, headers=headers
    )


def internal_error(request_id: str) -> JSONResponse:
    """The problem of an error that is ours to mend."""
    return problem_response(
        500,
        "the server failed to answer this request",
        hint="give your administrator the request id: the server's log says what happened",
        request_id=request_id,
    )


def request_id_of(request: Request) -> str:
    """The id that the request has been given."""
    return str(getattr(request.state, "request_id", ""))


def handle_problems(api: FastAPI) -> None:
    """Make every error of this application a problem document."""
    api.add_exception_handler(VoiceLoopError, _ours)
    api.add_exception_handler(RequestValidationError, _invalid)
    api.add_exception_handler(HTTPException, _http)


async def _ours(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, VoiceLoopError)
    request_id = request_id_of(request)
    if status_of(error) >= 500:
        _LOG.error("request_failed", request_id=request_id, kind=error.kind, reason=error.message)
    return response_of(error, request_id)


async def _invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    wrong = [
        FieldProblem(where=".".join(str(part) for part in one["loc"]), message=one["msg"])
        for one in error.errors()[:_FIELDS]
    ]
    named = "; ".join(f"{one.where}: {one.message}" for one in wrong[:3])
    request_id = request_id_of(request)
    return problem_response(
        422, f"the request is not valid: {named}", kind="invalid", request_id=request_id, errors=wrong
    )


async def _http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    return problem_response(
        error.status_code, str(error.detail), request_id=request_id_of(request), headers=error.headers
    )


def _kind(error: VoiceLoopError) -> str:
    return next(one.__name__ for one in type(error).__mro__ if one in _STATUS)
