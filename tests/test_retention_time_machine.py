"""Doing the scans again: the same as live, late items and all; another policy compared; what is refused; shadow."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from evals.replay_world import START, ZONE
from evals.replay_world import ReplayLife as Life
from retention.policy import POLICY_FILE, Policy, parse_policy
from retention.replay import World
from retention.replay_report import raised
from retention.shadow import ShadowWatch
from store.clock import MovableClock
from store.errors import ToolInputError
from store.records import Tier
from store.scans import AlertEvent
from store.sqlite_operations import SqliteOperationStore

DAYS = 3
TEXT = POLICY_FILE.read_text(encoding="utf-8")
PRICE = "price: {points: -10, tier: orange}"


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Life]:
    made = Life(tmp_path_factory.mktemp("life"), 20)
    made.live(DAYS)
    yield made
    made.close()


def seen(events: list[AlertEvent]) -> list[tuple[str, str, str, str, tuple[str, ...]]]:
    return sorted(
        (one.alert_id, one.kind, one.at.isoformat(), one.alert.tier.value, one.alert.evidence)
        for one in events
    )


def test_the_live_scans_done_again_give_the_live_alerts_in_every_state(life: Life) -> None:
    live = life.operations.alert_events(START, life.clock.now() + timedelta(seconds=1))
    kinds = {event.kind for event in live}
    assert {"opened", "joined", "closed", "judged"} <= kinds
    report = life.machine.replay(life.book.live(), START, life.clock.now() + timedelta(seconds=1))
    assert (report.recorded, report.daily, report.faithful) == (2 * DAYS, 0, True)
    assert report.same == report.before.alerts == report.after.alerts == len(raised(live)) > 5
    assert report.appear == report.vanish == report.tier_changes == () and report.refusals == ()
    store = SqliteOperationStore(life.redone, MovableClock(START))
    by_scan = ("opened", "raised", "joined")
    redone = store.alert_events(START, life.clock.now())
    store.close()
    assert seen([one for one in redone if one.kind in by_scan]) == seen(
        [one for one in live if one.kind in by_scan]
    )


def test_a_replay_begins_in_the_middle_with_what_stood_then(life: Life) -> None:
    middle = START + timedelta(days=DAYS / 2, hours=1)
    report = life.machine.replay(life.book.live(), middle, life.clock.now() + timedelta(seconds=1))
    assert 0 < report.recorded < 2 * DAYS and report.faithful is True


def test_scans_over_all_that_is_stored_today_would_not_be_the_same(life: Life) -> None:
    """The mark matters: the same scans over the facts of today know late items and new labels too early."""

    class Knowing:
        def __init__(self) -> None:
            self.facts = life.facts

        def __getattr__(self, name: str) -> object:
            return getattr(self.facts, name)

        def as_of(self, horizon: object) -> object:
            return self.facts

    machine = life.machine
    world = World(Knowing(), life.operations, ZONE)  # type: ignore[arg-type]
    again = type(machine)(world, life.book, life.clock, life.workshop)
    report = again.replay(life.book.live(), START, life.clock.now() + timedelta(seconds=1))
    assert report.faithful is False and report.unfaithful


def test_another_policy_is_compared_alert_by_alert(life: Life) -> None:
    """Price calls the director, and nobody is called back: tiers change, alerts vanish."""
    other = parse_policy(TEXT.replace(PRICE, PRICE.replace("orange", "red"))).model_dump(mode="json")
    other["tiers"]["callback"]["minimum_items"] = 99
    end = life.clock.now() + timedelta(seconds=1)
    report = life.machine.replay(Policy.model_validate(other), START, end)
    assert report.faithful is True and report.after.policy_version == 2
    assert report.after.by_tier["red"] > report.before.by_tier["red"]
    assert Tier.RED in {one.after for one in (*report.tier_changes, *report.appear)}
    assert Tier.CALLBACK in {one.before for one in report.vanish}
    assert report.after.by_tier["callback"] == 0 < report.before.by_tier["callback"]
    assert report.same + len(report.vanish) == report.before.alerts
    assert report.same + len(report.appear) == report.after.alerts
    judged = life.operations.verdicts()
    assert report.before.precision.n == len({one.alert_id for one in judged})
    assert report.before.precision.hits >= report.after.precision.hits


def test_a_change_above_capacity_is_refused_unless_forced(life: Life) -> None:
    tight = life.book.live().model_dump(mode="json")
    tight["capacity"]["roles"] = {one: {"open": 1, "week": 1} for one in tight["capacity"]["roles"]}
    tight["capacity"]["next_in_line"] = {}
    candidate = Policy.model_validate(tight)
    with pytest.raises(
        ToolInputError, match=r"more tasks than people can take on: .*week of 2026-06-0"
    ) as said:
        life.machine.gate(candidate)
    assert "takes on 1 a week and 1 open at once" in str(said.value)
    forced = life.machine.gate(candidate, forced=True)
    assert forced["forced"] is True and forced["refusals"] and forced["after"]["over"] > 0


def test_days_before_the_first_scan_are_done_by_what_had_occurred(tmp_path: Path) -> None:
    life = Life(tmp_path, 16)
    for _ in range(3):
        life.clock.at += timedelta(days=1)
        life.happen()
    report = life.machine.replay(life.book.live(), START - timedelta(days=30), life.clock.now())
    assert (report.recorded, report.faithful) == (0, None) and report.daily in (2, 3)
    assert report.before.alerts == report.same > 0
    with pytest.raises(ToolInputError, match="must end after"):
        life.machine.replay(life.book.live(), START, START)
    life.close()


def test_a_shadow_policy_does_each_live_scan_and_sends_nothing(tmp_path: Path) -> None:
    life = Life(tmp_path, 16)
    life.live(1)
    text = re.sub(r"calls_from: \{[^}]*\}", "calls_from: {}", TEXT)
    text = text.replace("tier: orange}", "tier: red}").replace("tier: callback}", "tier: red}")
    life.book.put(text, state="shadow", by="max", why="price hurts")

    @contextmanager
    def stores(version: int, clock: MovableClock) -> Iterator[SqliteOperationStore]:
        store = SqliteOperationStore(tmp_path / f"shadow-{version}.sqlite", clock)
        yield store
        store.close()

    watch = ShadowWatch(World(life.facts, life.operations, ZONE), life.book, life.clock, stores)
    life.live(1)
    assert watch.follow() == 2 and watch.follow() == 0
    life.live(1)  # scans that a process missed are made up for, over what was known at each
    assert watch.follow() == 2
    report = watch.report()
    assert report is not None and (report.policy_version, report.scans) == (2, 4)
    assert report.shadow["red"] > report.live["red"]
    assert {one.policy_version for one in life.operations.alerts()} == {1}
    life.close()
