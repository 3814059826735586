import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.nps import counts, nps
from store.errors import InputError


def test_counts_and_interval_by_hand() -> None:
    found = nps(100, 20, 80)
    assert (found.promoters, found.passives, found.detractors, found.n) == (50, 20, 30, 100)
    assert found.nps == pytest.approx(20)
    # 50.75 promoters and 30.75 detractors of 103.
    centre = 20 / 103
    margin = 1.959964 * math.sqrt((81.5 / 103 - centre**2) / 103)
    assert found.ci_low == pytest.approx(100 * (centre - margin), abs=1e-4)
    assert found.ci_high == pytest.approx(100 * (centre + margin), abs=1e-4)


@given(st.integers(0, 500), st.integers(0, 500), st.integers(0, 500))
def test_counts_are_exact(promoters: int, passives: int, detractors: int) -> None:
    n = promoters + passives + detractors
    assert counts(n, promoters - detractors, promoters + detractors) == (promoters, passives, detractors)
    found = nps(n, promoters - detractors, promoters + detractors)
    if n == 0:
        assert found.nps is None and found.ci_low is None and found.reason
    else:
        assert found.nps is not None and found.ci_low is not None and found.ci_high is not None
        assert -100 <= found.ci_low < found.ci_high <= 100


def test_one_answer_still_has_a_wide_interval() -> None:
    found = nps(1, 1, 1)
    assert found.nps == 100
    assert found.ci_low is not None and found.ci_low < 0


@pytest.mark.parametrize("sums", [(10, 3.5, 8), (10, 9, 3), (3, 0, 8), (5, 1, 2)])
def test_sums_of_another_metric_are_refused(sums: tuple[int, float, float]) -> None:
    with pytest.raises(InputError, match="not the sums of an NPS metric"):
        nps(*sums)


@pytest.mark.parametrize(
    ("n", "shares"), [(15, (0.5, 0.3, 0.2)), (60, (0.7, 0.2, 0.1)), (400, (0.3, 0.3, 0.4))]
)
def test_interval_covers(n: int, shares: tuple[float, float, float]) -> None:
    truth = 100 * (shares[0] - shares[2])
    covered = 0
    for promoters, _, detractors in np.random.default_rng(5).multinomial(n, shares, 2000).tolist():
        found = nps(n, promoters - detractors, promoters + detractors)
        assert found.ci_low is not None and found.ci_high is not None
        covered += found.ci_low <= truth <= found.ci_high
    assert 0.93 <= covered / 2000 <= 0.98
