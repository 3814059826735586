"""What makes no sense in a policy that is valid: each warning says what will happen, and where to look."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import combinations
from zoneinfo import ZoneInfo

from retention.behaviour import load_behaviour
from retention.playbooks import load_playbooks
from retention.policy import Policy
from retention.policy_words import worded
from retention.risk import gravity
from retention.wording import Language, is_named, name_of
from store.errors import ConfigError
from store.records import Tier

_HOURS_OF_A_YEAR = 365 * 24


@dataclass(frozen=True)
class Surroundings:
    """What a policy refers to outside itself; None: not known, and nothing is said of it."""

    topics: Collection[str] | None = None
    targets: Collection[str] | None = None
    columns: Collection[str] | None = None


@dataclass(frozen=True)
class PolicyWarning:
    """One thing that makes no sense; `at` is the place in the policy, keys joined by dots."""

    at: str
    key: str
    values: dict[str, object]

    def text(self, language: Language) -> str:
        """The warning as a sentence; tiers, roles and signals by their names."""
        named = {
            name: name_of(_GROUPS[name], str(value), language) if name in _GROUPS else value
            for name, value in self.values.items()
        }
        return worded("warnings", self.key, language, **named)


_GROUPS = {
    "tier": "tiers",
    "graver": "tiers",
    "milder": "tiers",
    "role": "roles",
    "signal": "signals",
    "other_signal": "signals",
}


def warnings_of(
    policy: Policy, *, now: datetime, zone: ZoneInfo, around: Surroundings = Surroundings()
) -> list[PolicyWarning]:
    """All that makes no sense, in the order of the policy's sections."""
    days = list(_calendar(policy, now))
    if any(one.key == "unknown_holidays" for one in days):
        return days  # no deadline can be worked out
    return [
        *days,
        *_health(policy),
        *_signals(policy),
        *_triggers(policy, around),
        *_tiers(policy, now, zone),
        *_capacity(policy),
        *_escalation(policy),
        *_rules(policy, around),
        *_segments(policy, around),
    ]


def _calendar(policy: Policy, now: datetime) -> Iterator[PolicyWarning]:
    rule = policy.calendar
    for day in sorted(set(rule.extra_holidays) & set(rule.extra_workdays)):
        yield PolicyWarning("calendar", "both_days", {"day": day.isoformat()})
    try:
        calendar = policy.working_calendar()
    except ConfigError:
        yield PolicyWarning("calendar.country", "unknown_holidays", {"country": rule.country})
        return
    # A deadline of a few weeks may reach into the next year.
    for year in sorted({now.year, (now + timedelta(days=31)).year}):
        if rule.country == "CN" and not any(calendar.is_working_day(day) for day in _weekends(year)):
            yield PolicyWarning("calendar", "make_up_unknown", {"year": year})


def _weekends(year: int) -> Iterator[date]:
    first = date(year, 1, 1)
    days = (first + timedelta(days=n) for n in range((date(year + 1, 1, 1) - first).days))
    return (day for day in days if day.weekday() >= 5)


def _health(policy: Policy) -> Iterator[PolicyWarning]:
    health = policy.health
    if health.threshold >= health.base:
        values = {"threshold": f"{health.threshold:g}", "base": f"{health.base:g}"}
        yield PolicyWarning("health.threshold", "everybody", dict(values))


def _signals(policy: Policy) -> Iterator[PolicyWarning]:
    known = load_behaviour().patterns
    for name, deed in policy.behaviour.items():
        if name not in known:
            yield PolicyWarning(f"behaviour.{name}", "unknown_behaviour", {"name": name})
        elif deed.points == 0 and deed.tier is None:
            yield PolicyWarning(f"behaviour.{name}", "silent", {"signal": name})
    red = [(name, rule) for name, rule in policy.signals.items() if rule.tier is Tier.RED]
    for name, rule in red:
        worse = [
            (other, each)
            for other, each in policy.signals.items()
            if gravity(each.tier) < gravity(rule.tier) and each.points < rule.points
        ]
        if worse:
            other, each = min(worse, key=lambda pair: pair[1].points)
            values: dict[str, object] = {
                "signal": name,
                "tier": rule.tier.value,
                "points": f"{-rule.points:g}",
                "milder": each.tier.value,
                "other_signal": other,
                "others": f"{-each.points:g}",
            }
            yield PolicyWarning(f"signals.{name}", "lighter", values)


def _triggers(policy: Policy, around: Surroundings) -> Iterator[PolicyWarning]:
    if around.topics is None:
        return
    for topic in policy.triggers.usability_topics:
        if topic not in around.topics:
            yield PolicyWarning("triggers.usability_topics", "unknown_topic", {"topic": topic})


