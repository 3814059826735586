"""What a learnt section does to one customer, and what it can never do."""

from datetime import timedelta

import pytest

from analytics.health import Health, Part
from retention.behaviour import load_behaviour
from retention.contexts import addends, contexts_of
from retention.learnt_weights import explored, reweighed, times_of
from retention.policy import Policy, load_policy
from retention.policy_learnt import CallAt, Learnt
from retention.risk import Risk, assess
from store.facts import Voice
from store.records import Sentiment, Tier
from tests.retention_world import NOW, ago


def learnt(**section: object) -> Policy:
    found = Learnt.model_validate({"verdicts": 100, "accurate": 50, **section})
    policy = load_policy()
    return policy.model_copy(
        update={"learnt": found, "learning": policy.learning.model_copy(update={"explored": 0.0})}
    )


def says(*signals: str, days: float = 1, scores: dict[str, float] | None = None) -> Voice:
    return Voice("c1", f"f{days}", ago(days), scores or {}, Sentiment.NEGATIVE, (), signals)


def risk(policy: Policy, *voices: Voice) -> Risk:
    return assess("c1", voices, [], policy=policy, behaviour=load_behaviour(), now=NOW)


def test_a_weight_changes_its_own_part_and_the_parts_still_add_up() -> None:
    before = risk(load_policy(), says("refund", "price"))
    after = risk(learnt(weights={"signal/refund": 0.5}), says("refund", "price"))
    points = [{part.detail: part for part in one.health.parts} for one in (before, after)]
    assert points[1]["refund"].points == pytest.approx(points[0]["refund"].points / 2, abs=0.1)
    assert points[1]["refund"].figures["times"] == 0.5
    assert points[1]["price"] == points[0]["price"]
    health = after.health
    assert health.base + sum(part.points for part in health.parts) == pytest.approx(health.health, abs=0.05)
    assert health.probability < before.health.probability


def test_points_that_are_weighed_are_cut_at_the_ends_of_the_scale_again() -> None:
    parts = (Part("signal", -45, detail="refund"), Part("score_level", -30), Part("limit", 0.0))
    health = Health(0, 0.9, 75, parts, 3, loyal=False)
    found = reweighed(health, learnt(weights={"score_level": 1.6}))
    assert found.health == 0 and sum(part.points for part in found.parts) == pytest.approx(-75)
    assert [part.points for part in found.parts if part.name == "limit"] == [pytest.approx(18)]


def test_bounds_hold_whatever_the_section_says() -> None:
    policy = learnt(weights={"signal/refund": 0.01, "signal/cancel": 0.01, "silence": 4})
    assert times_of("signal/refund", policy) == policy.learning.times[0]
    assert times_of("signal/cancel", policy) == policy.learning.red_times[0]
    assert times_of("silence", policy) == policy.learning.times[1]
    assert times_of("signal/price", policy) == 1


def test_a_threshold_silences_its_cause_and_no_other() -> None:
    policy = learnt(call_at={"causes": {"refund": 55}})
    assert risk(policy, says("refund")).triggers == ()
    assert risk(policy, says("price")).tier is Tier.ORANGE
    both = risk(policy, says("refund", "price"))
    assert [trigger.cause for trigger in both.triggers] == ["price"]


def test_a_context_shifts_the_threshold_and_a_high_score_always_calls() -> None:
    quiet = learnt(call_at={"causes": {"refund": 30}, "contexts": {"scores/high": 40}})
    scores = [says(days=day, scores={"nps": 10.0}) for day in (300, 200, 100)]
    assert risk(quiet, says("refund")).tier is Tier.CALLBACK
    assert risk(quiet, says("refund"), *scores).triggers == ()
    loud = learnt(
        call_at={"causes": {"refund": 100, "competitor": 100, "health": 100, "repeated_negative": 100}}
    )
    low = [says("refund", "competitor", days=day, scores={"nps": 0.0}) for day in (4, 3, 2, 1)]
    assert 100 - risk(loud, *low).health.health >= loud.learning.call_at_most
    assert risk(loud, *low).tier is Tier.ORANGE


def test_an_announced_leaving_stays_red_and_other_red_becomes_a_call_back_at_least() -> None:
    deaf = learnt(
        weights={"signal/cancel": 0.01, "signal/conflict": 0.01},
        call_at={"causes": {"cancel": 100, "conflict": 100}, "contexts": {"complaints/once": 100}},
    )
    assert risk(deaf, says("cancel")).tier is Tier.RED
    assert risk(deaf, says("conflict")).tier is Tier.CALLBACK


def test_a_share_of_customers_is_called_for_whatever_was_learnt() -> None:
    drawn = [explored(f"c{n}", NOW, 0.02) for n in range(20_000)]
    assert sum(drawn) == pytest.approx(400, abs=80)
    assert [explored(f"c{n}", NOW + timedelta(days=5), 0.02) for n in range(2000)] == drawn[:2000]
    assert [explored(f"c{n}", NOW + timedelta(days=30), 0.02) for n in range(2000)] != drawn[:2000]
    policy = learnt(call_at={"causes": {"refund": 60}})
    every = policy.model_copy(update={"learning": policy.learning.model_copy(update={"explored": 1.0})})
    assert risk(every, says("refund")).tier is Tier.CALLBACK


def test_a_situation_does_not_depend_on_what_was_learnt_of_it() -> None:
    voices = [says("refund", days=2), says("refund", days=1, scores={"nps": 9.0})]
    plain, weighed = (
        risk(policy, *voices)
        for policy in (load_policy(), learnt(weights={"signal/refund": 0.4, "score_level": 1.6}))
    )
    assert contexts_of(addends(plain.health.parts)) == contexts_of(addends(weighed.health.parts))
    assert contexts_of(addends(plain.health.parts)) == ("scores/high", "behaviour/none", "complaints/again")


def test_nothing_learnt_changes_nothing() -> None:
    assert Learnt().empty and CallAt() == Learnt().call_at
    assert risk(load_policy(), says("refund")) == risk(learnt(), says("refund"))
