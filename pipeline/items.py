"""Feedback that comes as single items, not as a table: checked field by field, then drafts like any row's."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any, Final, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, StringConstraints, ValidationError

from pipeline.clean import clean
from pipeline.profiles import LONGEST_CATEGORY
from pipeline.row_identity import RowIdentity
from pipeline.rows import LONGEST_TEXT, LONGEST_VALUE, Draft, RejectedRow, customer_key, is_suspicious
from store.records import Channel

MOST_EXTRAS: Final = 100
_AHEAD: Final = timedelta(days=1)
_REASONS: Final = 5
_Short = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST_VALUE)]
_Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]
_SCORES: Final = ("nps", "csat", "ces", "rating")
_PLAIN: Final = (
    *("conversation_id", "turn", "speaker", *_SCORES, "region", "city", "product", "version", "org_unit"),
    *("customer_type", "tier", "media"),
)


class FeedbackItem(BaseModel):
    """One thing one customer said or scored; it needs a text or a score. Unmasked: masking is our part.

    `feedback_id`: the source's own; without one the item is known by source, time, customer and text, or by
    all it holds. `occurred_at` without an offset is in the configured zone. `metrics`: any other number,
    `attributes`: any other column; both are then usable by their names.
    """

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "feedback_id": "s-1",
                    "channel": "survey",
                    "occurred_at": "2026-11-20T09:30:00+08:00",
                    "customer_id": "c001",
                    "text": "物流太慢了，等了五天",
                    "nps": 3,
                    "region": "广东",
                    "attributes": {"门店": "天河店"},
                }
            ]
        },
    )

    feedback_id: _Short | None = None
    source: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)] = "api"
    channel: Channel = Channel.OTHER
    occurred_at: datetime | None = None
    customer_id: _Short | None = None
    conversation_id: _Short | None = None
    turn: Annotated[int, Field(ge=0, le=1_000_000)] | None = None
    speaker: Literal["customer", "agent"] | None = None
    text: Annotated[str, StringConstraints(max_length=LONGEST_TEXT)] = ""
    nps: Annotated[float, Field(ge=0, le=10)] | None = None
    csat: Annotated[float, Field(ge=1, le=5)] | None = None
    ces: Annotated[float, Field(ge=1, le=7)] | None = None
    rating: Annotated[float, Field(ge=1, le=5)] | None = None
    metrics: Annotated[dict[_Name, FiniteFloat], Field(max_length=MOST_EXTRAS)] = {}
    region: _Short | None = None
    city: _Short | None = None
    product: _Short | None = None
    version: _Short | None = None
    org_unit: _Short | None = None
    customer_type: Literal["new", "existing"] | None = None
    tier: _Short | None = None
    attributes: Annotated[dict[_Name, _Short], Field(max_length=MOST_EXTRAS)] = {}
    media: _Short | None = None


def drafts_of(items: Sequence[Mapping[str, Any]], *, zone: ZoneInfo, now: datetime) -> list[Draft | str]:
    """A draft of each item in order, or why it is rejected, in words for a person."""
    identities: dict[str, RowIdentity] = {}
    found: list[Draft | str] = []
    for number, given in enumerate(items):
        try:
            item = FeedbackItem.model_validate(given)
            found.append(_draft(number, item, identities, zone, now))
        except ValidationError as error:
            found.append(_words(error))
        except RejectedRow as error:
            found.append(str(error))
    return found


def _draft(
    number: int, item: FeedbackItem, identities: dict[str, RowIdentity], zone: ZoneInfo, now: datetime
) -> Draft:
    values = item.model_dump(exclude_none=True)
    fields: dict[str, Any] = {"source": item.source, "channel": item.channel}
    fields |= {name: values[name] for name in _PLAIN if name in values}
    if item.occurred_at is not None:
        fields["occurred_at"] = _moment(item.occurred_at, zone, now)
    if item.customer_id is not None:
        fields["customer_id"] = customer_key(item.customer_id)
    text = clean(item.text.strip().replace("\x00", ""))
    if not text and not item.metrics and not any(name in fields for name in _SCORES):
        raise RejectedRow("neither a text nor a score")
    free = tuple(
        name
        for name, value in item.attributes.items()
        if len(value) > LONGEST_CATEGORY or is_suspicious(value)
    )
    fields["feedback_id"] = identities.setdefault(item.source, RowIdentity(item.source)).assign(
        {name: str(value) for name, value in values.items()},
        given=item.feedback_id,
        trusted=True,
        occurred_at=fields.get("occurred_at"),
        to_the_minute=item.occurred_at is not None,
        customer_id=fields.get("customer_id"),
        # As given: a better cleaner must not turn known feedback into new feedback.
        text=item.text,
    )
    return Draft(number, fields, text, dict(item.metrics), dict(item.attributes), free)


def _moment(given: datetime, zone: ZoneInfo, now: datetime) -> datetime:
    moment = given if given.tzinfo is not None else given.replace(tzinfo=zone)
    if moment > now + _AHEAD:
        raise RejectedRow(f"occurred_at {given.isoformat()} lies in the future")
    if moment.year < 1970:
        raise RejectedRow(f"occurred_at {given.isoformat()} lies before 1970")
    return moment


def _words(error: ValidationError) -> str:
    # The place and the rule, not the value: it may be personal.
    told = [f"{'.'.join(str(part) for part in one['loc']) or 'item'}: {one['msg']}" for one in error.errors()]
    return "; ".join(told[:_REASONS])
