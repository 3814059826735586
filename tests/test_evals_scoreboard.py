"""Totals, intervals, pass^k and the page of a run of question cases."""

from typing import Any

import pytest

from evals.question_page import page
from evals.score import TurnScore
from evals.scoreboard import by_case, document, markdown, pass_hat, regressions, wilson


def _score(case: str, trial: int = 1, **parts: Any) -> TurnScore:
    return TurnScore(case=case, turn=1, trial=trial, ask="问", language="zh", dataset="sample", **parts)


def test_wilson_is_the_published_interval() -> None:
    # 81 of 263 is the example of Newcombe 1998, table I, method 3.
    low, high = wilson(81, 263)
    assert (round(low, 4), round(high, 4)) == (0.2553, 0.3662)
    assert wilson(0, 0) == (0.0, 1.0)
    assert wilson(10, 10)[1] == pytest.approx(1.0)


def test_pass_hat_counts_sets_of_trials_that_all_pass() -> None:
    assert pass_hat([(4, 4), (0, 4)], 4) == 0.5
    # Three of four trials pass: 3 of the 6 pairs are both right.
    assert pass_hat([(3, 4)], 2) == 0.5
    assert pass_hat([(3, 4)], 1) == 0.75
    with pytest.raises(ValueError, match="needs 4 trials"):
        pass_hat([(1, 1)], 4)


def test_a_case_is_right_in_a_trial_when_every_turn_is() -> None:
    scores = [_score("a"), _score("a", tools=False), _score("a", trial=2), _score("b"), _score("b", trial=2)]
    assert by_case(scores) == {"a": (1, 2), "b": (2, 2)}


def test_a_run_that_gets_worse_in_one_group_is_a_regression() -> None:
    good = document("offline", [_score("a", habit="terse"), _score("b", habit="typo")])
    bad = document("offline", [_score("a", habit="terse", wrong=["7 shown"]), _score("b", habit="typo")])
    assert regressions(good, good) == []
    worse = regressions(good, bad)
    assert any(line.startswith("habit terse: cases_right 0/1, was 1/1") for line in worse)
    assert any("wrong 1, was 0" in line for line in worse)
    assert any("pass^1" in line for line in worse)
    assert regressions(bad, good) == []


def test_tokens_cost_and_latency_are_told_by_case() -> None:
    scores = [_score("a", elapsed_ms=100, input_tokens=2_000_000, output_tokens=1_000_000), _score("b")]
    use = document("live", scores, (1.0, 4.0))["use"]
    assert use["cost"] == pytest.approx(3.0)
    assert use["p95_ms"] == 100


def test_the_pages_show_misses_and_escape_what_was_said() -> None:
    score = _score("a", habit="terse", words=False, misses=["says '<b>'"], answer="<script>")
    result = document("offline", [score, _score("b", habit="terse")])
    html = page(result, result, ["habit terse: fell"])
    assert "<script>" not in html
    assert "&lt;script&gt;" in html
    assert "habit terse: fell" in html
    assert "says '<b>'" in markdown(result)
