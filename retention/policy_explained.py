"""A policy in plain sentences: what will happen for whom, by when, and who is told when it does not."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from retention.playbooks import load_playbooks
from retention.policy import OTHER_SIGNAL, Policy
from retention.policy_capacity import Cap
from retention.policy_messages_told import messages_told
from retention.policy_rules import Bound, CompanyRule
from retention.policy_surveys_told import surveys_told
from retention.policy_tiers import Deadline
from retention.policy_words import column_name, joined, worded
from retention.risk import gravity
from retention.wording import Language, name_of
from store.records import Tier


class Sentence(NamedTuple):
    """One sentence and the section of the policy that it tells of."""

    section: str
    text: str


def explained(
    policy: Policy,
    language: Language,
    *,
    now: datetime,
    zone: ZoneInfo,
    topic_names: Mapping[str, str] | None = None,
) -> list[Sentence]:
    """The whole policy in sentences, gravest tier first; deadlines with those of an alert raised at `now`.

    `topic_names` by path; a topic without one is called by its path.
    """
    told = _Teller(policy, language, now, zone, topic_names or {})
    return [
        *(Sentence("tiers", text) for text in told.tiers()),
        Sentence("triggers", told.triggers()),
        *(Sentence("rules", told.rule(rule)) for rule in policy.rules),
        *(Sentence("segments", text) for text in told.segments()),
        *(Sentence("capacity", text) for text in told.capacity()),
        *(Sentence("escalation", text) for text in told.escalation()),
        *(Sentence("authority", text) for text in told.authority()),
        *(Sentence("messages", text) for text in messages_told(policy, language)),
        *(Sentence("surveys", text) for text in surveys_told(policy, language)),
        *(Sentence("learnt", text) for text in told.learnt()),
    ]


def tier_name(tier: Tier, language: Language) -> str:
    """What a tier is called."""
    return name_of("tiers", tier.value, language)


class _Teller:
    def __init__(
        self,
        policy: Policy,
        language: Language,
        now: datetime,
        zone: ZoneInfo,
        topic_names: Mapping[str, str],
    ) -> None:
        self._policy, self._language, self._now, self._zone = policy, language, now, zone
        self._topic_names = topic_names

    def tiers(self) -> Iterator[str]:
        for tier in sorted(Tier, key=gravity, reverse=True):
            causes = self._causes(tier)
            name = tier_name(tier, self._language)
            if not causes:
                yield self._said("tiers", "never", tier=name)
                continue
            listed = self._said("causes", "between").join(causes)
            yield "".join([self._said("tiers", "head", tier=name, causes=listed), *self._answer(tier)])

    def _answer(self, tier: Tier) -> Iterator[str]:
        rule = self._policy.tiers[tier]
        due = self._policy.deadline(tier, self._now, self._zone).astimezone(self._zone)
        yield self._sentence(
            "automatic" if rule.automatic else "person",
            role=name_of("roles", rule.owner_role, self._language),
            deadline=self._deadline(rule.deadline),
            example=f"{due:%Y-%m-%d %H:%M}",
        )
        book = load_playbooks().get(rule.playbook)
        if book is not None:
            yield self._sentence("goal", goal=book.goal[self._language])
            yield self._sentence("message" if book.has_message else "no_message")
        if rule.minimum_items > 1:
            yield self._sentence("minimum", n=rule.minimum_items)
        yield self._sentence("cooldown", days=rule.cooldown_days)

    def _sentence(self, key: str, **values: object) -> str:
        """A further sentence about a tier; English parts sentences by a space."""
        return (" " if self._language == "en" else "") + self._said("tiers", key, **values)

    def _causes(self, tier: Tier) -> list[str]:
        policy, said = self._policy, self._said
        signals = [
            name for name, rule in policy.signals.items() if rule.tier is tier and name != OTHER_SIGNAL
        ]
        deeds = [name for name, rule in policy.behaviour.items() if rule.tier is tier]
        found = [said("causes", "said", names=self._names("signals", signals))] if signals else []
        if policy.signals[OTHER_SIGNAL].tier is tier:
            found.append(said("causes", "other"))
        if deeds:
            found.append(said("causes", "did", names=self._names("signals", deeds)))
        if tier is Tier.CALLBACK:
            repeated, triggers = policy.triggers.repeated_negative, policy.triggers
            found.append(said("causes", "repeated", n=repeated.minimum, days=repeated.days))
            found.append(said("causes", "baseline"))
            threshold = f"{policy.health.threshold:g}"
            found.append(said("causes", "health", threshold=threshold, n=triggers.minimum_items))
        if tier is Tier.YELLOW and policy.triggers.usability_topics:
            topics = tuple(self._topic_names.get(one, one) for one in policy.triggers.usability_topics)
            found.append(said("causes", "usability", topics=self._listed(topics)))
        found += [said("causes", "rule", name=rule.name) for rule in policy.rules if rule.tier is tier]
        return found

    def _deadline(self, deadline: Deadline) -> str:
        if deadline.clock_hours is not None:
            return self._said("deadlines", "clock", hours=f"{deadline.clock_hours:g}")
        country = self._policy.calendar.country
        return self._said("deadlines", "working", days=deadline.working_days, country=country)

    def triggers(self) -> str:
        hours = f"{self._policy.alerts.reassess_hours:g}"
        return self._said("triggers", "age", days=self._policy.triggers.signal_days, hours=hours)

    def rule(self, rule: CompanyRule) -> str:
        when, said = rule.when, self._said
        told = [
            said("rules", "where", name=column_name(name, self._language), values=self._either(values))
            for name, values in when.filters().items()
        ]
        if when.contains:
            told.append(said("rules", "contains", values=self._either(when.contains)))
        if when.without:
            told.append(said("rules", "without", values=self._either(when.without)))
        told += [
            said("rules", "scores", name=name_of("scores", name, self._language), bound=self._bound(bound))
            for name, bound in when.scores.items()
        ]
        return said(
            "rules",
            "rule",
            name=rule.name,
            conditions=said("rules", "and").join(told),
            tier=tier_name(rule.tier, self._language),
            tell=said("rules", "tell", names=self._listed(rule.tell)) if rule.tell else "",
        )

    def _bound(self, bound: Bound) -> str:
        given = (("at_least", bound.at_least), ("at_most", bound.at_most))
        told = [self._said("rules", key, value=f"{value:g}") for key, value in given if value is not None]
        return self._said("rules", "and").join(told)

    def segments(self) -> Iterator[str]:
        for segment in self._policy.segments:
            who = [
                self._said(
                    "segments", "value", column=column_name(name, self._language), value=self._either(values)
                )
                for name, values in segment.who.items()
            ]
            changes = segment.change.model_dump(mode="json", exclude_unset=True)
            told = [
                self._said("segments", "value", column=key, value=value) for key, value in leaves_of(changes)
            ]
            yield self._said(
                "segments",
                "segment",
                name=segment.name,
                who=self._said("rules", "and").join(who),
                change=self._said("causes", "between").join(told),
            )

    def capacity(self) -> Iterator[str]:
        rules, said = self._policy.capacity, self._said
        if cap := self._cap(rules.person):
            yield said("capacity", "person", cap=cap)
        for name, limit in (*rules.people.items(), *rules.roles.items()):
            if cap := self._cap(limit):
                yield said("capacity", "role", role=name_of("roles", name, self._language), cap=cap)
        for role, others in rules.next_in_line.items():
            names = self._names("roles", others)
            yield said("capacity", "line", role=name_of("roles", role, self._language), next=names)
        if rules.never_wait:
            tiers = joined([tier_name(tier, self._language) for tier in rules.never_wait], self._language)
            yield said("capacity", "wait", tiers=tiers)

    def _cap(self, cap: Cap) -> str:
        given = (("open", cap.open), ("week", cap.week))
        return self._listed(tuple(self._said("capacity", key, n=n) for key, n in given if n is not None))

    def escalation(self) -> Iterator[str]:
        for tier in sorted(Tier, key=gravity, reverse=True):
            steps = self._policy.escalation.steps(tier)
            name = tier_name(tier, self._language)
            if not steps and not self._policy.tiers[tier].automatic:
                yield self._said("escalation", "nobody", tier=name)
            for step in steps:
                after = self._said("escalation", "at_once")
                if step.after_working_days:
                    after = self._said("escalation", "working", n=step.after_working_days)
                elif step.after_hours:
                    after = self._said("escalation", "hours", n=f"{step.after_hours:g}")
                over = self._said("escalation", "over") if step.take_over else ""
                role = name_of("roles", step.role, self._language)
                yield self._said("escalation", "step", tier=name, role=role, after=after, over=over)

    def authority(self) -> Iterator[str]:
        rules = self._policy.authority
        for role, limit in rules.roles.items():
            yield self._said(
                "authority",
                "role",
                role=role,
                case=f"{limit.case:g}",
                customer=f"{limit.customer:g}",
                currency=rules.currency,
                days=rules.days,
            )

    def learnt(self) -> Iterator[str]:
        found = self._policy.learnt
        if not found.empty:
            yield self._said(
                "learnt",
                "learnt",
                verdicts=found.verdicts,
                accurate=found.accurate,
                weights=len(found.weights),
                causes=len(found.call_at.causes),
            )

    def _said(self, group: str, key: str, **values: object) -> str:
        return worded(group, key, self._language, **values)

    def _names(self, group: str, keys: "list[str] | tuple[str, ...]") -> str:
        return joined([name_of(group, key, self._language) for key in keys], self._language)

    def _listed(self, values: tuple[str, ...]) -> str:
        return joined(values, self._language)

    def _either(self, values: tuple[str, ...]) -> str:
        return self._said("rules", "or").join(f"“{value}”" for value in values)


def leaves_of(content: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    """Every value of a nested mapping with the path of its keys, joined by dots."""
    for key, value in content.items():
        at = f"{path}.{key}" if path else str(key)
        if isinstance(value, Mapping) and value:
            yield from leaves_of(value, at)
        else:
            yield at, value