def _tiers(policy: Policy, now: datetime, zone: ZoneInfo) -> Iterator[PolicyWarning]:
    books = load_playbooks()
    for tier, rule in policy.tiers.items():
        at = f"tiers.{tier.value}"
        book = books.get(rule.playbook)
        values: dict[str, object] = {"tier": tier.value, "playbook": rule.playbook}
        if book is None:
            yield PolicyWarning(f"{at}.playbook", "no_playbook", values)
        elif rule.automatic and not book.has_message:
            yield PolicyWarning(f"{at}.playbook", "automatic_without_message", values)
        if not is_named("roles", rule.owner_role):
            # The raw key: it is the missing name that this is about.
            yield PolicyWarning(f"{at}.owner_role", "unnamed_role", {"role": rule.owner_role})
        if not _called(policy, tier):
            yield PolicyWarning(at, "nothing", {"tier": tier.value})
        longest = max(policy.deadline(tier, moment, zone) - moment for moment in _moments(now))
        if timedelta(days=rule.cooldown_days) < longest:
            yield PolicyWarning(
                f"{at}.cooldown_days", "cooldown_short", {"tier": tier.value, "days": rule.cooldown_days}
            )
    yield from _slower(policy, now, zone)


def _called(policy: Policy, tier: Tier) -> bool:
    """Whether anything calls for a tier: low health and repeated complaints always call back."""
    named = {rule.tier for rule in policy.signals.values()} | {
        rule.tier for rule in policy.behaviour.values()
    }
    named |= {Tier.CALLBACK} | {rule.tier for rule in policy.rules}
    return tier in named or (tier is Tier.YELLOW and bool(policy.triggers.usability_topics))


def _slower(policy: Policy, now: datetime, zone: ZoneInfo) -> Iterator[PolicyWarning]:
    """Red that is due later than another tier at some moment of a year; the others may go in any order."""
    for milder in (tier for tier in Tier if tier is not Tier.RED and not policy.tiers[tier].automatic):
        for moment in _moments(now):
            if policy.deadline(Tier.RED, moment, zone) > policy.deadline(milder, moment, zone):
                shown = f"{moment.astimezone(zone):%Y-%m-%d %H:%M}"
                yield PolicyWarning(
                    "tiers.red.deadline",
                    "slower",
                    {"graver": Tier.RED.value, "milder": milder.value, "moment": shown},
                )
                break


def _moments(now: datetime) -> Iterator[datetime]:
    """A moment of every day of a year, at changing hours."""
    return (now + timedelta(hours=hours) for hours in range(0, _HOURS_OF_A_YEAR, 23))


def _capacity(policy: Policy) -> Iterator[PolicyWarning]:
    rules = policy.capacity
    reached: set[str] = set()
    for tier, rule in policy.tiers.items():
        line = rules.line(rule.owner_role)
        reached |= set(line)
        if rule.automatic:
            continue
        if rule.owner_role not in rules.roles:
            yield PolicyWarning("capacity.roles", "no_cap", {"role": rule.owner_role})
        elif len(line) == 1 and tier not in rules.never_wait:
            values: dict[str, object] = {"role": rule.owner_role, "tier": tier.value}
            yield PolicyWarning("capacity.next_in_line", "no_way_on", values)
    over = {step.role for tier in Tier for step in policy.escalation.steps(tier) if step.take_over}
    for role in rules.roles:
        if role not in reached | over:
            yield PolicyWarning(f"capacity.roles.{role}", "idle_role", {"role": role})


def _escalation(policy: Policy) -> Iterator[PolicyWarning]:
    for tier, rule in policy.tiers.items():
        steps = policy.escalation.steps(tier)
        at = f"escalation.tiers.{tier.value}"
        if not steps and not rule.automatic:
            yield PolicyWarning(at, "overdue_to_nobody", {"tier": tier.value})
        elif steps and all(step.role == rule.owner_role for step in steps):
            yield PolicyWarning(at, "same_owner", {"tier": tier.value, "role": rule.owner_role})


def _rules(policy: Policy, around: Surroundings) -> Iterator[PolicyWarning]:
    for rule in policy.rules:
        at = f"rules.{rule.name}"
        for target in rule.tell:
            if around.targets is not None and target not in around.targets:
                yield PolicyWarning(f"{at}.tell", "unknown_target", {"name": rule.name, "target": target})
        for column in rule.when.where:
            if around.columns is not None and column not in around.columns:
                yield PolicyWarning(f"{at}.where", "unknown_column", {"where": at, "column": column})
        for topic in rule.when.topic:
            if around.topics is not None and not any(
                known == topic or known.startswith(f"{topic}/") for known in around.topics
            ):
                yield PolicyWarning(f"{at}.topic", "unknown_topic", {"topic": topic})
        for word in rule.when.contains:
            if len(word.strip()) == 1:
                yield PolicyWarning(f"{at}.contains", "one_letter", {"name": rule.name, "word": word})
    for first, second in combinations(policy.rules, 2):
        if first.when == second.when:
            yield PolicyWarning(
                f"rules.{second.name}", "same_rule", {"name": second.name, "other": first.name}
            )


def _segments(policy: Policy, around: Surroundings) -> Iterator[PolicyWarning]:
    common = policy.model_copy(update={"segments": ()})
    for segment in policy.segments:
        at = f"segments.{segment.name}"
        if policy.within([segment]) == common:
            yield PolicyWarning(at, "no_change", {"name": segment.name})
        for column in segment.who:
            if around.columns is not None and column not in around.columns:
                yield PolicyWarning(f"{at}.who", "unknown_column", {"where": at, "column": column})
