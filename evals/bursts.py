"""Bursts in sample feeds, found within a day or not, and false alarms: `python -m evals.bursts [--write]`."""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

from analytics.estimates import count, proportion
from analytics.surveillance import LEAST_DAYS
from evals.reports import Measurement, Report, interval, run_measurement, table
from evals.session import END, open_feedback, tool_runner
from evals.simulate import SampleFeed
from retention.policy import load_policy

# The figures to quote are of feeds by which no value was picked.
_TUNING: Final = (7, 11, 12)
_UNSEEN: Final = (101, 102, 103)
_GOAL: Final = 1.0
_MONTH: Final = 30.4
# A topic that this part of an event's own texts has is a name of the event.
_OWN_TOPIC: Final = 0.2
_PROMPT: Final = timedelta(days=1)
_NOON: Final = datetime.combine(END, time(9), tzinfo=ZoneInfo("Asia/Shanghai"))


class Span(NamedTuple):
    """Half-open days on which something was planted; `names` are the conditions that name it."""

    name: str
    start: date
    end: date
    names: frozenset[tuple[str, str]] = frozenset()

    def touches(self, row: Mapping[str, Any]) -> bool:
        """Whether an anomaly has a day in it."""
        return self.start < date.fromisoformat(row["end"]) and date.fromisoformat(row["start"]) < self.end


def measure(options: argparse.Namespace) -> Report:
    """Ask detect_anomalies about each feed and hold its answer against what was planted."""
    with TemporaryDirectory() as temporary:
        folder = options.feeds or Path(temporary)
        feeds = {seed: _measured(folder, seed) for seed in (*_UNSEEN, *_TUNING)}
    return {
        "unseen": _pooled([feeds[seed] for seed in _UNSEEN]),
        "tuning": _pooled([feeds[seed] for seed in _TUNING]),
        "feeds": {str(seed): feed for seed, feed in feeds.items()},
        "tuning_seeds": list(_TUNING),
    }


def _measured(folder: Path, seed: int) -> dict[str, Any]:
    app, feed = open_feedback(folder / f"s{seed}", _NOON, seed)
    run = tool_runner(app)
    run("detect_anomalies", {})
    before = process_time()
    run("detect_anomalies", {})
    seconds = process_time() - before
    data = run("detect_anomalies", {"limit": 100})["data"]
    app.close()
    return {**score(feed, data), "cpu_s": round(seconds, 2), "series": data["series"], "days": data["days"]}


def score(feed: SampleFeed, data: Mapping[str, Any]) -> dict[str, Any]:
    """What was found of each event and when, and the alarms that touch nothing planted."""
    truth, rows = feed.truth, data["anomalies"]
    events = list(_events(feed))
    promotions = [Span(p["name"], *_days(p)) for p in truth["promotions"]]
    calendar = load_policy().working_calendar()
    strict = [row for row in rows if not any(event.touches(row) for event in events)]
    false = [
        row
        for row in strict
        if not any(promotion.touches(row) for promotion in promotions)
        and not any(calendar.holiday_name(day, "zh") for day in _each_day(row))
    ]
    return {
        "events": {event.name: _delay(event, rows) for event in events},
        "alarms": len(rows),
        "false": len(false),
        "strict": len(strict),
        "false_alarms": [f"{row['start']} {row['scope']} score {row['score']:.1f}" for row in false],
        "series_months": round(data["series"] * (data["days"] - LEAST_DAYS) / _MONTH, 1),
        "months": round((data["days"] - LEAST_DAYS) / _MONTH, 2),
    }


def _delay(event: Span, rows: Sequence[Mapping[str, Any]]) -> int | None:
    """Days from the start of an event to the first alarm that names it; None: none while it ran."""
    named = [
        date.fromisoformat(row["raised"])
        for row in rows
        if row["direction"] == "up"
        and any(event.names & set(scope.items()) for scope in (row["scope"], *row["also"]))
    ]
    days = [(day - event.start).days for day in named if event.start <= day < event.end]
    return min(days, default=None)


def _events(feed: SampleFeed) -> Iterator[Span]:
    topics: dict[str, Counter[str]] = {}
    texts: Counter[str] = Counter()
    for line in feed.labels_file.read_text(encoding="utf-8").splitlines():
        label = json.loads(line)
        if label["event"]:
            texts[label["event"]] += 1
            topics.setdefault(label["event"], Counter()).update(set(label["topics"]))
    for event in feed.truth["events"]:
        name = event["id"]
        own = {topic for topic, n in topics.get(name, Counter()).items() if n >= _OWN_TOPIC * texts[name]}
        conditions = [event["expected"], *event["acceptable"], *({"topic": topic} for topic in own)]
        pairs = {pair for one in conditions for pair in one.items()} | {("topic", event["topic"])}
        yield Span(name, *_days(event["active"]), frozenset(pairs))


def _days(span: Mapping[str, str]) -> tuple[date, date]:
    return date.fromisoformat(span["from"]), date.fromisoformat(span["to"])


