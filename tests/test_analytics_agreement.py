"""Agreement against worked examples."""

import pytest

from analytics.agreement import agreement


def _said(*rows: tuple[str, ...]) -> list[dict[str, frozenset[str]]]:
    people = "abcd"
    return [
        {person: frozenset({value}) for person, value in zip(people, row, strict=False) if value}
        for row in rows
    ]


def test_kappa_of_a_worked_example() -> None:
    # Cohen's 2 x 2 example: 20 yes/yes, 5 yes/no, 10 no/yes, 15 no/no gives (0.7 - 0.5) / 0.5 = 0.4.
    said = _said(*[("y", "y")] * 20, *[("y", "n")] * 5, *[("n", "y")] * 10, *[("n", "n")] * 15)
    found = agreement(said, multiple=False)
    assert found is not None and found.kappa is not None
    assert found.kappa.value == pytest.approx(0.4)
    assert found.same.value == pytest.approx(0.7)
    assert found.kappa.ci_low is not None and found.kappa.ci_high is not None
    assert 0.1 < found.kappa.ci_low < 0.4 < found.kappa.ci_high < 0.7


def test_alpha_of_krippendorffs_own_example() -> None:
    # Krippendorff 2011, "Computing Krippendorff's Alpha-Reliability", section C: four observers, missing data.
    table = [
        ("1", "1", "", "1"), ("2", "2", "3", "2"), ("3", "3", "3", "3"), ("3", "3", "3", "3"), ("2", "2", "2", "2"),
        ("1", "2", "3", "4"), ("4", "4", "4", "4"), ("1", "1", "2", "1"), ("2", "2", "2", "2"), ("", "5", "5", "5"),
        ("", "", "1", "1"), ("", "", "3", ""),
    ]  # fmt: skip
    found = agreement(_said(*table), multiple=False)
    assert found is not None
    assert found.alpha.value == pytest.approx(0.743, abs=5e-4)
    assert (found.texts, found.annotators, found.kappa) == (11, 4, None)


def test_several_labels_are_one_question_each() -> None:
    said = [
        {"a": frozenset({"x"}), "b": frozenset({"x"})},
        {"a": frozenset({"x", "y"}), "b": frozenset({"x"})},
        {"a": frozenset[str](), "b": frozenset[str]()},
        {"a": frozenset({"y"}), "b": frozenset({"y"})},
    ]
    found = agreement(said, multiple=True)
    assert found is not None and found.kappa is not None
    # Eight answers: 3 yes/yes, 1 yes/no, 4 no/no; chance 4/8 * 3/8 + 4/8 * 5/8 = 0.5.
    assert found.kappa.value == pytest.approx((7 / 8 - 0.5) / 0.5)
    assert found.same.value == 0.75


def test_one_person_or_one_value_tells_nothing() -> None:
    assert agreement(_said(("y",), ("n",)), multiple=False) is None
    found = agreement(_said(("y", "y"), ("y", "y")), multiple=False)
    assert found is not None
    assert found.alpha.value is None
    assert found.alpha.reason is not None
