"""The high-risk pool: who is in it, why, since when, and who cares for them."""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field

from retention.pool_changes import give_to_carer, put_in_pool, take_out_of_pool
from server.api_access import Caller, CallerNow, needs
from server.api_audit import record
from server.api_pages import Cursor, Limit, page
from server.api_problems import problems
from server.api_state import ServerState, StateNow
from store.errors import ToolInputError
from store.pool import PoolEnding, PoolEntry
from tools.pool_view import pool_row

router = APIRouter(prefix="/v1/pool", tags=["tasks"])
CustomerId = Annotated[str, Path(min_length=1, max_length=200, examples=["c001"])]


class Reason(BaseModel):
    """Why a customer is in the pool; `text` says it in words, `at` is since when."""

    kind: Literal["alert", "low_score", "manual"]
    name: str = Field(examples=["nps"])
    value: float | None
    subject: str = Field(description="the alert, or the feedback")
    at: datetime
    text: str = Field(examples=["2026-11-20 NPS 只给了 4 分"])


class Stay(BaseModel):
    """One stay; an empty `carer`: nobody of the care team has room yet."""

    customer_id: str
    entered_at: datetime
    days: int
    carer: str = Field(examples=["客户关怀小组"])
    reasons: list[Reason]
    left_at: datetime | None
    left_because: PoolEnding | None


class Pool(BaseModel):
    """Longest first; `without_carer` counts whom nobody cares for, over all that the caller may see."""

    pool: list[Stay]
    customers: int
    without_carer: int
    next_cursor: str | None


class PoolBody(BaseModel):
    """Put a customer in (`why`), or give one who is in to another of the care team (`carer`)."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"why": "老客户，续约前两周没有动静"}]}
    )

    why: Annotated[str, Field(min_length=1, max_length=500)] | None = None
    carer: Annotated[str, Field(min_length=1, max_length=100)] | None = None


@router.get(
    "", operation_id="list_pool", summary="The high-risk pool", responses=problems(400, 401, 403, 503)
)
def list_pool(
    caller: CallerNow,
    state: StateNow,
    carer: Annotated[str | None, Query(max_length=100, description="only whom this person cares for")] = None,
    past: Annotated[bool, Query(description="earlier stays too")] = False,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Pool:
    """Who scored low or has a red alert, why, since when, and who of the care team cares for them."""
    every = state.app.context(caller.asker).operations.pool(past=past)
    found, following = page([one for one in every if carer in (None, one.carer)], limit, cursor)
    standing = [one for one in every if one.left_at is None]
    record(state, caller, "pool.list", "pool", n=len(found))
    return Pool(
        pool=[_stay(one, caller, state) for one in found],
        customers=len(standing),
        without_carer=sum(not one.carer for one in standing),
        next_cursor=following,
    )


@router.put(
    "/{customer_id}",
    operation_id="put_in_pool",
    summary="Put in the pool, or give to a carer",
    dependencies=[needs("analyst")],
    responses=problems(400, 401, 403, 503),
)
def put_customer(customer_id: CustomerId, body: PoolBody, caller: CallerNow, state: StateNow) -> Stay:
    """By a person's judgement; the same again changes nothing. Who cares for a customer a manager decides."""
    app, asker = state.app, caller.asker
    operations = app.operations_of(asker)
    who: dict[str, Any] = {"actor": asker.user, "role": asker.role}
    if body.why is None and body.carer is None:
        raise ToolInputError(
            "nothing is to change", hint="say why the customer belongs in the pool, or carer"
        )
    if body.why is not None:
        put_in_pool(operations, customer_id, body.why, now=app.clock.now(), **who)
        app.pool_scan.run()
    if body.carer is not None:
        team = app.policy_book.live().pool.team.members
        give_to_carer(operations, customer_id, body.carer, team=team, **who)
    [entry] = operations.pool(customer_id=customer_id)
    return _stay(entry, caller, state)


@router.delete(
    "/{customer_id}",
    operation_id="take_out_of_pool",
    summary="Take out of the pool",
    dependencies=[needs("manager")],
    responses=problems(400, 401, 403, 503),
)
def take_customer_out(customer_id: CustomerId, caller: CallerNow, state: StateNow) -> Stay:
    """The stay is kept; what it rested on puts the customer in no more."""
    app, asker = state.app, caller.asker
    entry = take_out_of_pool(
        app.operations_of(asker), customer_id, actor=asker.user, role=asker.role, now=app.clock.now()
    )
    return _stay(entry, caller, state)


def _stay(entry: PoolEntry, caller: Caller, state: ServerState) -> Stay:
    return Stay.model_validate(pool_row(entry, caller.language, state.app.context(caller.asker)))
