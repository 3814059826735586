"""Root cause search on twenty real incidents of a video network (RobustSpot, from the riskloc repository)."""

import csv
import gzip
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from analytics.cells import Cell
from analytics.root_cause import find_causes

_FOLDER = Path(__file__).parents[2] / "shared" / "data" / "bench_rootcause_rs"


def named_cause(incident: Mapping[str, Any]) -> dict[str, str]:
    """Search for what raised the share of stalled plays in the incident's minute against those before."""
    with gzip.open(_FOLDER / f"{incident['data']}.csv.gz", "rt", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["min"] <= str(incident["timestamp"])]

    def query(dims: tuple[str, ...]) -> Iterable[Cell]:
        sums: dict[tuple[str, ...], list[int]] = defaultdict(lambda: [0, 0, 0, 0])
        for row in rows:
            place = 2 if row["min"] == str(incident["timestamp"]) else 0
            counts = sums[tuple(row[name] for name in dims)]
            counts[place] += int(row["cnt"])
            counts[place + 1] += int(row["value"])
        for key, (n0, s0, n1, s1) in sums.items():
            yield Cell(key, n0, s0, s0, n1, s1, s1)

    dims = [name for name in rows[0] if name not in ("min", "value", "cnt")]
    found = find_causes(query, dims, kind="proportion", best=0)
    return dict(found.causes[0].conditions) if found.causes else {}


@pytest.mark.data
@pytest.mark.skipif(not _FOLDER.is_dir(), reason=f"public data sets are absent: {_FOLDER}")
def test_most_real_incidents_are_named_first() -> None:
    incidents = yaml.safe_load((_FOLDER / "anomaly.yaml").read_text(encoding="utf-8"))
    wrong = []
    for incident in incidents:
        wanted = {name: str(value) for name, value in incident["cause"].items()}
        named = named_cause(incident)
        if named != wanted:
            wrong.append((incident["data"], wanted, named))
    assert len(incidents) == 20
    assert len(wrong) <= 5, wrong
