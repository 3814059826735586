"""The sample feed: `python -m evals.simulate --out DIR --seed 7 --end 2026-11-22` writes its files.

The same seed, end and number of items give the same bytes.
"""

import argparse
import random
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from evals.events import Calendar
from evals.feed import Feed
from evals.feed_files import write_feedback, write_json, write_table
from evals.journeys import behaviour, outcomes
from evals.stories import leaves_on
from evals.world import Person, World


@dataclass(frozen=True)
class SampleFeed:
    """Where the files lie and what is true of them. `feedback` is a folder; `truth` is truth.json, read."""

    root: Path
    feedback: Path
    customers: Path
    events: Path
    outcomes: Path
    rates: Path
    truth_file: Path
    labels_file: Path
    truth: dict[str, Any]

    @property
    def calendar(self) -> Path:
        """What the company itself knows of: its promotions and releases."""
        return self.root / "calendar.csv"


def write_sample_feed(out: Path, seed: int, end: date, items: int = 22_000) -> SampleFeed:
    """Write about `items` feedback items (within a tenth) over the 26 weeks before `end` (excluded)."""
    rng = random.Random(f"{seed}/{end.isoformat()}/{items}")
    world, calendar = World.load(), Calendar.before(end)
    people = world.people(rng, end)
    feed = Feed(world, calendar, people, rng, items)
    feed.write()
    out.mkdir(parents=True, exist_ok=True)
    paths = {name: out / f"{name}.csv" for name in ("customers", "events", "outcomes", "industry_rates")}
    counts = write_feedback(out, feed.rows)
    write_table(paths["customers"], [_profile(person) for person in people])
    write_table(paths["events"], behaviour(feed, rng))
    write_table(paths["outcomes"], outcomes(feed, rng))
    rates = [{**rate, "source": "sample industry survey"} for rate in world.data["industry_rates"]]
    write_table(paths["industry_rates"], rates)
    write_table(out / "calendar.csv", _company_calendar(calendar))
    truth = _truth(feed, seed, counts)
    write_json(out / "truth.json", truth)
    return SampleFeed(
        root=out,
        feedback=out / "feedback",
        customers=paths["customers"],
        events=paths["events"],
        outcomes=paths["outcomes"],
        rates=paths["industry_rates"],
        truth_file=out / "truth.json",
        labels_file=out / "truth_labels.jsonl",
        truth=truth,
    )


def _profile(person: Person) -> dict[str, Any]:
    return {
        "customer_id": person.customer_id,
        "name": person.name,
        "tier": person.tier,
        "region": person.region,
        "city": person.city,
        "org_unit": person.store.unit if person.store else "",
        "owner": person.owner,
        "lifetime_value": person.value,
        "since": person.since.isoformat(),
        "renewal_on": person.renewal_on.isoformat(),
    }


def _company_calendar(calendar: Calendar) -> list[dict[str, str]]:
    """Rows as a calendar.csv has them; the last day is included there."""
    entries = [("promotion", p.zh, p.span.start, p.span.end - timedelta(days=1)) for p in calendar.promotions]
    entries += [("release", version, day, day) for version, day in calendar.releases]
    return [
        {"kind": kind, "name": name, "from": first.isoformat(), "to": last.isoformat()}
        for kind, name, first, last in entries
    ]


def _truth(feed: Feed, seed: int, counts: dict[str, int]) -> dict[str, Any]:
    calendar = feed.calendar
    declining = [person for person in feed.people if person.loyalty == "declining"]
    loud = [person.customer_id for person in feed.people if person.loyalty == "loud"]
    leaving = {person.customer_id: leaves_on(feed, person).isoformat() for person in declining}
    return {
        "seed": seed,
        "period": calendar.span.truth(),
        "month": calendar.month.truth(),
        "previous_month": calendar.previous.truth(),
        "rows": counts,
        "promotions": [{"name": p.zh, **p.span.truth()} for p in calendar.promotions],
        "releases": [{"version": v, "on": day.isoformat()} for v, day in calendar.releases],
        "events": [event.truth for event in calendar.events],
        "decline": {**calendar.decline, "customers": leaving},
        "decoys": [event.truth for event in calendar.decoys],
        "loud_loyal": loud,
        "largest_nps_drop": "late_delivery",
    }


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description="Write the sample feed.")
    parser.add_argument("--out", type=Path, required=True, help="folder to write to")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--end", type=date.fromisoformat, required=True, help="first day after the feed")
    parser.add_argument("--items", type=int, default=22_000)
    options = parser.parse_args()
    feed = write_sample_feed(options.out, options.seed, options.end, options.items)
    print(f"{sum(feed.truth['rows'].values())} rows in {feed.feedback}")


if __name__ == "__main__":
    main()
