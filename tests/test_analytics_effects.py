"""Effects of a group where items with several values were taken out more than once."""

import pytest

from analytics.cells import Pair
from analytics.effects import presence_effect
from analytics.sums import Sums


def sums(n: int, mean: float) -> Sums:
    return Sums(n, n * mean, n * mean)


def test_a_symptom_adds_its_share_of_items_times_its_distance() -> None:
    found = presence_effect(
        Pair(sums(10, 0.5), sums(30, 0.9)), Pair(sums(90, 0.5), sums(70, 0.5)), variance=0.25
    )
    assert found is not None
    assert found.value == pytest.approx(0.3 * 0.4)
    assert found.t > 2


@pytest.mark.parametrize(("inside", "outside"), [(-3, 60), (30, -1)])
def test_fewer_than_no_items_tell_nothing(inside: int, outside: int) -> None:
    inner = Pair(sums(10, 0.5), Sums(inside, 5.0, 5.0))
    outer = Pair(sums(90, 0.5), Sums(outside, 30.0, 30.0))
    assert presence_effect(inner, outer, variance=0.25) is None
