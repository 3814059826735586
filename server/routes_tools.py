"""The typed tools, called directly: what the agent calls, with the same roles, scope and approvals."""

from typing import Annotated, Any

from fastapi import APIRouter, Body, Path
from pydantic import BaseModel, Field

from server.api_access import CallerNow
from server.api_problems import problems
from server.api_state import StateNow
from server.tool_calls import call_tool, tool_of
from store.keys import Role
from tools.catalogue import ALL_TOOLS
from tools.registry import RANK
from tools.results import ToolResult

router = APIRouter(prefix="/v1/tools", tags=["tools"])


class Tool(BaseModel):
    """A tool as a program needs to know it."""

    name: str = Field(examples=["nps_stats"])
    description: str
    acts: bool = Field(description="whether it drafts something, which then awaits approval")
    role: Role = Field(description="the lowest role that may call it")
    permitted: bool = Field(description="whether the key that asks may call it")
    parameters: dict[str, Any] = Field(description="JSON schema of its arguments")


class Tools(BaseModel):
    """Every tool."""

    tools: list[Tool]


@router.get("", operation_id="list_tools", summary="List the tools", responses=problems(401, 403))
def list_tools(caller: CallerNow) -> Tools:
    """Name, purpose and the JSON schema of the arguments of each."""
    rank = RANK[caller.asker.role]
    return Tools(
        tools=[
            Tool(
                name=spec.name,
                description=spec.description,
                acts=spec.acts,
                role=spec.role,
                permitted=rank >= RANK[spec.role],
                parameters=spec.arguments.model_json_schema(by_alias=True),
            )
            for spec in ALL_TOOLS
        ]
    )


@router.post(
    "/{name}",
    operation_id="call_tool",
    summary="Call a tool",
    responses=problems(400, 401, 403, 404, 503),
)
def post_tool(
    name: Annotated[str, Path(min_length=1, max_length=60, examples=["nps_stats"])],
    args: Annotated[
        dict[str, Any],
        Body(
            description="the arguments; `GET /v1/tools` gives their schema",
            openapi_examples={
                "nps": {
                    "summary": "NPS by region",
                    "value": {"period": "last 30 days", "group_by": ["region"]},
                },
                "none": {"summary": "everything", "value": {}},
            },
        ),
    ],
    caller: CallerNow,
    state: StateNow,
) -> ToolResult:
    """One call. A tool that acts only drafts: what it drafted awaits approval like any other draft."""
    return call_tool(state, caller, tool_of(name).name, args)
