"""Arguments that many tools share. Descriptions are written for the model; schemas are derived."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Language = Literal["zh", "en"]


class PeriodArg(BaseModel):
    """A half-open span, `from` included and `to` excluded, as dates or times in the configured zone."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    from_: Annotated[str | None, Field(alias="from", description="first day or time, e.g. 2026-10-01")] = None
    to: Annotated[str | None, Field(description="first day or time after the period, e.g. 2026-11-01")] = None


Period = Annotated[
    PeriodArg | str | None,
    Field(description='{"from": ..., "to": ...} (half-open) or a phrase: "last 30 days", "上周", "Q3"'),
]
Filters = Annotated[
    dict[str, str | int | float | list[str | int | float | None] | None],
    Field(description='dimension to value or values, e.g. {"region": "广东", "channel": ["chat", "call"]}'),
]


class Arguments(BaseModel):
    """Base of all tool arguments: an unknown argument is an error."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)


class SelectionArguments(Arguments):
    """Which feedback is meant."""

    period: Period = None
    filters: Filters = Field(default_factory=dict)
    exclude: Annotated[Filters, Field(description="like filters, but left out")] = Field(default_factory=dict)
    language: Annotated[Language, Field(description="language of labels and caveats in the result")] = "zh"
