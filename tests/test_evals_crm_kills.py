"""Killed at some of the points that evals/crm_kills.py measures; the report in evals/reports is of all."""

from pathlib import Path
from typing import get_args

import pytest

from evals.crm_kills import run_killed
from evals.crm_receivers import Kind

pytestmark = [pytest.mark.enable_socket, pytest.mark.allow_hosts(["127.0.0.1"])]
POINTS = 6


@pytest.mark.parametrize("kind", get_args(Kind))
def test_killed_at_some_points_each_change_has_one_effect_in_order(kind: Kind, tmp_path: Path) -> None:
    found = run_killed(tmp_path, kind, POINTS)
    assert found["killed"] >= POINTS - 2
    wrong = (
        "lost",
        "invented",
        "doubled",
        "out_of_order",
        "refused_by_schema",
        "history_differs",
        "not_arrived",
    )
    assert {name: found[name] for name in wrong} == dict.fromkeys(wrong, 0)
    assert found["changes"] >= found["tasks"]
