"""When things happen in the sample feed: promotions, releases, planted events and decoys."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, NamedTuple

from evals.wording import read_yaml

WEEKS = 26


class Span(NamedTuple):
    """Half-open span of local days."""

    start: date
    end: date

    def has(self, day: date) -> bool:
        """Whether the day lies inside."""
        return self.start <= day < self.end

    def truth(self) -> dict[str, str]:
        """As `{"from", "to"}` ISO dates, the way tools take a period."""
        return {"from": self.start.isoformat(), "to": self.end.isoformat()}


@dataclass(frozen=True)
class Promotion:
    """A promotion: the share of its days' items that belong to it and how it raises their number."""

    zh: str
    en: str
    span: Span
    share: float
    volume: float


@dataclass(frozen=True)
class Event:
    """Something planted: whom it hits, how hard, and (for truth.json) what should be found."""

    event_id: str
    span: Span
    where: Mapping[str, str]
    strength: float
    files: frozenset[str]
    extra: Mapping[str, int]
    topic: str
    truth: Mapping[str, Any]

    def hits(self, file: str, day: date, dimensions: Mapping[str, str]) -> bool:
        """Whether an item of that file and day with these dimensions is one it can turn."""
        if not self.strength or (self.files and file not in self.files):
            return False
        return self.span.has(day) and all(dimensions.get(k) == v for k, v in self.where.items())


@dataclass(frozen=True)
class Calendar:
    """All dates of one feed. `month` is the last complete month as seen on the feed's last day."""

    span: Span
    month: Span
    previous: Span
    promotions: tuple[Promotion, ...]
    releases: tuple[tuple[str, date], ...]
    events: tuple[Event, ...]
    decoys: tuple[Event, ...]
    decline: Mapping[str, Any]

    @classmethod
    def before(cls, end: date) -> "Calendar":
        """Lay events.yaml over the 26 weeks before `end` (excluded)."""
        data = read_yaml("events.yaml")
        start = end - timedelta(weeks=WEEKS)
        month_end = (end - timedelta(days=1)).replace(day=1)
        month = Span((month_end - timedelta(days=1)).replace(day=1), month_end)
        previous = Span((month.start - timedelta(days=1)).replace(day=1), month.start)
        anchors = {"start": Span(start, end), "month": month, "previous": previous}

        def span(anchor: str, days: Sequence[int]) -> Span:
            whole = anchors[anchor]
            until = whole.start + timedelta(days=days[1]) if len(days) > 1 else whole.end
            return Span(whole.start + timedelta(days=days[0]), min(until, whole.end))

        def event(entry: Mapping[str, Any], *, planted: bool) -> Event:
            window = span(**entry["window"])
            truth = {
                "id": entry["id"],
                "name": entry["name"],
                "metric": entry["metric"],
                "window": window.truth(),
                "baseline": span(**entry["baseline"]).truth(),
                "conditions": entry.get("where", {}),
            }
            active = span(entry["anchor"], entry["active"]) if planted else window
            if planted:
                truth |= {"active": active.truth(), "expected": entry["expected"]}
                truth |= {"acceptable": entry["acceptable"], "topic": entry["topic"]}
            return Event(
                event_id=entry["id"],
                span=active,
                where=entry.get("where", {}),
                strength=entry.get("strength", 0.0),
                files=frozenset(entry.get("files", ())),
                extra=entry.get("extra", {}),
                topic=entry.get("topic", ""),
                truth=truth,
            )

        return cls(
            span=Span(start, end),
            month=month,
            previous=previous,
            promotions=tuple(
                Promotion(p["zh"], p["en"], span(p["anchor"], p["days"]), p["share"], p["volume"])
                for p in data["promotions"]
            ),
            releases=tuple((r["version"], start + timedelta(days=r["day"])) for r in data["releases"]),
            events=tuple(event(entry, planted=True) for entry in data["events"]),
            decoys=tuple(event(entry, planted=False) for entry in data["decoys"]),
            decline=data["decline"],
        )

    def promotion(self, day: date) -> Promotion | None:
        """The promotion that runs on a day."""
        return next((p for p in self.promotions if p.span.has(day)), None)

    def adoption(self, day: date) -> list[tuple[str, float]]:
        """Versions in use on a day with their shares: a new one reaches most users within nine days."""
        known = [(version, since) for version, since in self.releases if since <= day]
        version, since = known[-1]
        if len(known) == 1:
            return [(version, 1.0)]
        share = min(0.92, 0.25 + 0.075 * (day - since).days)
        return [(version, share), (known[-2][0], 1.0 - share)]


def is_workday(day: date) -> bool:
    """Monday to Friday, as the `day_type` dimension has it."""
    return day.isoweekday() <= 5
