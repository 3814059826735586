"""The sample feed: reproducible, varied, and with the planted events really in it."""

import hashlib
import json
import re
from collections import Counter
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from evals.cases import Compute, Days
from evals.feed_files import layout
from evals.recompute import Item, compute, load_feed, select
from evals.simulate import SampleFeed, write_sample_feed

END = date(2026, 11, 22)


@pytest.fixture(scope="module")
def feed(tmp_path_factory: pytest.TempPathFactory) -> SampleFeed:
    return write_sample_feed(tmp_path_factory.mktemp("feed"), 7, END)


@pytest.fixture(scope="module")
def items(feed: SampleFeed) -> list[Item]:
    return load_feed(feed.feedback)


@pytest.fixture(scope="module")
def voices(items: list[Item]) -> list[str]:
    return [item.text for item in items if item.text and item.speaker != "agent"]


def _digest(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def _nps(items: list[Item], period: dict[str, str], **filters: str) -> float:
    value = compute(items, Compute(measure="nps", period=Days.model_validate(period), filters=dict(filters)))
    assert value is not None
    return value


def test_same_seed_and_end_give_the_same_bytes(tmp_path: Path) -> None:
    write_sample_feed(tmp_path / "a", 3, END, items=800)
    write_sample_feed(tmp_path / "b", 3, END, items=800)
    write_sample_feed(tmp_path / "c", 4, END, items=800)
    assert _digest(tmp_path / "a") == _digest(tmp_path / "b")
    assert _digest(tmp_path / "a") != _digest(tmp_path / "c")


def test_size_span_and_files(feed: SampleFeed, items: list[Item]) -> None:
    assert 20_000 <= len(items) <= 24_500
    assert sum(feed.truth["rows"].values()) >= len(items)
    times = [item.at.date() for item in items if item.at is not None]
    assert len(times) == len(items)
    assert (min(times), max(times)) == (END - timedelta(weeks=26), END - timedelta(days=1))
    assert {path.suffix for path in feed.feedback.iterdir()} == {".csv", ".xlsx", ".jsonl", ".tsv"}
    customers = feed.customers.read_text(encoding="utf-8").splitlines()
    assert len(customers) > 2_000


def test_the_survey_file_is_gb18030_and_no_utf8(feed: SampleFeed) -> None:
    raw = (feed.feedback / "问卷.csv").read_bytes()
    assert raw.decode("gb18030").startswith("问卷编号,")
    with pytest.raises(UnicodeDecodeError):
        raw.decode("utf-8")


def test_wording_is_varied_and_mostly_chinese(voices: list[str]) -> None:
    long = [text for text in voices if len(text) >= 4]
    assert len(set(long)) / len(long) >= 0.95
    assert 9_000 <= len(set(voices)) <= 12_000
    chinese = sum(bool(re.search("[一-鿿]", text)) for text in voices) / len(voices)
    assert 0.80 <= chinese <= 0.90
    lengths = sorted(len(text) for text in voices if re.search("[一-鿿]", text))
    assert lengths[len(lengths) // 10] >= 8
    assert lengths[9 * len(lengths) // 10] <= 50


def test_no_slot_is_left_unfilled(voices: list[str]) -> None:
    assert [text for text in voices if "{" in text or "}" in text] == []


def test_every_day_can_be_the_end(tmp_path: Path) -> None:
    # The last day of a month, the first, a leap year's March: anchors move, windows must stay inside.
    for end in (date(2027, 1, 1), date(2026, 11, 1), date(2028, 3, 31)):
        feed = write_sample_feed(tmp_path / end.isoformat(), 2, end, items=700)
        span = feed.truth["period"]
        for entry in feed.truth["events"] + feed.truth["decoys"]:
            for part in ("window", "baseline"):
                assert span["from"] <= entry[part]["from"] < entry[part]["to"] <= span["to"]


def test_scores_fit_what_is_said(feed: SampleFeed) -> None:
    rating_of: dict[str, list[float]] = {"positive": [], "negative": []}
    reviews, path = load_feed_rows(feed, "reviews"), layout()["reviews"]["path"]
    for line in feed.labels_file.read_text(encoding="utf-8").splitlines():
        label = json.loads(line)
        if label["file"] == path and label["sentiment"] in rating_of:
            rating_of[label["sentiment"]].append(float(reviews[label["row"] - 1]["星级"]))
    means = {mood: sum(values) / len(values) for mood, values in rating_of.items()}
    assert means["positive"] > 4.5
    assert means["negative"] < 2.2


def load_feed_rows(feed: SampleFeed, key: str) -> list[dict[str, str]]:
    import csv

    file = layout()[key]
    text = (feed.root / file["path"]).read_bytes().decode(file["encoding"])
    return list(csv.DictReader(text.splitlines()))


def test_late_delivery_is_the_largest_drop_of_the_half_year(feed: SampleFeed, items: list[Item]) -> None:
    weeks = [END - timedelta(weeks=26 - n) for n in range(27)]
    weekly = [
        _nps(items, {"from": start.isoformat(), "to": end.isoformat()}) for start, end in pairwise(weeks)
    ]
    falls = [later - earlier for earlier, later in pairwise(weekly)]
    worst = weeks[falls.index(min(falls)) + 1]
    event = feed.truth["events"][0]
    assert event["id"] == "late_delivery"
    assert event["active"]["from"] <= (worst + timedelta(days=6)).isoformat() < event["active"]["to"]
    change = _nps(items, event["window"]) - _nps(items, event["baseline"])
    assert change < -12
    hit = _nps(items, event["window"], region="广东", 活动="会员狂欢节")
    assert hit < -40
    elsewhere = _nps(items, event["window"], 活动="会员狂欢节", region="上海")
    assert elsewhere > 10


def test_each_event_shows_where_it_was_planted(feed: SampleFeed, items: list[Item]) -> None:
    events = {event["id"]: event for event in feed.truth["events"]}

    def mean(event: str, part: str, **filters: str) -> float:
        metric = events[event]["metric"]
        period = Days.model_validate(events[event][part])
        value = compute(items, Compute(measure="mean", of=metric, period=period, filters=dict(filters)))
        assert value is not None
        return value

    assert mean("bad_release", "window", version="5.2.0") < 2.5 < 3.3 < mean("bad_release", "baseline")
    store = "华东大区/上海/徐汇店"
    assert mean("store_attitude", "window", org_unit=store) < 2.6
    assert mean("store_attitude", "baseline", org_unit=store) > 3.3
    lag = Days.model_validate(events["app_lag"]["window"])
    at_eight = select(items, lag, {"hour": "20", "day_type": "workday"}, {})
    at_six = select(items, lag, {"hour": "18", "day_type": "workday"}, {})
    assert len(at_eight) > 2.5 * len(at_six)


def test_decoys_keep_their_rates(feed: SampleFeed, items: list[Item]) -> None:
    decoys = {decoy["id"]: decoy for decoy in feed.truth["decoys"]}
    spike = decoys["promotion_spike"]
    window, baseline = (Days.model_validate(spike[part]) for part in ("window", "baseline"))
    assert len(select(items, window, {}, {})) > 1.5 * len(select(items, baseline, {}, {}))
    assert abs(_nps(items, spike["window"]) - _nps(items, spike["baseline"])) < 12
    small = Days.model_validate(decoys["small_region"]["window"])
    answers = compute(items, Compute(measure="answers", of="nps", period=small, filters={"region": "青海"}))
    assert answers is not None and 1 <= answers <= 20


def test_decliners_fall_before_they_leave_and_the_loud_stay(feed: SampleFeed, items: list[Item]) -> None:
    scores: dict[str, list[tuple[date, float]]] = {}
    for item in items:
        if "nps" in item.values and item.at is not None:
            scores.setdefault(item.customer, []).append((item.at.date(), item.values["nps"]))
    for customer, day in feed.truth["decline"]["customers"].items():
        leaves = date.fromisoformat(day)
        early = [s for at, s in scores[customer] if (leaves - at).days > 40]
        late = [s for at, s in scores[customer] if (leaves - at).days <= 30]
        assert not early or min(early) >= 8
        assert not late or max(late) <= 6
        assert all(at < leaves for at, _ in scores[customer])
    churned = {
        line.split(",")[0]
        for line in feed.outcomes.read_text(encoding="utf-8").splitlines()
        if ",churned," in line
    }
    gone = {c for c, day in feed.truth["decline"]["customers"].items() if day < END.isoformat()}
    assert gone <= churned
    assert not churned & set(feed.truth["loud_loyal"])
    for customer in feed.truth["loud_loyal"]:
        assert min(s for _, s in scores[customer]) >= 8


def test_what_every_feed_has_too_much_of(voices: list[str], items: list[Item], feed: SampleFeed) -> None:
    text = "\n".join(voices)
    assert re.search(r"1[3578]\d{9}", text)
    assert "忽略以上所有指令" in text
    assert "真是“谢谢”你们了" in text
    assert Counter(voices).most_common(1)[0][1] > 1
    again = sum(feed.truth["rows"].values()) - len(items)
    assert 5 <= again <= 20


def test_the_company_knows_its_promotions_and_releases(feed: SampleFeed) -> None:
    from tools.calendar_file import load_calendar

    entries = load_calendar(feed.calendar)
    known = {(one.name, one.first.isoformat()) for one in entries if one.kind == "promotion"}
    assert known == {(one["name"], one["from"]) for one in feed.truth["promotions"]}
    assert {one.name for one in entries if one.kind == "release"} == {
        one["version"] for one in feed.truth["releases"]
    }
