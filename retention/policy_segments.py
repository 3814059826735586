"""What is different for some customers; the section `segments` of the policy."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from store.records import Tier

# The window that is read is one for everybody.
_FOR_ALL = frozenset({"history_days"})
# Replaced whole: their parts exclude or complete each other.
_WHOLE = frozenset({"deadline", "quiet_hours"})


def listed(value: object) -> object:
    """One value as a list of one, numbers as texts: who writes a rule by hand may leave the brackets out."""
    values = value if isinstance(value, list | tuple) else [value]
    return tuple(str(one) if isinstance(one, int | float) else one for one in values)


Text = Annotated[str, Field(min_length=1, max_length=200)]
Values = Annotated[tuple[Text, ...], BeforeValidator(listed), Field(min_length=1)]


class SegmentChange(BaseModel):
    """What replaces the policy's own, key by key; whatever is not named stays as it is for everybody."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tiers: dict[Tier, dict[str, Any]] = Field(default_factory=dict)
    signals: dict[str, dict[str, Any]] = Field(default_factory=dict)
    behaviour: dict[str, dict[str, Any]] = Field(default_factory=dict)
    triggers: dict[str, Any] = Field(default_factory=dict)
    health: dict[str, Any] = Field(default_factory=dict)
    messages: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _something(self) -> "SegmentChange":
        if not self.model_fields_set or not any(getattr(self, name) for name in self.model_fields_set):
            raise ValueError(f"nothing is changed: give one of {', '.join(type(self).model_fields)}")
        if fixed := _FOR_ALL & self.health.keys():
            raise ValueError(f"health.{min(fixed)} is the same for everybody")
        return self


class Segment(BaseModel):
    """Customers of whom all of `who` holds, and what is different for them.

    `who` maps the profile's `tier customer_type region city org_unit owner`, any attribute of it, or any
    dimension of feedback (such as `product`) to the values meant. A customer is meant by the profile, or by
    an item within the policy's history.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Text
    who: Annotated[dict[Text, Values], Field(min_length=1)]
    change: SegmentChange


def overlaid(content: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    """`content` with the keys of `change` in their place, however deep."""
    found = dict(content)
    for key, value in change.items():
        before = found.get(key)
        if isinstance(value, Mapping) and isinstance(before, Mapping) and key not in _WHOLE:
            value = overlaid(before, value)
        found[key] = value
    return found
