"""Feedback over the API: items in, each with its outcome; items out, with their labels; labels put right."""

import asyncio
import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import Future
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Header, Path, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from pipeline.items import FeedbackItem, drafts_of
from pipeline.label_corrections import correct_label
from pipeline.rows import Draft
from server.api_access import Caller, CallerNow, needs
from server.api_audit import record
from server.api_pages import Cursor, Limit, cursor_at, offset_of
from server.api_problems import Busy, NotFound, problems
from server.api_selection import SelectionNow
from server.api_state import ServerState, StateNow
from server.ingest_promises import Outcome, Outcomes, Promise
from store.errors import NotPermitted
from store.facts import Find, Selection
from store.human_labels import LabelField
from store.records import Feedback, LabelledFeedback, Labels
from store.units import within
from tools.arguments import SelectionArguments
from tools.selection import choose

router = APIRouter(prefix="/v1/feedback", tags=["feedback"])
MOST_ITEMS: Final = 5_000
# How long a request waits for the disk before it is told that it may be stored later.
_PATIENCE_S: Final = 120.0
_ANYONE: Final = {"speaker": ("customer", "agent", None)}
_IN_CONVERSATION: Final = 200
_Id = Annotated[str, Path(min_length=1, max_length=128, examples=["s-1"])]


class FeedbackIn(BaseModel):
    """Items to store, each a FeedbackItem; one that is wrong is rejected alone."""

    model_config = ConfigDict(extra="forbid")

    items: Annotated[
        list[dict[str, Any]],
        Field(
            min_length=1,
            max_length=MOST_ITEMS,
            description="each a FeedbackItem (see its schema); a wrong one alone is rejected, with why",
            examples=[FeedbackItem.model_config["json_schema_extra"]["examples"]],
        ),
    ]


class ItemOutcome(BaseModel):
    """What became of one item, in the order of the request."""

    status: Outcome
    feedback_id: str | None = Field(default=None, examples=["s-1"])
    reason: str = Field(default="", examples=["nps: Input should be less than or equal to 10"])


class FeedbackStored(BaseModel):
    """The account: the three add up to `read`."""

    read: int
    stored: int
    duplicates: int
    rejected: int
    items: list[ItemOutcome]


class FeedbackView(BaseModel):
    """An item as it is stored: masked, with its labels and theme."""

    feedback: Feedback
    labels: Labels | None
    theme_id: str | None
    nearly_repeats_another: bool


class FeedbackPage(BaseModel):
    """Items in the order asked for."""

    items: list[FeedbackView]
    total: int | None = Field(description="items of the selection; null with `q`")
    next_cursor: str | None = None


class FeedbackDetail(FeedbackView):
    """An item with the conversation it is part of, oldest turn first."""

    conversation: list[FeedbackView]


class LabelCorrection(BaseModel):
    """What a label should be; several topics or risks are parted by |."""

    model_config = ConfigDict(extra="forbid")

    field: LabelField = Field(examples=["sentiment"])
    value: str = Field(min_length=1, max_length=500, examples=["negative"])


class LabelCorrected(BaseModel):
    """The label before and after, and how many items carry the text."""

    feedback_id: str
    field: str
    before: str
    after: str
    items: int
    labels: Labels


@router.post(
    "",
    operation_id="add_feedback",
    summary="Store feedback",
    responses=problems(401, 403, 409, 429, 503, 507),
    dependencies=[needs("analyst")],
)
async def add_feedback(
    caller: CallerNow,
    state: StateNow,
    body: FeedbackIn,
    idempotency_key: Annotated[
        str | None, Header(min_length=1, max_length=200, description="the same key gets the same answer")
    ] = None,
) -> FeedbackStored:
    """Cleaned, masked, labelled and on the disk when it is answered; embedded and in themes a little later.

    429 with Retry-After means that nothing of the request was stored. The same item again is a duplicate, so
    a request that was not answered may be sent again whole; with an Idempotency-Key (kept for two days) it is
    then answered as it would have been the first time.
    """
    read, answer = await run_in_threadpool(_queued, caller, state, body.items, idempotency_key)
    try:
        # Nobody waits in a thread: those are few, and many may wait for one commit.
        outcomes = await asyncio.wait_for(asyncio.shield(asyncio.wrap_future(answer)), _PATIENCE_S)
    except TimeoutError:
        raise Busy(
            f"the items are not on the disk after {_PATIENCE_S:g} seconds",
            retry_after_s=_PATIENCE_S,
            hint="they may be stored yet: send the same request again, nothing is stored twice",
        ) from None
    return await run_in_threadpool(_answered, caller, state, read, outcomes)


def _queued(
    caller: Caller, state: ServerState, items: list[dict[str, Any]], key: str | None
) -> tuple[list[Draft | str], Future[Outcomes]]:
    app = state.app
    read = [_permitted(one, caller) for one in drafts_of(items, zone=app.settings.zone, now=app.clock.now())]
    promise = None
    if key is not None:
        owner = f"feedback:{caller.key_id or caller.asker.user}"
        promise = Promise(owner, key, hashlib.sha256(json.dumps(items).encode()).hexdigest())
    return read, state.ingest.put(read, promise)


