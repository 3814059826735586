"""One customer: all that is known of them within the caller's scope."""

from typing import Annotated

from fastapi import APIRouter, Path, Query

from server.api_access import CallerNow
from server.api_audit import record
from server.api_problems import problems
from server.api_state import StateNow
from server.tool_calls import call_tool, not_found
from tools.refusals import Refusal
from tools.results import ToolResult

router = APIRouter(prefix="/v1/customers", tags=["customers"])


@router.get(
    "/{customer_id}",
    operation_id="get_customer",
    summary="Show one customer",
    response_model_by_alias=True,
    responses=problems(400, 401, 403, 404, 503),
)
def get_customer(
    customer_id: Annotated[str, Path(min_length=1, max_length=200, examples=["c001"])],
    caller: CallerNow,
    state: StateNow,
    limit: Annotated[int, Query(ge=1, le=50, description="how many of the last conversations")] = 3,
) -> ToolResult:
    """Profile, scores, conversations, concerns, risk with its parts, behaviour, outcomes and tasks.

    To a caller with a scope, one of another unit and one that there is none of are the same: not permitted.
    """
    try:
        result = call_tool(state, caller, "customer_360", {"customer_id": customer_id, "limit": limit})
    except Refusal as refused:
        raise not_found(refused) from refused
    record(state, caller, "customer.read", customer_id)
    return result