def _each_day(row: Mapping[str, Any]) -> list[date]:
    start, end = date.fromisoformat(row["start"]), date.fromisoformat(row["end"])
    return [start + timedelta(days=step) for step in range((end - start).days)]


def _pooled(feeds: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    delays = [delay for feed in feeds for delay in feed["events"].values()]
    months = sum(feed["series_months"] for feed in feeds)
    found = {}
    for name, days in (("within_a_day", _PROMPT.days), ("within_a_week", 7)):
        recall = proportion(len(delays), sum(delay is not None and delay <= days for delay in delays))
        found[name] = {"share": recall.value, "low": recall.ci_low, "high": recall.ci_high, "n": len(delays)}
    for name in ("false", "strict"):
        rate = count(sum(feed[name] for feed in feeds))
        bounds = [None if value is None else value / months for value in (rate.ci_low, rate.ci_high)]
        found[name] = {"alarms": rate.n, "rate": rate.n / months, "low": bounds[0], "high": bounds[1]}
    calendar_months = sum(feed["months"] for feed in feeds)
    per_month = {name: found[name]["alarms"] / calendar_months for name in ("false", "strict")}
    return {
        **found,
        "series_months": round(months, 1),
        "false_a_month_of_all_series": per_month["false"],
        "strict_a_month_of_all_series": per_month["strict"],
        "cpu_s": max(feed["cpu_s"] for feed in feeds),
    }


def markdown(report: Report) -> str:
    """The pooled figures, then each feed."""
    names = list(next(iter(report["feeds"].values()))["events"])
    feeds = [
        [
            f"{seed} (tuning)" if int(seed) in report["tuning_seeds"] else seed,
            *feed["events"].values(),
            feed["alarms"],
            feed["false"],
            feed["strict"],
            feed["series"],
            feed["series_months"],
            feed["cpu_s"],
        ]
        for seed, feed in report["feeds"].items()
    ]
    head = ["feeds", "events", "found within a day", "within a week", "false alarms a series-month"]
    head += ["strict", "false a month, all series", "strict a month, all series"]
    lines = [
        "# Bursts in the sample feed",
        "",
        "`detect_anomalies` with no argument but a limit of 100, on sample feeds of 26 weeks. The feeds of "
        f"seeds {', '.join(map(str, report['tuning_seeds']))} were looked at while the method was made. The "
        "others are the ones to quote, with this reserve: they were scored once before, with a stricter "
        "setting (a tenth of the groups named may be false, one family), and 9 of 15 within a "
        "day on them, as on the "
        "tuning seeds, was the reason to loosen it; the new setting was picked on the tuning seeds alone.",
        "",
        *table(head, [_row(name, report[name]) for name in ("unseen", "tuning")]),
        "",
        "An event counts as found on the day of the first rise that names it (by its scope or "
        "one that it explains): by a condition of its cause or by a topic that a fifth of its own texts "
        "have. Days are judged by those before them only. A false alarm touches no planted event, no "
        "promotion and no public holiday; strictly, it touches no event. A planted burst of spam (day 100) "
        "and a planted shift of channels count as nothing planted. Delays in days, a dash where no alarm "
        "named the event while it ran; CPU seconds of a call with no argument, all threads. "
        "store_attitude brings about one complaint a day: no test of a day or two can tell it.",
        "",
        *table(
            ["seed", *names, "alarms", "false", "strict", "series", "series-months", "CPU s"],
            feeds,
        ),
        "",
        "## False alarms",
        "",
        *(
            f"- seed {seed}: {line}"
            for seed, feed in report["feeds"].items()
            for line in feed["false_alarms"]
        ),
        "",
    ]
    return "\n".join(lines)


def _false_alarms(feeds: Mapping[str, Mapping[str, Any]]) -> list[str]:
    return [f"- seed {seed}: {line}" for seed, feed in feeds.items() for line in feed["false_alarms"]]


def _row(name: str, of: Mapping[str, Any]) -> list[object]:
    shares = [f"{of[k]['share']:.3f} ({interval(of[k])})" for k in ("within_a_day", "within_a_week")]
    rates = [f"{of[k]['rate']:.4f} ({of[k]['low']:.4f} to {of[k]['high']:.4f})" for k in ("false", "strict")]
    months = [of["false_a_month_of_all_series"], of["strict_a_month_of_all_series"]]
    return [name, of["within_a_day"]["n"], *shares, *rates, *months]


def worse(before: Report, after: Report) -> list[str]:
    """Fewer events found in time than before, or more false alarms than the goal allows."""
    lines = []
    now, then = (report["unseen"]["within_a_day"]["share"] for report in (after, before))
    if now < then:
        lines.append(f"found within a day: {then:.3f} to {now:.3f}")
    if after["unseen"]["false"]["rate"] > _GOAL:
        lines.append(f"false alarms a series-month: {after['unseen']['false']['rate']:.3f}")
    return lines


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description="bursts in the sample feed")
    parser.add_argument("--feeds", type=Path, help="folder that keeps the feeds; default: made anew")
    return run_measurement(Measurement("bursts", measure, markdown, worse), parser, arguments)


if __name__ == "__main__":
    sys.exit(main())
