"""Which feedback a request is about: a period and filters from the query, as the tools take them."""

from typing import Annotated, Any

from fastapi import Depends, Query

from store.errors import ToolInputError


def selection(
    period: Annotated[
        str | None,
        Query(max_length=100, description='a phrase: "last 30 days", "上周"', examples=["last 30 days"]),
    ] = None,
    from_: Annotated[
        str | None,
        Query(alias="from", max_length=40, description="first day, or time", examples=["2026-10-01"]),
    ] = None,
    to: Annotated[
        str | None,
        Query(max_length=40, description="first day or time after the period", examples=["2026-11-01"]),
    ] = None,
    given: Annotated[
        list[str],
        Query(
            alias="filter",
            max_length=20,
            description="`dimension=value`, repeatable: several values of a dimension are alternatives",
            examples=[["region=广东"]],
        ),
    ] = [],  # noqa: B006 - FastAPI copies it
) -> dict[str, Any]:
    """The arguments `period` and `filters` of a tool. Raises ToolInputError for what is neither."""
    if period and (from_ or to):
        raise ToolInputError("the period is given twice", hint="either period, or from and to")
    filters = filters_of(given)
    span = {"from": from_, "to": to} if from_ or to else period or None
    return {"period": span, "filters": filters}


def filters_of(given: list[str]) -> dict[str, list[str]]:
    """`dimension=value`, several values of a dimension as alternatives. ToolInputError for what is not so."""
    filters: dict[str, list[str]] = {}
    for one in given:
        name, sign, value = one.partition("=")
        if not (name.strip() and sign and value):
            raise ToolInputError(
                f"filter {one[:80]!r} is not dimension=value", hint="e.g. filter=region=广东"
            )
        filters.setdefault(name.strip(), []).append(value)
    return filters


SelectionNow = Annotated[dict[str, Any], Depends(selection)]
