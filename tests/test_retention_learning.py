"""Verdicts teach: similar situations, within bounds, proven on verdicts that were not learnt from, or not at all."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from evals.learning_world import NOW, Drawn, draw_cases
from retention.learning import learn, truly_accurate, with_lesson
from retention.lesson_figures import lesson_figures
from retention.lessons import lesson_now, with_learnt
from retention.policy import POLICY_FILE, load_policy, parse_policy
from retention.policy_book import PolicyBook
from retention.policy_learnt import Learnt
from retention.verdict_cases import VerdictCase, score_of, would_call
from retention.verdict_model import VerdictModel, fit_verdicts
from store.alerts import VerdictKind
from store.clock import FixedClock
from store.sqlite_operations import SqliteOperationStore
from store.sqlite_policy_versions import SqlitePolicyVersions
from tests.retention_world import NOW as TODAY
from tests.retention_world import World
from tests.test_retention_alerts import scan

POLICY = load_policy()


def share(cases: list[Drawn]) -> float:
    return sum(one.true for one in cases) / len(cases)


@pytest.fixture(scope="module")
def drawn() -> list[Drawn]:
    return draw_cases("separable", 200, seed=31, policy=POLICY)


def cases(drawn: list[Drawn]) -> list[VerdictCase]:
    return [one.case for one in drawn]


def test_two_hundred_verdicts_make_alerts_of_other_customers_right_more_often(drawn: list[Drawn]) -> None:
    lesson = learn(cases(drawn), POLICY)
    assert lesson.refused is None and lesson.learnt is not None and lesson.held_out is not None
    held_out = lesson.held_out
    assert held_out.before.n == 100 and held_out.gap.significant
    assert held_out.before.value is not None and held_out.after.value is not None
    assert held_out.before.value < held_out.after.value
    changed = with_lesson(POLICY, lesson.learnt)
    fresh = draw_cases("separable", 300, seed=4031, policy=POLICY)
    called = [one for one in fresh if would_call(one.case, changed)]
    assert share(called) > share(fresh) + 0.1
    assert sum(one.true for one in called) > 0.7 * sum(one.true for one in fresh)
    announced = [one for one in fresh if one.announced]
    assert announced and all(would_call(one.case, changed) for one in announced)


def test_what_is_learnt_keeps_its_bounds(drawn: list[Drawn]) -> None:
    learnt = learn(cases(drawn), POLICY).learnt
    assert learnt is not None and (learnt.verdicts, learnt.accurate) == (
        200,
        sum(d.case.right for d in drawn),
    )
    low, high = POLICY.learning.times
    assert all(low <= times <= high for times in learnt.weights.values())
    assert learnt.weights.get("signal/cancel", 1.0) >= POLICY.learning.red_times[0]
    assert "cancel" not in learnt.call_at.causes


def test_false_alarms_lower_similar_situations_and_not_all(drawn: list[Drawn]) -> None:
    before = cases(drawn)
    pattern = next(
        one for one in before if one.causes[0] == "refund" and "scores/high" in one.contexts and not one.right
    )
    alarms = [
        replace(pattern, alert_id=f"more-{n}", customer_id=f"more-{n}", at=NOW - timedelta(minutes=n))
        for n in range(12)
    ]
    first, second = (fit_verdicts(found, POLICY) for found in (before, [*before, *alarms]))

    def chance(model: VerdictModel, case: VerdictCase) -> float:
        learnt = model.learnt(0.0, before, POLICY)
        changed = with_lesson(POLICY, learnt)
        at = learnt.call_at
        asked = at.causes[case.causes[0]] + sum(at.contexts.get(one, 0) for one in case.contexts)
        return score_of(case, changed) - asked

    def fell(case: VerdictCase) -> float:
        return chance(first, case) - chance(second, case)

    others = [
        one
        for one in before
        if one.causes[0] in second.causes
        and one.causes[0] not in ("refund", "cancel")
        and "refund" not in one.causes
        and "scores/high" not in one.contexts
    ]
    mean = sum(fell(one) for one in others) / len(others)
    assert fell(pattern) > 2 and abs(mean) < fell(pattern) / 3


def test_nothing_is_learnt_from_few_or_one_sided_verdicts_or_where_the_policy_is_right(
    drawn: list[Drawn],
) -> None:
    found = cases(drawn)
    assert learn(found[:39], POLICY).refused == "too_few"
    assert learn([], POLICY).refused == "too_few"
    assert learn([replace(one, right=True) for one in found], POLICY).refused == "one_sided"
    right = [one.case for one in draw_cases("policy_right", 200, seed=5, policy=POLICY)]
    assert learn(right, POLICY).refused == "reached"


def test_verdicts_without_a_pattern_are_refused() -> None:
    for seed in (6, 7):
        found = [one.case for one in draw_cases("no_pattern", 120, seed=seed, policy=POLICY)]
        lesson = learn(found, POLICY)
        assert lesson.refused in ("nothing", "not_proven") and lesson.learnt is None


def test_a_lesson_that_the_newest_verdicts_contradict_is_refused(drawn: list[Drawn]) -> None:
    found = cases(drawn)
    turned = [*found[:140], *(replace(one, right=not one.right) for one in found[140:])]
    lesson = learn(turned, POLICY)
    assert lesson.refused in ("not_proven", "nothing") and lesson.learnt is None


def test_the_same_verdicts_teach_the_same_whatever_was_learnt_before(drawn: list[Drawn]) -> None:
    learnt = learn(cases(drawn), POLICY).learnt
    assert learnt is not None
    assert learn(cases(drawn), with_lesson(POLICY, learnt)).learnt == learnt


def test_slips_of_judgement_are_taken_out() -> None:
    assert truly_accurate(30, 100, 0.0) == 30
    assert truly_accurate(5, 100, 0.05) == 0
    assert truly_accurate(95, 100, 0.05) == pytest.approx(100)
    assert truly_accurate(1, 100, 0.05) == 0


def test_the_section_is_put_into_the_text_once_and_the_rest_stays() -> None:
    text = POLICY_FILE.read_text(encoding="utf-8")
    first = with_learnt(text, Learnt(verdicts=50, accurate=20, weights={"signal/refund": 0.5}))
    second = with_learnt(first, Learnt(verdicts=90, accurate=40, weights={"silence": 1.2}))
    assert first.startswith(text.rstrip("\n")) and second.startswith(text.rstrip("\n"))
    assert parse_policy(second).learnt == Learnt(verdicts=90, accurate=40, weights={"silence": 1.2})
    assert with_learnt(second, None) == text
    followed = with_learnt(first + "\n# kept\nlearning: {explored: 0.5}\n".replace("learning", "extra"), None)
    assert (
        followed.endswith("# kept\nextra: {explored: 0.5}\n") and "learnt" not in followed.split("# kept")[1]
    )


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.close()


def test_verdicts_in_the_store_become_a_version_that_can_be_put(world: World) -> None:
    from store.records import Sentiment

    wanted = 48
    for n in range(wanted):
        leaves = n % 2 == 0
        signal = ("competitor",) if leaves else ("refund",)
        world.says(f"c{n}", 1, "退款" if not leaves else "换别家", Sentiment.NEGATIVE, signals=signal)
        for day in (300, 200, 100):
            world.says(f"c{n}", day, nps=7.0 if not leaves else 4.0)
    assert scan(world).opened == wanted
    for n, alert in enumerate(
        sorted(world.operations.alerts(), key=lambda one: (int(one.customer_id[1:]) * 7) % 48)
    ):
        clock = FixedClock(TODAY + timedelta(minutes=n))
        operations = SqliteOperationStore(world.home / "operations.sqlite", clock)
        verdict: VerdictKind = "accurate" if int(alert.customer_id[1:]) % 2 == 0 else "false_alarm"
        operations.record_verdict(alert.alert_id, verdict, "", actor="ann")
        operations.close()
    assert all(verdict.parts for verdict in world.operations.verdicts())
    store = SqlitePolicyVersions(world.home / "operations.sqlite")
    clock = FixedClock(TODAY + timedelta(days=1))
    book = PolicyBook(store, clock)
    found = lesson_now(world.operations, book)
    assert found.lesson.refused is None and found.text is not None
    told = {language: lesson_figures(found, language) for language in ("zh", "en")}
    assert told["zh"]["learnt"] and "48 条判定" in told["zh"]["says"] and "48 verdicts" in told["en"]["says"]
    refund = next(one for one in told["en"]["changes"] if (one["what"], one["key"]) == ("call_at", "refund"))
    assert refund["before"] == 0 < refund["after"] and "a refund" in refund["says"]
    assert (
        told["en"]["held_out"]["precision_after"]["value"]
        > told["en"]["held_out"]["precision_before"]["value"]
    )
    book.put(found.text, state="live", by="ann", why="verdicts")
    again = lesson_now(world.operations, book)
    assert again.text is None and again.lesson.learnt == found.lesson.learnt
    assert "already" in lesson_figures(again, "en")["says"]
    world.says("new", -0.9, "退款", Sentiment.NEGATIVE, signals=("refund",))
    for day in (300, 200, 100):
        world.says("new", day, nps=10.0)
    store.close()