def _answered(
    caller: Caller, state: ServerState, read: Sequence[Draft | str], outcomes: Outcomes
) -> FeedbackStored:
    counts = Counter(outcomes)
    record(
        state,
        caller,
        "feedback.add",
        "feedback",
        stored=counts["stored"],
        duplicates=counts["duplicate"],
        rejected=counts["rejected"],
    )
    return FeedbackStored(
        read=len(read),
        stored=counts["stored"],
        duplicates=counts["duplicate"],
        rejected=counts["rejected"],
        items=[_outcome(one, outcome) for one, outcome in zip(read, outcomes, strict=True)],
    )


def _outcome(read: Draft | str, outcome: Outcome) -> ItemOutcome:
    if isinstance(read, str):
        return ItemOutcome(status="rejected", reason=read)
    if outcome == "rejected":
        return ItemOutcome(status=outcome, reason="it was rejected when this request was first sent")
    return ItemOutcome(status=outcome, feedback_id=read.fields["feedback_id"])


def _permitted(draft: Draft | str, caller: Caller) -> Draft | str:
    """A key of some units brings in feedback of these alone."""
    if isinstance(draft, str) or not caller.asker.scope:
        return draft
    unit = draft.fields.get("org_unit")
    if unit is not None and within(unit, caller.asker.scope):
        return draft
    return "not permitted: org_unit is none of the units of this key"


@router.get("", operation_id="list_feedback", summary="Browse feedback", responses=problems(401, 403))
def list_feedback(
    caller: CallerNow,
    state: StateNow,
    selected: SelectionNow,
    q: Annotated[
        str | None, Query(min_length=1, max_length=200, description="words that the text has")
    ] = None,
    order: Annotated[Literal["newest", "oldest"], Query()] = "newest",
    limit: Limit = 50,
    cursor: Cursor = None,
) -> FeedbackPage:
    """Within a period and filters, e.g. `filter=sentiment=negative`. By meaning: tool `search_feedback`."""
    context = state.app.context(caller.asker)
    args = {name: value for name, value in selected.items() if value} | {"language": caller.language}
    chosen = choose(SelectionArguments.model_validate(args), context)
    first = offset_of(cursor)
    words = tuple(q.split()) if q else ()
    found = context.facts.find(
        Find(chosen.selection, contains=words, order=order, limit=limit + 1, offset=first)
    )
    record(state, caller, "feedback.list", "feedback", n=min(len(found), limit))
    return FeedbackPage(
        items=[_view(one) for one in found[:limit]],
        total=None if words else context.facts.count(chosen.selection),
        next_cursor=cursor_at(first + limit) if len(found) > limit else None,
    )


@router.get(
    "/{feedback_id}",
    operation_id="get_feedback",
    summary="Show one item",
    responses=problems(401, 403, 404),
)
def get_feedback(caller: CallerNow, state: StateNow, feedback_id: _Id) -> FeedbackDetail:
    """With the conversation that it is part of."""
    item = _found(caller, state, feedback_id)
    record(state, caller, "feedback.read", feedback_id)
    said = item.feedback
    turns: list[LabelledFeedback] = []
    if said.conversation_id is not None:
        same = {"conversation_id": (said.conversation_id,), "source": (said.source,)}
        whole = Selection(filters={**_ANYONE, **same})
        facts = state.app.context(caller.asker).facts
        turns = facts.find(Find(whole, order="oldest", limit=_IN_CONVERSATION))
    return FeedbackDetail(**dict(_view(item)), conversation=[_view(turn) for turn in turns])


@router.patch(
    "/{feedback_id}/labels",
    operation_id="correct_label",
    summary="Put a label right",
    responses=problems(401, 403, 404),
    dependencies=[needs("analyst")],
)
def correct(caller: CallerNow, state: StateNow, feedback_id: _Id, body: LabelCorrection) -> LabelCorrected:
    """In effect at once on every item with this text, and learnt from at the next training."""
    _found(caller, state, feedback_id)
    app = state.app
    done = correct_label(
        feedback_id,
        field=body.field,
        value=body.value,
        by=caller.asker.user,
        facts=app.facts,
        human=app.human_labels,
        operations=app.operations,
        taxonomy=app.taxonomy,
        clock=app.clock,
    )
    return LabelCorrected(**done._asdict())


def _found(caller: Caller, state: ServerState, feedback_id: str) -> LabelledFeedback:
    """The item within the caller's scope; NotFound where there is none, NotPermitted where it is another's.

    To a caller with a scope both are the same: whether it exists is not for them to know.
    """
    found = state.app.context(caller.asker).facts.find(
        Find(Selection(filters=_ANYONE), feedback_ids=(feedback_id,), limit=1)
    )
    if found:
        return found[0]
    if caller.asker.scope:
        raise NotPermitted(f"not permitted: feedback {feedback_id!r} is not within your units")
    raise NotFound(f"there is no feedback {feedback_id!r}")


def _view(item: LabelledFeedback) -> FeedbackView:
    group = item.near_duplicate_of
    return FeedbackView(
        feedback=item.feedback,
        labels=item.labels,
        theme_id=item.theme_id,
        nearly_repeats_another=group is not None and group != item.text_key,
    )
