"""The benchmark's scoring: silence is 0, naming each window at its start 100, lateness and noise cost."""

from datetime import datetime, timedelta

import numpy as np
import pytest

from evals.nab_score import PROFILES, Series, best_threshold, corpus_score, count_alarms

STANDARD = PROFILES[0]


def series() -> Series:
    times = tuple(datetime(2026, 1, 1) + timedelta(hours=hour) for hour in range(1000))
    return Series("group/one.csv", times, np.zeros(1000), ((400, 499), (700, 799)))


def alarms(*places: int) -> np.ndarray:
    scores = np.zeros(1000)
    scores[list(places)] = 1.0
    return scores


def score(*places: int) -> float:
    return corpus_score([series()], [alarms(*places)], 0.5, STANDARD)


def test_silence_and_perfection() -> None:
    assert score() == 0
    for profile in PROFILES:
        assert corpus_score([series()], [alarms(400, 700)], 0.5, profile) == pytest.approx(100)


def test_late_alarms_bring_less_and_only_the_first_counts() -> None:
    assert score(400) == pytest.approx(50) and 25 < score(498) < 27
    assert score(450, 480) == score(450) and score(400) > score(450) > score(480)


def test_false_alarms_cost_by_their_distance_and_none_in_the_probation() -> None:
    assert score(400, 100) == score(400)
    # Before any window a false alarm costs its whole weight, of 2 windows worth 2 each on the scale.
    assert score(400, 700, 200) == pytest.approx(100 - 100 * 0.11 / 4)
    assert score(400, 700, 501) > score(400, 700, 600)


def test_the_best_threshold_is_found_for_the_corpus() -> None:
    scores = alarms(400, 700)
    scores[[200, 250, 300]] = 0.4
    assert best_threshold([series()], [scores], STANDARD) == 1.0
    counted = count_alarms([series()], [scores], 0.3)
    assert (counted.found, counted.windows, counted.false) == (2, 2, 3)
