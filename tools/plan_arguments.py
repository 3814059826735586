"""What a plan is asked for with."""

from typing import Annotated

from pydantic import Field

from tools.arguments import Filters
from tools.causes import RootCauseArguments


class ActionPlanArguments(RootCauseArguments):
    """What the plan is to solve; as in root_cause."""

    problem: Annotated[
        str, Field(max_length=300, description="the problem in words; default: the metric and the period")
    ] = ""
    conditions: Annotated[
        Filters,
        Field(description="conditions of one cause that root_cause found; default: the first cause found"),
    ] = Field(default_factory=dict)
    limit: Annotated[int, Field(ge=1, le=10, description="how many measures")] = 5
