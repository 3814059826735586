"""The retention policy: one validated file that decides when whom to call, and how soon."""

from datetime import date, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, model_validator

from analytics.health_rules import HealthRules
from retention.policy_capacity import CapacityRules
from retention.policy_escalation import EscalationRules
from retention.policy_learning import LearningRules
from retention.policy_learnt import Learnt
from retention.settings_file import parsed_as, read_as
from retention.working_days import WorkingCalendar
from store.records import Tier

POLICY_FILE = Path(__file__).with_name("policy.yaml")
OTHER_SIGNAL = "other"

Days = Annotated[int, Field(ge=1, le=3650)]
Penalty = Annotated[float, Field(le=0, ge=-100)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Deadline(_Part):
    """How soon: hours on the clock, or working days; exactly one of them."""

    clock_hours: Annotated[float, Field(gt=0)] | None = None
    working_days: Annotated[int, Field(ge=1)] | None = None

    @model_validator(mode="after")
    def _one_of_two(self) -> "Deadline":
        if (self.clock_hours is None) == (self.working_days is None):
            raise ValueError("give either clock_hours or working_days")
        return self


class TierRule(_Part):
    """Who answers an alert of this tier, how soon and how; when one is too thin or too soon to repeat."""

    owner_role: Annotated[str, Field(min_length=1)]
    automatic: bool = False
    deadline: Deadline
    playbook: Annotated[str, Field(min_length=1)]
    minimum_items: Annotated[int, Field(ge=1)] = 1
    cooldown_days: Days


class SignalRule(_Part):
    """A signal in words: health points when fresh, and the tier it calls for."""

    points: Penalty
    tier: Tier


class BehaviourRule(_Part):
    """A signal in deeds: points, how often it must be seen, and a tier where the deed alone justifies one."""

    points: Penalty
    minimum: Annotated[int, Field(ge=1)] = 1
    tier: Tier | None = None


class RepeatedNegative(_Part):
    """This many negative items within so many days ask for a call."""

    minimum: Annotated[int, Field(ge=2)]
    days: Days


class Triggers(_Part):
    """What calls for a tier besides signals."""

    signal_days: Days
    repeated_negative: RepeatedNegative
    usability_topics: tuple[str, ...]
    minimum_items: Annotated[int, Field(ge=1)]


class AlertRules(_Part):
    """How the scan for alerts goes about it."""

    reassess_hours: Annotated[float, Field(gt=0)]


Roles = Annotated[tuple[Literal["analyst", "service", "manager", "admin"], ...], Field(min_length=1)]


class TaskChangeRules(_Part):
    """Which roles may change what of a task."""

    comment: Roles
    snoozed_until: Roles
    status: Roles
    owner: Roles
    due_at: Roles


class CalendarRule(_Part):
    """Which country's working days count, and corrections to them."""

    country: str
    extra_holidays: tuple[date, ...] = ()
    extra_workdays: tuple[date, ...] = ()


class ChurnRules(_Part):
    """What the churn model learns from, and when it may be used; see `policy.yaml`."""

    horizon_days: Annotated[tuple[Days, ...], Field(min_length=1)]
    recent_days: Days
    history_days: Days
    most_cutoffs: Annotated[int, Field(ge=3)]
    minimum_left: Annotated[int, Field(ge=10)]
    minimum_left_held_out: Annotated[int, Field(ge=10)]
    at_risk_lift: Annotated[float, Field(gt=1)]
    exact_customers: Annotated[int, Field(ge=1)]
    screened_to: Annotated[int, Field(ge=1)]

    @model_validator(mode="after")
    def _recent_within_history(self) -> "ChurnRules":
        if self.recent_days >= self.history_days:
            raise ValueError("recent_days must be shorter than history_days")
        return self


class Policy(_Part):
    """The whole policy, as in `policy.yaml`."""

    version: Annotated[int, Field(ge=1)]
    calendar: CalendarRule
    scores: dict[str, tuple[float, float]]
    health: HealthRules
    signals: dict[str, SignalRule]
    behaviour: dict[str, BehaviourRule]
    triggers: Triggers
    alerts: AlertRules
    task_changes: TaskChangeRules
    churn: ChurnRules
    tiers: dict[Tier, TierRule]
    capacity: CapacityRules = CapacityRules()
    escalation: EscalationRules = EscalationRules()
    learning: LearningRules = LearningRules()
    learnt: Learnt = Learnt()

    @model_validator(mode="after")
    def _complete(self) -> "Policy":
        missing = [tier.value for tier in Tier if tier not in self.tiers]
        if missing:
            raise ValueError(f"tiers: missing {', '.join(missing)}")
        if OTHER_SIGNAL not in self.signals:
            raise ValueError(f"signals: {OTHER_SIGNAL!r} is needed for signals without a rule of their own")
        for name, (low, high) in self.scores.items():
            if not low < high:
                raise ValueError(f"scores.{name}: the scale must run from low to high")
        return self

    def signal(self, name: str) -> SignalRule:
        """Return the rule of a risk signal (that of `other` where it has none of its own)."""
        return self.signals.get(name, self.signals[OTHER_SIGNAL])

    def deadline(self, tier: Tier, now: datetime, zone: ZoneInfo) -> datetime:
        """Return when an alert of `tier` raised at `now` is due, in UTC.

        Clock hours run day and night. Working days are counted from the day after `now` in `zone`; the
        hour of the day is kept, so that the answer is never later than that many whole working days.
        """
        if now.tzinfo is None:
            raise ValueError("deadline needs a timezone-aware time")
        rule = self.tiers[tier].deadline
        if rule.clock_hours is not None:
            return now.astimezone(_UTC) + timedelta(hours=rule.clock_hours)
        assert rule.working_days is not None
        local = now.astimezone(zone)
        day = self.working_calendar().add(local.date(), rule.working_days)
        return datetime.combine(day, local.timetz()).astimezone(_UTC)

    def working_calendar(self) -> WorkingCalendar:
        """Return the working calendar of this policy."""
        rule = self.calendar
        return WorkingCalendar(
            rule.country, extra_holidays=rule.extra_holidays, extra_workdays=rule.extra_workdays
        )


_UTC = ZoneInfo("UTC")


@lru_cache(maxsize=8)
def load_policy(path: Path = POLICY_FILE) -> Policy:
    """Read and validate a policy file; raise ConfigError that names each wrong key."""
    return read_as(Policy, path)


@lru_cache(maxsize=16)
def parse_policy(text: str, name: str = "policy") -> Policy:
    """Validate the text of a policy; raise ConfigError that calls it `name` and names each wrong key."""
    return parsed_as(Policy, text, name)
