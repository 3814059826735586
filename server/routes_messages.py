"""Messages to customers, and who does not want any."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, Field

from retention.message_deeds import cancel_message, message_named, opt_in, opt_out, retry_message
from server.api_access import Caller, CallerNow, needs
from server.api_audit import record
from server.api_pages import Cursor, Limit, page
from server.api_problems import NotFound, problems
from server.api_state import ServerState, StateNow
from store.errors import NotPermitted, ToolInputError
from store.messages import Message, MessageKind, MessageStatus
from store.records import Tier
from tools.message_view import message_row

router = APIRouter(prefix="/v1/messages", tags=["tasks"])
wishes = APIRouter(prefix="/v1/customers", tags=["customers"])
MessageId = Annotated[str, Path(min_length=1, max_length=100, examples=["message-0f1e2d3c4b5a6978"])]
CustomerId = Annotated[str, Path(min_length=1, max_length=200, examples=["c001"])]
Channel = Annotated[str, Path(min_length=1, max_length=60, description="or all", examples=["mail"])]


class MessageView(BaseModel):
    """One message. `why` says in words what holds it up or ended it; times in the configured zone."""

    message_id: str = Field(examples=["message-0f1e2d3c4b5a6978"])
    kind: MessageKind
    customer_id: str = Field(examples=["c001"])
    alert_id: str | None
    task_id: str | None
    tier: Tier | None
    playbook: str = Field(examples=["apologise_and_guide"])
    language: str
    title: str
    text: str
    translation: str
    status: MessageStatus
    created_at: datetime
    created_by: str
    approved_by: str | None
    prepared_at: datetime | None
    expires_at: datetime | None
    next_at: datetime | None
    attempts: int
    sent_at: datetime | None
    channel: str = Field(examples=["gateway"])
    reason: str = Field(examples=["quiet_hours"])
    detail: str = Field(description="what the channel said", examples=["the gateway answered 500"])
    why: str = Field(examples=["客户当地时间处于免打扰时段，稍后发送"])


class Messages(BaseModel):
    """Newest first; `counts` by status, over all that the caller may see."""

    messages: list[MessageView]
    counts: dict[str, int] = Field(examples=[{"prepared": 2, "sent": 40}])
    next_cursor: str | None


class Wish(BaseModel):
    """Nothing more by this channel (`all`: by any); `source` says where the customer said so."""

    channel: str = Field(examples=["all"])
    at: datetime
    by: str
    source: str = Field(examples=["api"])


class Wishes(BaseModel):
    """What one customer does not want; columns of a customers file that say so count besides."""

    customer_id: str = Field(examples=["c001"])
    opt_outs: list[Wish]


@router.get("", operation_id="list_messages", summary="List messages", responses=problems(400, 401, 403, 503))
def list_messages(
    caller: CallerNow,
    state: StateNow,
    status: Annotated[MessageStatus | None, Query(description="only of this status")] = None,
    customer_id: Annotated[str | None, Query(max_length=200, description="only to this customer")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Messages:
    """What was, is to be, or will not be sent to customers, and why not."""
    every = state.app.operations_of(caller.asker).messages(customer_id=customer_id)
    found, following = page([one for one in every if status in (None, one.status)], limit, cursor)
    counts = {one.value: sum(message.status is one for message in every) for one in MessageStatus}
    record(state, caller, "message.list", "messages", n=len(found))
    return Messages(
        messages=[_view(one, caller, state) for one in found],
        counts={name: n for name, n in counts.items() if n},
        next_cursor=following,
    )


@router.get(
    "/{message_id}",
    operation_id="get_message",
    summary="Show a message",
    responses=problems(401, 403, 404, 503),
)
def get_message(message_id: MessageId, caller: CallerNow, state: StateNow) -> MessageView:
    """With its words in both languages."""
    message = _found(message_id, caller, state)
    record(state, caller, "message.read", message_id, customer_id=message.customer_id)
    return _view(message, caller, state)


@router.post(
    "/{message_id}/cancel",
    operation_id="cancel_message",
    summary="Have a message not sent",
    dependencies=[needs("analyst")],
    responses=problems(400, 401, 403, 404, 503),
)
def cancel(message_id: MessageId, caller: CallerNow, state: StateNow) -> MessageView:
    """One that went already, or is on its way, cannot be taken back."""
    _found(message_id, caller, state)
    asker = caller.asker
    operations = state.app.operations_of(asker)
    return _view(cancel_message(operations, message_id, actor=asker.user, role=asker.role), caller, state)


@router.post(
    "/{message_id}/retry",
    operation_id="retry_message",
    summary="Have a failed message sent again",
    dependencies=[needs("manager")],
    responses=problems(400, 401, 403, 404, 503),
)
def retry(message_id: MessageId, caller: CallerNow, state: StateNow) -> MessageView:
    """Of one whose fate nobody knows, the caller judges that it had not arrived."""
    _found(message_id, caller, state)
    asker = caller.asker
    operations = state.app.operations_of(asker)
    return _view(retry_message(operations, message_id, actor=asker.user, role=asker.role), caller, state)


@wishes.get(
    "/{customer_id}/opt-outs",
    operation_id="list_opt_outs",
    summary="What a customer does not want",
    responses=problems(400, 401, 403, 503),
)
def list_opt_outs(customer_id: CustomerId, caller: CallerNow, state: StateNow) -> Wishes:
    """By which channels he is not to be written to."""
    _whole(caller)
    record(state, caller, "contact.read", customer_id)
    return _wishes(customer_id, state)


@wishes.put(
    "/{customer_id}/opt-outs/{channel}",
    operation_id="opt_out",
    summary="Write nothing more to a customer",
    dependencies=[needs("analyst")],
    responses=problems(400, 401, 403, 503),
)
def put_opt_out(customer_id: CustomerId, channel: Channel, caller: CallerNow, state: StateNow) -> Wishes:
    """By one channel, or by `all`; what is prepared is not sent. The same again changes nothing."""
    _whole(caller)
    app, asker = state.app, caller.asker
    known = app.policy_book.live().messages.channels
    opt_out(
        app.contacts,
        customer_id,
        channel,
        known=known,
        actor=asker.user,
        role=asker.role,
        now=app.clock.now(),
        source="api",
    )
    return _wishes(customer_id, state)


@wishes.delete(
    "/{customer_id}/opt-outs/{channel}",
    operation_id="opt_in",
    summary="Take an opt-out back",
    dependencies=[needs("manager")],
    responses=problems(400, 401, 403, 503),
)
def delete_opt_out(customer_id: CustomerId, channel: Channel, caller: CallerNow, state: StateNow) -> Wishes:
    """Where the customer has agreed again; who says so is kept in the audit log."""
    _whole(caller)
    app, asker = state.app, caller.asker
    known = app.policy_book.live().messages.channels
    opt_in(app.contacts, customer_id, channel, known=known, actor=asker.user, role=asker.role)
    return _wishes(customer_id, state)


def _found(message_id: str, caller: Caller, state: ServerState) -> Message:
    try:
        return message_named(state.app.operations_of(caller.asker), message_id)
    except ToolInputError as error:
        if caller.asker.scope:
            raise NotPermitted(f"not permitted: message {message_id!r} cannot be seen") from error
        raise NotFound(error.message) from error


def _view(message: Message, caller: Caller, state: ServerState) -> MessageView:
    return MessageView.model_validate(message_row(message, caller.language, state.app.context(caller.asker)))


def _wishes(customer_id: str, state: ServerState) -> Wishes:
    found = state.app.contacts.opt_outs(customer_id)
    shown = [Wish.model_validate(one.model_dump(exclude={"customer_id"})) for one in found]
    return Wishes(customer_id=customer_id, opt_outs=shown)


def _whole(caller: Caller) -> None:
    """An opt-out holds for a customer whatever unit writes, so a caller within a scope decides nothing."""
    if caller.asker.scope:
        raise NotPermitted("not permitted: opt-outs are kept for all units together")
