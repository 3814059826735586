"""Themes: what the feedback is about."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, Field

from server.api_access import CallerNow
from server.api_pages import Cursor, cursor_at, offset_of
from server.api_problems import problems
from server.api_selection import SelectionNow
from server.api_state import StateNow
from server.tool_calls import call_tool, not_found
from tools.refusals import Refusal
from tools.results import PeriodResult, ToolResult

router = APIRouter(prefix="/v1/themes", tags=["themes"])

# The tool lists no more.
_MOST = 100


class ThemesPage(BaseModel):
    """Themes in the order asked for, as `list_themes` gives them."""

    themes: list[dict[str, Any]] = Field(
        examples=[[{"theme_id": "t-1", "label": "物流太慢", "size": 120, "share": 0.08, "trend": "rising"}]]
    )
    next_cursor: str | None
    total: int = Field(description="how many themes the selection has; the first 100 are listed")
    n: int = Field(description="items of the selection")
    period: PeriodResult
    filters: dict[str, Any]
    areas: list[dict[str, Any]]
    faded: list[dict[str, Any]]
    caveats: list[str]


@router.get(
    "",
    operation_id="list_themes",
    summary="List themes",
    response_model_by_alias=True,
    responses=problems(400, 401, 403, 503),
)
def list_themes(
    caller: CallerNow,
    state: StateNow,
    selected: SelectionNow,
    sort: Annotated[
        Literal["size", "heat", "negative_share", "rising"], Query(description="which come first")
    ] = "size",
    limit: Annotated[int, Query(ge=1, le=_MOST, description="how many at most")] = 20,
    cursor: Cursor = None,
) -> ThemesPage:
    """With size, share, mood, heat, trend and exemplars, within a period and filters."""
    first = min(offset_of(cursor), _MOST)
    asked = max(1, min(first + limit, _MOST))
    result = call_tool(state, caller, "list_themes", {**selected, "sort": sort, "limit": asked})
    data = result.data
    more = len(data["themes"]) == asked < min(data["total_themes"], _MOST)
    return ThemesPage(
        themes=data["themes"][first:],
        next_cursor=cursor_at(asked) if more else None,
        total=data["total_themes"],
        n=result.n,
        period=result.period,
        filters=result.filters,
        areas=data["areas"],
        faded=data["faded"],
        caveats=result.caveats,
    )


@router.get(
    "/{theme}",
    operation_id="get_theme",
    summary="Show one theme",
    response_model_by_alias=True,
    responses=problems(400, 401, 403, 404, 503),
)
def get_theme(
    theme: Annotated[str, Path(min_length=1, max_length=200, description="its id or its label")],
    caller: CallerNow,
    state: StateNow,
    selected: SelectionNow,
    limit: Annotated[int, Query(ge=1, le=50, description="how many examples")] = 5,
) -> ToolResult:
    """In depth: words, size, mood, trend, where and by whom it is raised, examples; see `theme_detail`."""
    try:
        return call_tool(state, caller, "theme_detail", {**selected, "theme": theme, "limit": limit})
    except Refusal as refused:
        raise not_found(refused) from refused
