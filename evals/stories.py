"""Customers with a story, and what every real feed has too much of: spam, copies, rows exported twice."""

from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING

from evals.draft import Draft
from evals.wording import Mood, Said
from evals.world import Person

if TYPE_CHECKING:
    from evals.feed import Feed

_WARNING_DAYS = 35


def leaves_on(feed: "Feed", person: Person) -> date:
    """When a declining customer leaves: spread evenly from the seventh week to a month after the end."""
    number = [p.customer_id for p in feed.people if p.loyalty == "declining"].index(person.customer_id)
    total = feed.world.data["decliners"]
    return feed.calendar.span.start + timedelta(days=50 + round(number * 160 / total))


def decline(feed: "Feed", person: Person) -> None:
    """Steady nines until five weeks before they leave, then sixes and fives."""
    leaves = leaves_on(feed, person)
    at = feed.calendar.span.start + timedelta(days=feed.rng.randrange(25))
    while at < min(leaves, feed.calendar.span.end):
        left = (leaves - at).days
        usual = feed.rng.choices((9, 10, 8), (80, 12, 8))[0]
        score = usual if left > _WARNING_DAYS else 6 if left > 12 else 5
        draft = _answer(feed, person, at, "positive" if score > 7 else "negative")
        row = feed.row(draft) | {"nps": score}
        if score > 7 and feed.rng.random() < 0.35:
            said = feed.said(draft)
            row |= {"text": said.text, "_said": said}
        elif score <= 7 and feed.rng.random() < 0.6:
            wording = feed.wordings[person.language]
            said = wording.event("decline", feed.context(draft, person.language), "")
            row |= {"text": said.text, "_said": said}
        feed.rows["survey"].append(row)
        step = feed.rng.randrange(21, 28) if left > 56 else feed.rng.randrange(9, 13)
        at += timedelta(days=step)


def complain(feed: "Feed", person: Person) -> None:
    """Complains every other week and stays: high scores, sharp words."""
    at = feed.calendar.span.start + timedelta(days=feed.rng.randrange(18))
    while at < feed.calendar.span.end:
        draft = _answer(feed, person, at, "negative")
        said = feed.said(draft)
        row = feed.row(draft) | {"text": said.text, "_said": said}
        feed.rows["survey"].append(row | {"nps": feed.rng.choice((9, 9, 10, 8))})
        at += timedelta(days=feed.rng.randrange(14, 19))


def add_noise(feed: "Feed", scale: float) -> None:
    """A spam burst, prompt injections, near copies, and rows exported twice."""
    _spam(feed, scale)
    _injections(feed)
    _copies(feed, scale)


def _spam(feed: "Feed", scale: float) -> None:
    burst = feed.calendar.span.start + timedelta(days=100)
    for number in range(round(26 * scale)):
        draft = feed.draft("social", burst, {})
        text = feed.wordings["zh"].line("spam", "", feed.context(draft, "zh"))
        row = feed.row(draft) | {"text": text, "_said": Said(text, "neutral", (), "spam")}
        feed.score(row, draft)
        row["at"] = draft.at.replace(hour=3, minute=number % 60)
        feed.rows["social"].append(row)


def _injections(feed: "Feed") -> None:
    span = feed.calendar.span
    for wording in feed.wordings.values():
        for text in wording.data["injections"]:
            draft = feed.draft("tickets", span.start + timedelta(days=feed.rng.randrange(182)), {})
            said = Said(text, "neutral", (), "injection")
            feed.rows["tickets"].append(feed.row(draft) | {"text": text, "_said": said})


def _copies(feed: "Feed", scale: float) -> None:
    reviews = feed.rows["reviews"]
    long = [row for row in reviews if len(row.get("text", "")) > 10]
    for row in feed.rng.sample(long, round(25 * scale)):
        copied = {**row, "at": row["at"] + timedelta(hours=feed.rng.randrange(1, 40))}
        copied["text"] = row["text"].rstrip("。.!！~") + feed.rng.choice(("。", "！", "!!", "~"))
        if copied["at"].date() < feed.calendar.span.end:
            reviews.append(copied)
    for row in feed.rng.sample(reviews, round(12 * scale)):
        row["_key"] = len(reviews)
        reviews.append(dict(row))


def _answer(feed: "Feed", person: Person, day: date, mood: Mood) -> Draft:
    """A survey answer of a customer's own, outside every promotion."""
    at = datetime.combine(day, time(feed.rng.randrange(9, 22), feed.rng.randrange(60)))
    dimensions = feed.dimensions("survey", at, person, {})
    dimensions.pop("promotion", None)
    return Draft("survey", at, person, feed.rng.choice(feed.world.products), dimensions, mood)
