"""Recomputation in plain Python, on a handful of items whose figures can be counted by hand."""

from datetime import datetime
from pathlib import Path

import pytest

from evals.cases import Compute, Days
from evals.feed_files import ZONE
from evals.recompute import Item, compute, dimension, label_sentiments, load_dataset, select

DATA = Path(__file__).parents[2] / "shared" / "data"


def _item(day: str, nps: float | None = None, speaker: str = "", text: str = "", **dimensions: str) -> Item:
    values = {} if nps is None else {"nps": nps}
    at = datetime.fromisoformat(day).replace(tzinfo=ZONE)
    return Item(source="", at=at, text=text, speaker=speaker, values=values, dimensions=dimensions)


ITEMS = [
    _item("2026-10-01T00:00", 9, region="广东"),
    _item("2026-10-05T20:15", 6, region="广东"),
    _item("2026-10-31T23:59", 10, region="上海"),
    _item("2026-11-01T00:00", 0, region="上海"),
    _item("2026-10-04T12:00", speaker="agent", text="您好"),
]
OCTOBER = Days.model_validate({"from": "2026-10-01", "to": "2026-11-01"})


def test_nps_is_promoters_less_detractors_within_the_half_open_period() -> None:
    assert compute(ITEMS, Compute(measure="nps", period=OCTOBER)) == pytest.approx(100 / 3)
    assert compute(ITEMS, Compute(measure="nps")) == 0.0


def test_filters_excludes_and_differences() -> None:
    assert compute(ITEMS, Compute(measure="nps", period=OCTOBER, filters={"region": "广东"})) == 0.0
    assert compute(ITEMS, Compute(measure="count", period=OCTOBER, exclude={"region": "广东"})) == 1.0
    other = Compute(measure="nps", filters={"region": "上海"})
    assert compute(ITEMS, Compute(measure="nps", period=OCTOBER, minus=other)) == pytest.approx(100 / 3)


def test_agents_are_no_customer_voice() -> None:
    assert len(select(ITEMS, None, {}, {})) == 4
    assert len(select(ITEMS, None, {"speaker": "agent"}, {})) == 0
    assert compute(ITEMS, Compute(measure="mean", of="csat")) is None


def test_time_dimensions_and_levels() -> None:
    item = _item("2026-10-04T20:15", 6, org_unit="华东大区/上海/徐汇店")
    assert [dimension(item, name) for name in ("hour", "weekday", "day_type", "month", "nps_class")] == [
        "20",
        "7",
        "weekend",
        "2026-10",
        "detractor",
    ]
    assert select([item], None, {"org_unit": "华东大区"}, {}) == [item]
    assert select([item], None, {"org_unit": "华东"}, {}) == []


def test_shares_are_over_items_that_have_the_dimension() -> None:
    items = [_item("2026-10-01", text=text) for text in ("好", "差", "")]
    label_sentiments(items, lambda texts: ["positive" if text == "好" else "negative" for text in texts])
    assert compute(items, Compute(measure="share", of="sentiment=negative")) == 0.5


@pytest.mark.data
@pytest.mark.skipif(not DATA.is_dir(), reason="public data sets are not beside the checkout")
def test_the_lounge_reviews_are_read() -> None:
    items = load_dataset("lounge", DATA)
    year = Days.model_validate({"from": "2014-01-01", "to": "2015-01-01"})
    count = compute(items, Compute(measure="count", period=year))
    mean = compute(items, Compute(measure="mean", of="overall_rating", period=year))
    assert count == 410
    assert mean is not None
    assert 1 <= mean <= 10
