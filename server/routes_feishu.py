"""What Feishu sends: messages and presses of cards. Feishu signs and encrypts; no key of ours is needed."""

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from server.api_problems import NotFound, problems
from server.api_state import StateNow

router = APIRouter(prefix="/feishu", tags=["feishu"])


class Taken(BaseModel):
    """Empty, or the challenge by which Feishu checks the address."""

    challenge: str | None = Field(default=None, examples=["ajls384kdjx98XX"])


@router.post(
    "/events",
    operation_id="feishu_events",
    summary="Take an event from Feishu",
    response_model=Taken,
    response_model_exclude_none=True,
    responses=problems(400, 401, 404),
)
async def feishu_events(request: Request, state: StateNow) -> Taken:
    """It is kept before it is acknowledged, and dealt with in the background."""
    service = state.feishu
    if service is None:
        raise NotFound("Feishu is not set up here", hint="docs/feishu.md says how")
    event = service.seal.opened(await request.body(), request.headers)
    if event.get("type") == "url_verification":
        return Taken(challenge=str(event.get("challenge", "")))
    await service.take(event)
    return Taken()
