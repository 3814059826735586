"""What a replay found: alerts that appear, vanish or change tier, how right they are, and the load."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from analytics.estimates import proportion
from retention.policy_replay import ReplayRules
from retention.replay_load import WeekLoad
from retention.risk import gravity
from store.alerts import Alert, Verdict
from store.record import Record
from store.records import Outcome, Tier
from store.scans import AlertEvent

_LEFT = "churned"
_BY_SCAN = ("opened", "raised", "joined")


@dataclass(frozen=True)
class Raised:
    """One alert of a pass: as its last scan left it, when it was opened or raised first, its highest tier."""

    alert: Alert
    at: datetime
    tier: Tier


class Share(Record):
    """`hits` of `n` as a share (0..1) with its 95% interval (Wilson); None where n is too small."""

    n: int
    hits: int
    value: float | None
    ci_low: float | None
    ci_high: float | None


class Change(Record):
    """One alert that one policy raises and the other does not, or not in this tier.

    `before` and `after` are the highest tiers, `at` when it is raised. `instead_of`: the other policy's alert
    of the same customer that rests on some of the same feedback.
    """

    alert_id: str
    customer_id: str
    at: datetime
    before: Tier | None
    after: Tier | None
    causes: tuple[str, ...]
    evidence: tuple[str, ...]
    instead_of: str | None = None


class OwnerWeek(Record):
    """The load of one owner in one week; see `replay_load.WeekLoad`."""

    owner: str
    role: str | None
    week: date
    given: int
    open: int
    waiting: int
    cap_open: int | None
    cap_week: int | None
    over: int


class Side(Record):
    """What one policy does in the span.

    `precision`: of alerts that people judged, accurate. `kept_accurate`: of all alerts judged accurate in
    life, raised here too; `kept_false`: of the false alarms. `left_after`: of alerts old enough to tell,
    those whose customer left within `outcome_days`. `warned`: of customers who left, alerted before;
    `warned_early`: at least `lead_days` before.
    """

    policy_version: int
    alerts: int
    by_tier: dict[str, int]
    precision: Share
    kept_accurate: Share
    kept_false: Share
    left_after: Share
    warned: Share
    warned_early: Share
    load: tuple[OwnerWeek, ...]
    over: int


class ReplayReport(Record):
    """A replay of one policy (`after`) beside the one that was live (`before`), over the same scans.

    `recorded` scans were done over what was known then; `daily` ones, of days without a record, over what had
    occurred by then, as it is labelled today. `faithful`: whether doing the live scans again gave the live
    alerts (None where that was not to be expected: scans left out, or none recorded); `unfaithful` are
    the ids that differ. `forgotten`: feedback and events that live alerts rest on, no longer stored.
    """

    since: datetime
    until: datetime
    recorded: int
    daily: int
    faithful: bool | None
    unfaithful: tuple[str, ...]
    forgotten: int
    before: Side
    after: Side
    same: int
    appear: tuple[Change, ...]
    vanish: tuple[Change, ...]
    tier_changes: tuple[Change, ...]
    refusals: tuple[str, ...] = ()


@dataclass(frozen=True)
class Known:
    """What is known by now of how right alerts were: verdicts in order, outcomes, until when."""

    verdicts: Sequence[Verdict]
    outcomes: Sequence[Outcome]
    judged: Mapping[str, Alert]
    until: datetime


def raised(events: Iterable[AlertEvent]) -> dict[str, Raised]:
    """The alerts that scans opened or raised, by id."""
    found: dict[str, Raised] = {}
    for event in events:
        if event.kind not in _BY_SCAN:
            continue
        before = found.get(event.alert_id)
        if before is None and event.kind == "joined":
            continue
        tier = event.alert.tier
        if before is not None and gravity(before.tier) > gravity(tier):
            tier = before.tier
        found[event.alert_id] = Raised(event.alert, before.at if before else event.at, tier)
    return found


def differing(live: Mapping[str, Raised], again: Mapping[str, Raised]) -> tuple[str, ...]:
    """Ids that only one of two passes raised, or raised at another moment or to another tier."""
    return tuple(
        sorted(
            one
            for one in live.keys() | again.keys()
            if one not in live
            or one not in again
            or (live[one].at, live[one].tier) != (again[one].at, again[one].tier)
        )
    )


def changes(
    before: Mapping[str, Raised], after: Mapping[str, Raised]
) -> tuple[list[Change], list[Change], list[Change]]:
    """Alerts that appear, vanish and change tier from one pass to the other, oldest first."""
    appear = [_change(after[one], None, after[one].tier, before) for one in after.keys() - before.keys()]
    vanish = [_change(before[one], before[one].tier, None, after) for one in before.keys() - after.keys()]
    moved = [
        _change(after[one], before[one].tier, after[one].tier, {})
        for one in after.keys() & before.keys()
        if before[one].tier is not after[one].tier
    ]
    ordered = [sorted(part, key=lambda one: (one.at, one.alert_id)) for part in (appear, vanish, moved)]
    return ordered[0], ordered[1], ordered[2]


def side_of(
    version: int, found: Mapping[str, Raised], load: Sequence[WeekLoad], known: Known, rules: ReplayRules
) -> Side:
    """What one policy did."""
    right = {verdict.alert_id: verdict.verdict == "accurate" for verdict in known.verdicts}
    matched = {one: _same_issue(alert, found) for one, alert in known.judged.items() if one in right}
    hit = [right[one] for one, here in matched.items() if here]
    tiers = Counter(one.tier.value for one in found.values())
    warned, early = _warned(found, known, rules)
    return Side(
        policy_version=version,
        alerts=len(found),
        by_tier={tier.value: tiers[tier.value] for tier in Tier},
        precision=share(hit),
        kept_accurate=share(bool(here) for one, here in matched.items() if right[one]),
        kept_false=share(bool(here) for one, here in matched.items() if not right[one]),
        left_after=share(_left_after(found, known, rules)),
        warned=share(warned),
        warned_early=share(early),
        load=tuple(_owner_week(one) for one in load),
        over=sum(one.over for one in load),
    )


def share(hits: Iterable[bool]) -> Share:
    """A share of known cases with its interval."""
    cases = list(hits)
    found = proportion(len(cases), sum(cases))
    return Share(n=len(cases), hits=sum(cases), value=found.value, ci_low=found.ci_low, ci_high=found.ci_high)


def _change(one: Raised, before: Tier | None, after: Tier | None, others: Mapping[str, Raised]) -> Change:
    alert = one.alert
    same = _same_issue(alert, others)
    return Change(
        alert_id=alert.alert_id,
        customer_id=alert.customer_id,
        at=one.at,
        before=before,
        after=after,
        causes=alert.causes,
        evidence=alert.evidence[:5],
        instead_of=same if same != alert.alert_id else None,
    )


def _same_issue(alert: Alert, found: Mapping[str, Raised]) -> str | None:
    """The alert of that id; else one of the same customer that rests on some of the same feedback."""
    if alert.alert_id in found:
        return alert.alert_id
    rests = set(alert.evidence)
    return next(
        (
            one.alert.alert_id
            for one in found.values()
            if one.alert.customer_id == alert.customer_id and rests.intersection(one.alert.evidence)
        ),
        None,
    )


def _left_after(found: Mapping[str, Raised], known: Known, rules: ReplayRules) -> list[bool]:
    within, left = timedelta(days=rules.outcome_days), _leaving(known)
    return [
        any(one.at < gone <= one.at + within for gone in left.get(one.alert.customer_id, ()))
        for one in found.values()
        if one.at + within <= known.until
    ]


def _warned(found: Mapping[str, Raised], known: Known, rules: ReplayRules) -> tuple[list[bool], list[bool]]:
    """Of each customer who left while the scans went on: warned before at all, and early enough."""
    within, lead = timedelta(days=rules.outcome_days), timedelta(days=rules.lead_days)
    raised_at: dict[str, list[datetime]] = defaultdict(list)
    for one in found.values():
        raised_at[one.alert.customer_id].append(one.at)
    gone = [(one, at) for one, times in _leaving(known).items() for at in times]
    before = [[at - moment for moment in raised_at.get(one, ()) if moment < at] for one, at in gone]
    return (
        [any(ahead <= within for ahead in ones) for ones in before],
        [any(lead <= ahead <= within for ahead in ones) for ones in before],
    )


def _leaving(known: Known) -> dict[str, list[datetime]]:
    found: dict[str, list[datetime]] = defaultdict(list)
    for outcome in known.outcomes:
        if outcome.outcome == _LEFT:
            found[outcome.customer_id].append(outcome.occurred_at)
    return found


def _owner_week(load: WeekLoad) -> OwnerWeek:
    return OwnerWeek(
        owner=load.owner,
        role=load.role,
        week=load.week,
        given=load.given,
        open=load.open,
        waiting=load.waiting,
        cap_open=load.cap.open,
        cap_week=load.cap.week,
        over=load.over,
    )
