import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.compare import Key, compare, decompose, is_partition
from analytics.sums import EMPTY, Sums

Groups = dict[Key, tuple[Sums, Sums]]


def scores(promoters: int, passives: int, detractors: int) -> Sums:
    return Sums(promoters + passives + detractors, promoters - detractors, promoters + detractors)


triples = st.builds(scores, st.integers(0, 60), st.integers(0, 60), st.integers(0, 60))
groups_of = st.dictionaries(st.tuples(st.sampled_from("abcdef")), st.tuples(triples, triples), min_size=1)


@given(groups_of)
def test_parts_add_up_to_the_change(groups: Groups) -> None:
    before = sum((pair[0] for pair in groups.values()), EMPTY)
    after = sum((pair[1] for pair in groups.values()), EMPTY)
    found = decompose("nps", groups)
    if not before.n or not after.n:
        assert found is None
        return
    assert found is not None
    change = 100 * (after.mean - before.mean)
    assert found.mix_effect + found.rate_effect == pytest.approx(change, abs=1e-9)
    assert math.fsum(one.total for one in found.contributions) == pytest.approx(change, abs=1e-9)
    assert is_partition(groups, before, after)


def test_simpson_is_all_mix() -> None:
    groups: Groups = {
        ("survey",): (scores(70, 20, 10), scores(35, 10, 5)),
        ("call",): (scores(20, 20, 60), scores(60, 60, 180)),
    }
    found = decompose("nps", groups)
    assert found is not None
    assert found.rate_effect == pytest.approx(0) and not found.rate_significant
    assert found.mix_effect == pytest.approx(100 * (-90 / 350 - 20 / 200))


def test_a_fall_inside_one_group_is_rate() -> None:
    groups: Groups = {
        ("north",): (scores(50, 30, 20), scores(20, 30, 50)),
        ("south",): (scores(50, 30, 20), scores(50, 30, 20)),
    }
    found = decompose("nps", groups)
    assert found is not None
    assert found.mix_effect == pytest.approx(0) and found.rate_effect == pytest.approx(-30)
    assert found.rate_significant
    first = found.contributions[0]
    assert first.key == ("north",) and first.share == pytest.approx(1) and first.after == -30


def test_a_new_group_is_mix_and_has_no_past() -> None:
    groups: Groups = {("old",): (scores(6, 2, 2), scores(6, 2, 2)), ("new",): (EMPTY, scores(2, 2, 6))}
    found = decompose("nps", groups)
    assert found is not None
    new = next(one for one in found.contributions if one.key == ("new",))
    assert new.before is None and new.rate == 0 and found.rate_effect == 0


def test_counts_decompose_into_items() -> None:
    groups: Groups = {("a",): (Sums(10, 0, 0), Sums(30, 0, 0)), ("b",): (Sums(10, 0, 0), Sums(15, 0, 0))}
    found = decompose("count", groups)
    assert found is not None
    assert [(one.key, one.total, one.share) for one in found.contributions] == [
        (("a",), 20.0, 0.8),
        (("b",), 5.0, 0.2),
    ]


def test_direction_needs_significance() -> None:
    noise = compare("nps", scores(11, 5, 4), scores(9, 5, 6))
    assert noise.direction == "unchanged" and noise.difference.value == pytest.approx(-20)
    fall = compare("nps", scores(500, 300, 200), scores(400, 300, 300))
    assert fall.direction == "fell" and fall.difference.ci_high is not None and fall.difference.ci_high < 0
    assert compare("count", Sums(100, 0, 0), Sums(160, 0, 0)).direction == "rose"
    assert compare("nps", EMPTY, scores(1, 0, 0)).direction == "unchanged"
