"""What Slack sends: events, commands, buttons and forms. Slack signs; no key of ours is needed."""

from typing import Any, Final

from fastapi import APIRouter, Request, Response

from server.api_problems import NotFound, problems
from server.api_state import StateNow
from store.errors import InputError

router = APIRouter(prefix="/slack", tags=["slack"])

_ANSWERS: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "taken; it is dealt with in the background",
        "content": {"text/plain": {"schema": {"type": "string"}, "example": ""}},
    },
    401: {
        "description": "the signature is missing, wrong, or older than five minutes",
        "content": {
            "application/json": {"schema": {"type": "object"}, "example": {"error": "invalid request"}}
        },
    },
}


async def _taken(request: Request, state: StateNow) -> Response:
    """Hand a request to bolt, which checks the signature over the very bytes that came."""
    from slack_bolt.adapter.starlette.async_handler import AsyncSlackRequestHandler

    service = state.slack
    if service is None or not service.takes_requests:
        raise NotFound("Slack is not set up here", hint="docs/slack.md says how")
    try:
        (await request.body()).decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError("the request is not UTF-8") from error
    return await AsyncSlackRequestHandler(service.bolt).handle(request)


for _path, _what in (
    ("events", "Take an event"),
    ("commands", "Take a slash command"),
    ("interactions", "Take a button or a form"),
):
    router.post(
        f"/{_path}",
        operation_id=f"slack_{_path}",
        summary=f"{_what} from Slack",
        response_class=Response,
        responses={**_ANSWERS, **problems(400, 404)},
    )(_taken)
