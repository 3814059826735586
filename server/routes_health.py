"""Whether the server lives and whether it can do its work."""

from fastapi import APIRouter
from pydantic import BaseModel, Field

router = APIRouter(tags=["operation"])


class Alive(BaseModel):
    """The process answers."""

    status: str = Field(examples=["alive"])


@router.get("/healthz", operation_id="healthz", summary="Whether the process answers")
def healthz() -> Alive:
    """Says nothing about stores or endpoints: `/readyz` does."""
    return Alive(status="alive")
