"""When customers may be written to, how often, and with what; the section `messages` of the policy."""

from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from store.records import Tier

Name = Annotated[str, Field(min_length=1, max_length=60)]
_DAY = timedelta(days=1)


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class QuietHours(_Part):
    """From one time of the customer's clock to another, over midnight where the latter comes first."""

    start: Annotated[time, Field(alias="from")] = time(21)
    end: Annotated[time, Field(alias="to")] = time(9)

    @field_validator("start", "end", mode="before")
    @classmethod
    def _clock(cls, value: object) -> object:
        # YAML 1.1 reads 21:00 without quotes as 1260 minutes.
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 24 * 60:
            return time(value // 60, value % 60)
        if not isinstance(value, str | time):
            raise ValueError('write a time like "21:00"')
        return value

    @model_validator(mode="after")
    def _some_of_the_day(self) -> "QuietHours":
        if self.start == self.end:
            raise ValueError("quiet hours end when they begin: give two times, or none at all")
        return self

    def until(self, now: datetime, zone: ZoneInfo) -> datetime | None:
        """When the quiet that `now` lies in ends, in UTC; None outside of it. The end itself is not quiet."""
        local = now.astimezone(zone)
        clock = local.time()
        over_midnight = self.end < self.start
        quiet = (clock >= self.start or clock < self.end) if over_midnight else self.start <= clock < self.end
        if not quiet:
            return None
        day = local.date() + (_DAY if over_midnight and clock >= self.start else timedelta(0))
        return datetime.combine(day, self.end, zone).astimezone(UTC)


class Frequency(_Part):
    """At most so many messages to one customer within so many days, whatever they are about."""

    messages: Annotated[int, Field(ge=1)] = 1
    days: Annotated[float, Field(gt=0, le=365)] = 7


class CouponRules(_Part):
    """Which tiers' automatic messages carry a coupon of at most how much, and what that may come to.

    `days`: a customer who was given one, or anything else to make up for something, gets none for so long.
    `month`: all coupons given within 30 days together, in the currency of `authority`.
    """

    tiers: Mapping[Tier, Annotated[float, Field(gt=0)]] = {}
    days: Annotated[int, Field(ge=1, le=365)] = 90
    month: Annotated[float, Field(ge=0)] = 0


class MessageRules(_Part):
    """Nothing is sent to anybody that these do not allow; where they hold it up, the message says so."""

    channels: tuple[Name, ...] = ("gateway", "mail")
    quiet_hours: QuietHours | None = QuietHours()
    zone_attribute: str = "timezone"
    frequency: Frequency = Frequency()
    most_a_day: Annotated[int, Field(ge=0)] = 500
    expires_hours: Annotated[float, Field(gt=0)] = 48
    stop_tiers: tuple[Tier, ...] = (Tier.RED,)
    opt_out_attributes: tuple[Name, ...] = ("退订", "opt_out", "unsubscribed")
    coupons: CouponRules = CouponRules()

    @field_validator("channels")
    @classmethod
    def _each_once(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(names)) < len(names):
            raise ValueError("a channel is named twice")
        return names
