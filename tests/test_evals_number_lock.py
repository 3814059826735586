"""The suite of the number lock: its cases are sound, and the kept report was made from them."""

import hashlib
from collections import Counter
from pathlib import Path

import pytest

from evals.number_lock import BATCHES, Locks, load_cases
from evals.reports import read_report


@pytest.mark.parametrize("batch", list(BATCHES))
def test_half_of_the_sentences_hold_one_fault_and_half_are_chinese(batch: str) -> None:
    cases = load_cases(batch)
    assert len({case["id"] for case in cases}) == len(cases)
    faults = Counter(bool(case["fault"]) for case in cases)
    languages = Counter(case["language"] for case in cases)
    assert faults[True] == faults[False]
    assert abs(languages["zh"] - languages["en"]) <= 0.1 * len(cases)
    assert {case["fault"] for case in cases} == {
        None, "figure", "unit", "attribution", "direction", "rank", "citation",
    }  # fmt: skip


def test_there_are_enough_sentences_over_enough_results() -> None:
    cases = load_cases("seen")
    assert len(cases) >= 600
    assert len({one for case in cases for one in case["of"]}) >= 12
    locks = Locks()
    assert all(locks.of(case["of"]) for case in cases)


@pytest.mark.parametrize("batch", list(BATCHES))
def test_the_kept_report_is_of_these_sentences(batch: str) -> None:
    file = Path("evals/cases") / BATCHES[batch]
    kept = read_report("number_lock")[batch]["fingerprint"]
    assert kept == hashlib.sha256(file.read_bytes()).hexdigest()[:12]
