"""The retention policy: one validated file that decides when whom to call, and how soon."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from analytics.health_rules import HealthRules
from retention.policy_alerts import AlertRules, TaskChangeRules
from retention.policy_authority import AuthorityRules
from retention.policy_calendar import CalendarRule
from retention.policy_capacity import CapacityRules
from retention.policy_churn import ChurnRules
from retention.policy_escalation import EscalationRules
from retention.policy_learning import LearningRules
from retention.policy_learnt import Learnt
from retention.policy_messages import MessageRules
from retention.policy_outcomes import OutcomeRules
from retention.policy_pool import PoolRules
from retention.policy_replay import ReplayRules
from retention.policy_rules import CompanyRule
from retention.policy_segments import Segment, overlaid
from retention.policy_signals import BehaviourRule, SignalRule, Triggers
from retention.policy_surveys import SurveyRules
from retention.policy_tiers import TierRule
from retention.settings_file import parsed_as, read_as
from retention.working_days import WorkingCalendar
from store.records import Tier

POLICY_FILE = Path(__file__).with_name("policy.yaml")
OTHER_SIGNAL = "other"


class Policy(BaseModel):
    """The whole policy, as in `policy.yaml`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

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
    pool: PoolRules = PoolRules()
    authority: AuthorityRules = AuthorityRules()
    messages: MessageRules = MessageRules()
    learning: LearningRules = LearningRules()
    learnt: Learnt = Learnt()
    replay: ReplayRules = ReplayRules()
    outcomes: OutcomeRules = OutcomeRules()
    surveys: SurveyRules = SurveyRules()
    rules: tuple[CompanyRule, ...] = ()
    segments: tuple[Segment, ...] = ()

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
        for section in ("rules", "segments"):
            names = [one.name for one in getattr(self, section)]
            if twice := sorted({name for name in names if names.count(name) > 1}):
                raise ValueError(f"{section}: two are called {', '.join(twice)}")
        for segment in self.segments:
            self._tried(segment)
        return self

    def _tried(self, segment: Segment) -> None:
        try:
            self.within([segment])
        except ValidationError as error:
            wrong = "; ".join(
                f"segments.{segment.name}.change.{'.'.join(str(part) for part in one['loc'])}: {one['msg']}"
                for one in error.errors(include_url=False)
            )
            raise ValueError(wrong) from error

    def signal(self, name: str) -> SignalRule:
        """Return the rule of a risk signal (that of `other` where it has none of its own)."""
        return self.signals.get(name, self.signals[OTHER_SIGNAL])

    def within(self, segments: Iterable[Segment]) -> "Policy":
        """The policy for customers of these segments: their changes in that order, the last one wins."""
        content: dict[str, Any] = self.model_dump(exclude={"segments"})
        for segment in segments:
            content = overlaid(content, segment.change.model_dump(exclude_unset=True))
        return Policy.model_validate(content)

    def rule(self, cause: str) -> CompanyRule | None:
        """The company's own rule that an alert's cause names; None for any other cause."""
        return next((one for one in self.rules if one.cause == cause), None)

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
