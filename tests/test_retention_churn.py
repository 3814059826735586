"""Churn learnt from a real store: by time, without a look ahead, and only where it beats the rules."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from retention.behaviour import load_behaviour
from retention.churn import ChurnModels, LearntChurn, gone_by, learn_churn
from retention.churn_features import features, features_question
from retention.churn_ranking import rank_customers
from retention.policy import Policy, load_policy
from store.records import Outcome, Sentiment
from tests.retention_world import NOW, World, ago
from tools.churn import churn_risk
from tools.customers import customer_360
from tools.registry import spec

RISK, ALL = spec(churn_risk), spec(customer_360)
BAD, GOOD = Sentiment.NEGATIVE, Sentiment.POSITIVE


@pytest.fixture(scope="module")
def learnable(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """360 customers in a year: two of three fall silent and leave; a quarter always complain."""
    world = World(tmp_path_factory.mktemp("churn"))
    rng = np.random.default_rng(2)
    outcomes = []
    for number in range(360):
        name, loud = f"c{number:03d}", number % 4 == 0
        leaves = float(rng.uniform(0, 300)) if number % 3 else None
        for day in rng.uniform(0, 360, 14):
            if leaves is None or day > leaves + 80 or (day > leaves and rng.random() < 0.2):
                world.says(name, float(day), "话", BAD if loud else GOOD, nps=9 if number % 5 else 4)
        if leaves is not None:
            outcomes.append(Outcome(customer_id=name, occurred_at=ago(leaves), outcome="churned"))
        else:
            day = float(rng.uniform(0, 300))
            outcomes.append(Outcome(customer_id=name, occurred_at=ago(day), outcome="renewed"))
    world.facts.add_outcomes(outcomes)
    world.context()
    yield world
    world.close()


def policy(**changes: object) -> Policy:
    loaded = load_policy()
    rules = {"horizon_days": (30,), "minimum_left": 20, "minimum_left_held_out": 10, **changes}
    return loaded.model_copy(update={"churn": loaded.churn.model_copy(update=rules)})


def test_a_model_is_learnt_where_silence_tells_and_beats_the_rules(learnable: World) -> None:
    models = ChurnModels()
    learnt = models.learnt(learnable.facts, NOW, now=NOW, policy=policy())
    assert learnt.refusal is None and learnt.in_use is not None and learnt.beside is not None
    judged, gain = learnt.in_use.judged, learnt.beside.difference.value
    assert judged.auc.value is not None and judged.auc.value > 0.7
    assert gain is not None and gain > 0
    assert learnt.horizon_days == 30 and len(learnt.cutoffs) >= 3
    assert max(learnt.cutoffs) + timedelta(days=30) <= (learnt.known_until or NOW)
    assert models.learnt(learnable.facts, NOW, now=NOW, policy=policy()) is learnt


def test_probabilities_and_their_reasons_come_with_the_ranking(learnable: World) -> None:
    learnt = ChurnModels().learnt(learnable.facts, NOW, now=NOW, policy=policy())
    ranking = rank_customers(learnable.facts, learnt, NOW, policy())
    told = [ranking.probability(risk) for risk in ranking.portfolio.risks]
    assert told == sorted(told, reverse=True) and ranking.screened is None
    assert {risk.customer_id for risk in ranking.portfolio.staying().risks} <= ranking.verdicts.keys()
    parts = ranking.verdicts[ranking.portfolio.risks[0].customer_id].contributions
    assert max(parts, key=lambda name: parts[name]) in ("silence", "items_change", "complaints")


def test_more_customers_than_the_bound_are_screened_and_the_worst_assessed(learnable: World) -> None:
    rules = policy(exact_customers=50, screened_to=40)
    learnt = ChurnModels().learnt(learnable.facts, NOW, now=NOW, policy=rules)
    by_model = rank_customers(learnable.facts, learnt, NOW, rules)
    everyone = rank_customers(learnable.facts, learnt, NOW, policy())
    assert len(by_model.portfolio.risks) == 40 and by_model.screened == 120
    first = [risk.customer_id for risk in by_model.portfolio.risks][:10]
    assert first == [risk.customer_id for risk in everyone.portfolio.staying().risks][:10]
    assert len(by_model.portfolio.left) == 240
    by_rules = rank_customers(learnable.facts, LearntChurn(None, "no_outcomes"), NOW, rules)
    exact = rank_customers(learnable.facts, LearntChurn(None, "no_outcomes"), NOW, policy())
    worst = {risk.customer_id for risk in exact.portfolio.staying().risks[:10]}
    assert len(worst & {risk.customer_id for risk in by_rules.portfolio.risks}) >= 8
    some = rank_customers(learnable.facts, learnt, NOW, policy(exact_customers=5), ["c000", "c003", *"abcde"])
    assert {risk.customer_id for risk in some.portfolio.risks} == {"c000", "c003"}


def test_outcomes_dealt_at_random_give_no_model(learnable: World) -> None:
    table = learnable.facts.outcome_table()
    drawn = np.random.default_rng(0).permutation(len(table.ids))
    dealt = replace(table, ids=[table.ids[at] for at in drawn])
    until = NOW - timedelta(days=1)
    assert learn_churn(learnable.facts, dealt, until, policy()).in_use is None


def test_nothing_from_the_cutoff_on_is_looked_at(tmp_path: Path) -> None:
    seen = {}
    for hours in (-12, 12):
        world = World(tmp_path / str(hours))
        world.says("a", 100, "好", GOOD, nps=9)
        world.says("a", 30 - hours / 24, "我要解约", BAD, signals=("cancel",), nps=1)
        world.does("a", 30 - hours / 24, "search", "怎么注销账号")
        world.context()
        cutoff, rules = ago(30), load_policy()
        question = features_question(world.facts, cutoff, rules, load_behaviour())
        table = world.facts.customer_features(question)
        seen[hours] = {n: float(v[0]) for n, v in features(table, cutoff, ago(200), rules)}
        world.close()
    before, after = seen[-12], seen[12]
    assert before["signal:cancel"] > 0 == after["signal:cancel"]
    assert before["deed:cancel_search"] > 0 and "deed:cancel_search" not in after
    assert before["items"] > 0 == after["items"] and after["score_level"] == 0.9
    assert before["silence"] < after["silence"] == pytest.approx(np.log1p(70))


def test_what_the_customer_table_says_today_is_no_feature(learnable: World) -> None:
    rules = load_policy()
    question = features_question(learnable.facts, NOW, rules, load_behaviour())
    table = learnable.facts.customer_features(question)
    names = {name for name, _ in features(table, NOW, ago(360), rules)}
    assert not names & {"lifetime_value", "renewal_on", "tier", "outcome"} and "tenure" in names


def test_without_enough_outcomes_the_rules_are_used_and_it_is_said(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.says("a", 1, "我要解约", BAD, signals=("cancel",))
    result = RISK.run({"language": "en"}, world.context())
    assert result.data["model"] == {
        "kind": "rules",
        "reason": "no_outcomes",
        "horizon_days": None,
        "outcomes_until": None,
    }
    assert any("no outcomes" in caveat for caveat in result.caveats)
    world.facts.add_outcomes([Outcome(customer_id="b", occurred_at=ago(5), outcome="churned")])
    assert RISK.run({}, world.context()).data["model"]["reason"] == "short_history"
    assert gone_by(world.facts.outcome_table(), NOW) == {"b"}
    world.close()


def test_the_tool_says_what_its_probability_rests_on(learnable: World) -> None:
    result = RISK.run({"language": "en", "limit": 3}, learnable.context())
    model = result.data["model"]
    assert model["kind"] == "trained" and model["reason"] is None
    assert model["held_out_left"] >= 25 and model["auc_low"] > 0.5
    assert result.data["customers"][0]["probability_by"] == "model"
    assert result.data["customers"][0]["model_reasons"]
    assert any("learnt from past outcomes" in caveat for caveat in result.caveats)
    first = result.data["customers"][0]
    alone = ALL.run({"customer_id": first["customer_id"], "language": "en"}, learnable.context())
    assert alone.data["risk"]["probability"] == first["probability"]
