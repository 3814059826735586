"""What feedback can be filtered and split by in this data, and which numbers it carries."""

from typing import Final

from fastapi import APIRouter
from pydantic import BaseModel, Field

from server.api_access import CallerNow
from server.api_problems import problems
from server.api_state import StateNow
from tools.dimensions import dimension_title, known_dimensions
from tools.groups import Namer

router = APIRouter(prefix="/v1/dimensions", tags=["tools"])

_VALUES: Final = 50


class KnownValue(BaseModel):
    """One value of a dimension."""

    value: str = Field(examples=["existing"])
    label: str = Field(description="in the caller's language", examples=["老客户"])
    n: int = Field(description="items that have it")


class KnownDimension(BaseModel):
    """One dimension by its name in filters and `group_by`."""

    name: str = Field(examples=["region"])
    label: str = Field(description="in the caller's language", examples=["地区"])
    distinct: int | None = Field(description="how many values it has; None for dimensions of time")
    values: list[KnownValue] = Field(description=f"the {_VALUES} commonest")


class Dimensions(BaseModel):
    """All dimensions and metrics of the data that the caller may see."""

    dimensions: list[KnownDimension]
    metrics: list[str] = Field(examples=[["nps", "csat"]])


@router.get(
    "",
    operation_id="list_dimensions",
    summary="List dimensions and metrics",
    responses=problems(401, 403, 503),
)
def list_dimensions(caller: CallerNow, state: StateNow) -> Dimensions:
    """Names as the tools take them; `metric_stats` grouped by one of them gives its values."""
    context = state.app.context(caller.asker)
    catalogue = context.facts.catalogue()
    known, namer = catalogue.dimensions, Namer(context, caller.language)
    return Dimensions(
        dimensions=[
            KnownDimension(
                name=name,
                label=dimension_title(name, caller.language),
                distinct=known[name].distinct if name in known else None,
                values=[
                    KnownValue(value=value, label=namer.row((name,), (value,))["label"], n=n)
                    for value, n in (known[name].values[:_VALUES] if name in known else ())
                ],
            )
            for name in known_dimensions(catalogue)
        ],
        metrics=list(catalogue.metrics),
    )
