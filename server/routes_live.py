"""Running conversations: dissatisfaction as it shows, what may be offered, and what was granted."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field

from retention.compensation import compensation_id, declined, granted
from retention.live_mood import Sign
from server.api_access import CallerNow, needs
from server.api_audit import record
from server.api_problems import problems
from server.api_state import StateNow
from server.routes_alerts import TalkingPoint
from store.compensations import Compensation, CompensationStatus
from store.records import Tier
from tools.live_conversation import LiveTurn, live_figures, offer_row

router = APIRouter(prefix="/v1/conversations/live", tags=["tasks"])
ConversationId = Annotated[str, Field(min_length=1, max_length=200, examples=["chat-20261122-17"])]
CustomerId = Annotated[str, Field(min_length=1, max_length=200, examples=["c001"])]


class TurnBody(BaseModel):
    """One turn."""

    model_config = ConfigDict(extra="forbid")

    speaker: Literal["customer", "agent"]
    text: Annotated[str, Field(min_length=1, max_length=5000)]


class LiveBody(BaseModel):
    """The conversation so far, every turn of it. Texts are masked, read and forgotten."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "conversation_id": "chat-20261122-17",
                    "customer_id": "c001",
                    "turns": [
                        {"speaker": "customer", "text": "上周的退款到现在都没到账，我很生气"},
                        {"speaker": "agent", "text": "非常抱歉，我马上为您查询"},
                    ],
                }
            ]
        },
    )

    conversation_id: ConversationId
    customer_id: CustomerId | None = None
    turns: Annotated[list[TurnBody], Field(min_length=1, max_length=200)]


class SignView(BaseModel):
    """A sign of dissatisfaction and the turn it was seen in, counted from 0; `quote` is masked."""

    sign: Sign
    name: str
    text: str = Field(examples=["退款"])
    tier: Tier
    turn: int
    quote: str


class OfferView(BaseModel):
    """An offer within the caller's authority and the words to make it in.

    `asks`: the lowest role that may grant what the policy offers in full, where the caller may not.
    """

    compensation_id: str
    kind: str = Field(examples=["coupon"])
    amount: float
    currency: str = Field(examples=["CNY"])
    status: CompensationStatus
    tier: Tier
    words: str
    asks: str | None


class LiveView(BaseModel):
    """`curve`: a level a turn, -2 furious to 2 delighted, none for agents. `level` is the last one."""

    conversation_id: str
    customer_id: str | None
    dissatisfied: bool
    tier: Tier | None
    signs: list[SignView]
    curve: list[float | None]
    break_turn: int | None
    level: float | None
    recovered: bool
    offer: OfferView | None
    no_offer_because: Literal["no_offer", "no_authority", "limit_reached", "unknown_customer"] | None
    what_to_say: list[TalkingPoint]


class DecisionBody(BaseModel):
    """What became of the offer; `amount` only to grant less, or more within the caller's authority."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"customer_id": "c001", "status": "granted"}]}
    )

    customer_id: CustomerId
    status: Literal["granted", "declined"]
    amount: Annotated[float, Field(ge=0, le=1_000_000)] | None = None


@router.post(
    "",
    operation_id="read_live_conversation",
    summary="Read a running conversation",
    dependencies=[needs("analyst")],
    responses=problems(400, 401, 403, 503),
)
def read_live(body: LiveBody, caller: CallerNow, state: StateNow) -> LiveView:
    """Tells whether the customer is dissatisfied by now, proposes a compensation and says what to say.

    To be asked after each turn, with all turns. A conversation has one offer, raised with the tier; it is
    granted by POST to its id. Feedback itself comes in by POST /v1/feedback.
    """
    app = state.app
    turns = app.listener.read(body.conversation_id, [LiveTurn(one.speaker, one.text) for one in body.turns])
    context = app.context(caller.asker)
    found = live_figures(body.conversation_id, body.customer_id, turns, caller.language, context)
    record(state, caller, "conversation.live", body.conversation_id, n=len(turns))
    return LiveView.model_validate(found)


@router.post(
    "/{conversation_id}/compensation",
    operation_id="decide_compensation",
    summary="Grant or decline an offer",
    dependencies=[needs("analyst")],
    responses=problems(400, 401, 403, 503),
)
def decide_offer(
    conversation_id: Annotated[str, Path(min_length=1, max_length=200, examples=["chat-20261122-17"])],
    body: DecisionBody,
    caller: CallerNow,
    state: StateNow,
) -> OfferView:
    """Within the caller's authority, in this case and for this customer; the same again changes nothing."""
    app, asker = state.app, caller.asker
    context, now = app.context(asker), app.clock.now()
    rules = context.policy_of(body.customer_id).authority
    offer_id = compensation_id(conversation_id, body.customer_id)
    who: dict[str, Any] = {"actor": asker.user, "now": now}

    def decide(every: Sequence[Compensation]) -> Compensation:
        if body.status == "declined":
            return declined(offer_id, every, **who)
        return granted(offer_id, every, body.amount, role=asker.role, rules=rules, **who)

    kept = context.operations.revise_compensation(body.customer_id, decide, actor=asker.user)
    assert kept is not None
    return OfferView.model_validate(offer_row(kept, None, caller.language))
