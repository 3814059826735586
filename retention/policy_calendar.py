"""Which days are worked; the section `calendar` of the policy."""

from datetime import date

from pydantic import BaseModel, ConfigDict


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class CalendarRule(_Part):
    """Which country's working days count, and corrections to them."""

    country: str
    extra_holidays: tuple[date, ...] = ()
    extra_workdays: tuple[date, ...] = ()
