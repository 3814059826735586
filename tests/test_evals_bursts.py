"""Scoring of bursts: what counts as found, when, and what as a false alarm."""

import json
from pathlib import Path
from typing import Any

from evals.bursts import score
from evals.simulate import SampleFeed

EVENT = {
    "id": "late",
    "active": {"from": "2026-06-10", "to": "2026-06-20"},
    "expected": {"region": "广东"},
    "acceptable": [],
    "topic": "logistics/speed",
}


def row(start: str, end: str, raised: str, **scope: str) -> dict[str, Any]:
    return {
        "start": start,
        "end": end,
        "raised": raised,
        "direction": "up",
        "scope": scope,
        "also": [],
        "score": 4.0,
    }


def scored(folder: Path, *rows: dict[str, Any]) -> dict[str, Any]:
    labels = folder / "truth_labels.jsonl"
    lines = [{"event": "late", "topics": ["logistics/packaging"]}, {"event": "", "topics": ["price/value"]}]
    labels.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    promotions = [{"name": "Sale", "from": "2026-07-06", "to": "2026-07-09"}]
    truth = {"events": [EVENT], "promotions": promotions}
    # Scoring reads the truth and the labels alone.
    fields: dict[str, Any] = dict.fromkeys(SampleFeed.__dataclass_fields__, folder)
    feed = SampleFeed(**(fields | {"labels_file": labels, "truth": truth}))
    return score(feed, {"anomalies": list(rows), "series": 10, "days": 45})


def test_an_event_is_found_by_its_cause_or_its_own_topics_and_by_nothing_else(tmp_path: Path) -> None:
    other = row("2026-06-10", "2026-06-11", "2026-06-10", topic="price/value")
    assert scored(tmp_path, other)["events"] == {"late": None}
    own = row("2026-06-10", "2026-06-14", "2026-06-13", topic="logistics/packaging")
    cause = row("2026-06-11", "2026-06-12", "2026-06-11", region="广东")
    assert scored(tmp_path, other, own)["events"] == {"late": 3}
    assert scored(tmp_path, other, own, cause)["events"] == {"late": 1}
    early = row("2026-06-08", "2026-06-12", "2026-06-08", region="广东")
    assert scored(tmp_path, early)["events"] == {"late": None}


def test_what_an_alarm_explains_names_the_event_too(tmp_path: Path) -> None:
    wide = row("2026-06-10", "2026-06-11", "2026-06-10") | {"also": [{"topic": "logistics/speed"}]}
    assert scored(tmp_path, wide)["events"] == {"late": 0}


def test_promotions_and_holidays_excuse_an_alarm_unless_strictly(tmp_path: Path) -> None:
    promotion = row("2026-07-08", "2026-07-10", "2026-07-08", product="台灯")
    holiday = row("2026-10-01", "2026-10-02", "2026-10-01", product="台灯")
    nothing = row("2026-07-01", "2026-07-02", "2026-07-01", product="台灯")
    found = scored(tmp_path, promotion, nothing)
    assert (found["alarms"], found["false"], found["strict"]) == (2, 1, 2)
    assert (scored(tmp_path, holiday)["false"], scored(tmp_path, holiday)["strict"]) == (0, 1)
    assert found["series_months"] == 10.2
