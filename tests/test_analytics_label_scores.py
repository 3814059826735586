"""Scores of labels against ones worked out by hand and by scikit-learn."""

import numpy as np
import pytest
from sklearn.metrics import f1_score, precision_recall_fscore_support

from analytics.label_scores import calibration, score_multiple, score_single
from analytics.paired import mcnemar, paired_difference

NAMES = ("positive", "neutral", "negative")


def test_single_labels_agree_with_scikit_learn() -> None:
    draw = np.random.default_rng(3)
    truth = [NAMES[at] for at in draw.integers(0, 3, 300)]
    given = [one if draw.random() < 0.7 else NAMES[draw.integers(0, 3)] for one in truth]
    found = score_single(truth, given, NAMES)
    precision, recall, f1, support = precision_recall_fscore_support(truth, given, labels=list(NAMES))
    assert [one.support for one in found.labels] == support.tolist()
    for at, one in enumerate(found.labels):
        assert (one.precision.value, one.recall.value, one.f1.value) == pytest.approx(
            (precision[at], recall[at], f1[at])
        )
        assert one.f1.value is not None and one.f1.ci_low is not None and one.f1.ci_high is not None
        assert one.f1.ci_low < one.f1.value < one.f1.ci_high
    assert found.macro_f1.value == pytest.approx(f1.mean())
    assert found.accuracy.value == pytest.approx(np.mean(np.array(truth) == np.array(given)))
    assert found.confusion is not None
    assert sum(map(sum, found.confusion)) == 300


def test_a_label_that_is_never_true_does_not_weigh_on_the_macro_figure() -> None:
    found = score_single(["positive", "negative"], ["positive", "neutral"], NAMES)
    # positive 1.0, negative 0.0; neutral occurs nowhere among the true labels.
    assert found.macro_f1.value == pytest.approx(0.5)
    assert {one.label: one.recall.value for one in found.labels} == {
        "positive": 1.0,
        "neutral": None,
        "negative": 0.0,
    }


def test_several_labels_agree_with_scikit_learn() -> None:
    draw = np.random.default_rng(5)
    names = ("a", "b", "c")
    truth = draw.random((200, 3)) < 0.4
    given = truth ^ (draw.random((200, 3)) < 0.15)
    found = score_multiple(_sets(truth, names), _sets(given, names), names)
    assert found.macro_f1.value == pytest.approx(f1_score(truth, given, average="macro"))
    assert found.micro_f1.value == pytest.approx(f1_score(truth, given, average="micro"))
    assert found.accuracy.value == pytest.approx((truth == given).all(axis=1).mean())
    assert found.confusion is None
    for figure in (found.macro_f1, found.micro_f1):
        assert figure.ci_low is not None and figure.ci_high is not None and figure.value is not None
        assert figure.ci_low < figure.value < figure.ci_high


def test_the_interval_covers_the_true_rate_about_as_often_as_it_says() -> None:
    draw = np.random.default_rng(11)
    covered = 0
    for _ in range(60):
        truth = ["positive" if one else "negative" for one in draw.random(150) < 0.5]
        wrong = draw.random(150) < 0.2
        given = [
            ("negative" if one == "positive" else "positive") if flip else one
            for one, flip in zip(truth, wrong, strict=True)
        ]
        found = score_single(truth, given, NAMES).macro_f1
        assert found.ci_low is not None and found.ci_high is not None
        covered += found.ci_low <= 0.8 <= found.ci_high
    assert 52 <= covered <= 60


def test_calibration_of_a_labeller_that_is_always_right_but_says_sixty_percent() -> None:
    found = calibration(np.full(10, 0.65), np.ones(10, dtype=bool))
    assert found.ece == pytest.approx(0.35)
    assert [(one.n, round(one.confidence, 6), one.accuracy) for one in found.bins] == [(10, 0.65, 1.0)]


def test_calibration_weighs_bins_by_their_items_and_takes_full_confidence() -> None:
    confidence = np.array([1.0, 1.0, 1.0, 0.5])
    right = np.array([True, True, False, True])
    assert calibration(confidence, right).ece == pytest.approx(0.75 * (1 / 3) + 0.25 * 0.5)


def test_no_rows_give_no_figures() -> None:
    found = score_single([], [], NAMES)
    assert (found.n, found.accuracy.value, found.macro_f1.value) == (0, None, None)
    assert score_multiple([], [], ()).micro_f1.value is None


def test_mcnemar_counts_what_only_one_gets_right() -> None:
    before = np.array([True] * 10 + [False] * 12)
    after = np.array([True] * 9 + [False] + [True] * 10 + [False] * 2)
    found = mcnemar(before, after)
    assert (found.gained, found.lost) == (10, 1)
    # Two-sided binomial: 2 * (C(11,0) + C(11,1)) / 2^11.
    assert found.p_value == pytest.approx(2 * 12 / 2048)
    assert mcnemar(before, before).p_value == 1.0


def test_a_paired_difference_of_equal_labellers_is_zero_with_no_width() -> None:
    found = paired_difference(50, lambda places: 0.0)
    assert (found.value, found.ci_low, found.ci_high) == (0.0, 0.0, 0.0)


def _sets(
    table: "np.ndarray[tuple[int, ...], np.dtype[np.bool_]]", names: tuple[str, ...]
) -> list[frozenset[str]]:
    return [frozenset(name for name, held in zip(names, row, strict=True) if held) for row in table]
