"""What every tool returns."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class PeriodResult(BaseModel):
    """The span that was really used, as ISO times in the configured zone; None is unbounded."""

    model_config = ConfigDict(populate_by_name=True)

    from_: str | None = Field(default=None, alias="from")
    to: str | None = None


class ToolResult(BaseModel):
    """One result: what was asked, over what, on how many items, the data, the evidence, the doubts.

    `evidence` holds feedback ids. `caveats` are sentences for a person. `chart` is an ECharts option.
    Serialise with `by_alias=True`.
    """

    tool: str
    args: dict[str, Any]
    period: PeriodResult
    filters: dict[str, Any]
    n: int
    data: dict[str, Any]
    evidence: list[str] = Field(default_factory=list)
    caveats: list[str] = Field(default_factory=list)
    chart: dict[str, Any] | None = None
