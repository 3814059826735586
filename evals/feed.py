"""The feedback of the sample feed: who says what, when and where, with scores that fit the mood."""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from itertools import accumulate
from typing import Any

from evals.conversation import script
from evals.draft import Draft
from evals.events import Calendar, Event, is_workday
from evals.stories import add_noise, complain, decline
from evals.wording import Mood, Said, Wording
from evals.world import Person, World

Row = dict[str, Any]
MOODS: tuple[Mood, ...] = ("positive", "neutral", "negative")
NOMINAL_ITEMS = 22_000
_TURNS_PER_CONVERSATION = 5.4


@dataclass
class Feed:
    """Writes one feed. `rows` maps a file key to its rows; each row carries its hidden truth in `_said`."""

    world: World
    calendar: Calendar
    people: Sequence[Person]
    rng: random.Random
    items: int
    rows: dict[str, list[Row]] = field(default_factory=dict)
    last_day: dict[str, date] = field(default_factory=dict)
    _conversations: int = 0

    def __post_init__(self) -> None:
        self.wordings = {language: Wording.load(language, self.rng) for language in ("zh", "en")}
        ordinary = [person for person in self.people if person.loyalty == "ordinary"]
        self._pools: dict[tuple[str, str], tuple[list[Person], list[float]]] = {}
        self._ordinary = ordinary
        self._product_weights = list(accumulate(p.weight for p in self.world.products))
        self._hours = {k: list(accumulate(v)) for k, v in self.world.data["hours"].items()}
        self._files: Mapping[str, Mapping[str, Any]] = self.world.data["files"]
        self.rows = {name: [] for name in self._files}

    def write(self) -> dict[str, list[Row]]:
        """Generate every row, oldest first in each file."""
        scale = self.items / NOMINAL_ITEMS
        for name, file in self._files.items():
            for draft in self._base(name, file, scale):
                self._put(draft)
        for event in (*self.calendar.events, *self.calendar.decoys):
            for draft in self._extra(event, scale):
                self._put(draft)
        for person in self.people:
            if person.loyalty == "declining":
                decline(self, person)
            elif person.loyalty == "loud":
                complain(self, person)
        add_noise(self, scale)
        for rows in self.rows.values():
            rows.sort(key=lambda row: (row["at"], row.get("conversation", ""), row.get("turn", 0)))
        return self.rows

    # Who, when and where.

    def _base(self, name: str, file: Mapping[str, Any], scale: float) -> Iterator[Draft]:
        count = file["items"] * scale
        if name in ("chat", "calls"):
            count /= _TURNS_PER_CONVERSATION
        days, weights = self._days()
        for day in self.rng.choices(days, cum_weights=weights, k=round(count)):
            yield self.draft(name, day, {})

    def _days(self) -> tuple[list[date], list[float]]:
        span = self.calendar.span
        days = [span.start + timedelta(days=n) for n in range((span.end - span.start).days)]
        weights = []
        for day in days:
            promotion = self.calendar.promotion(day)
            weights.append(
                self.world.data["weekdays"][day.isoweekday() - 1] * (promotion.volume if promotion else 1.0)
            )
        return days, list(accumulate(weights))

    def _extra(self, event: Event, scale: float) -> Iterator[Draft]:
        days = [event.span.start + timedelta(days=n) for n in range((event.span.end - event.span.start).days)]
        if event.where.get("day_type") == "workday":
            days = [day for day in days if is_workday(day)]
        for name, count in event.extra.items():
            for _ in range(round(count * scale)):
                draft = self.draft(name, self.rng.choice(days), event.where)
                if event.strength:
                    draft.mood, draft.event = "negative", event
                yield draft

    def draft(self, name: str, day: date, forced: Mapping[str, str]) -> Draft:
        """Draw who speaks of what on a day; `forced` fixes dimensions."""
        file = self._files[name]
        english = self.rng.random() < file["english"]
        person = self._person("en" if english else "zh", forced)
        hours = self._hours[file["clock"]]
        hour = int(forced.get("hour") or self.rng.choices(range(24), cum_weights=hours)[0])
        at = datetime.combine(day, time(hour, self.rng.randrange(60), self.rng.randrange(60)))
        product = self.rng.choices(self.world.products, cum_weights=self._product_weights)[0]
        dimensions = self.dimensions(name, at, person, forced)
        mood = self._mood(file, day)
        draft = Draft(name, at, person, product, dimensions, mood)
        self._strike(draft)
        return draft

    def _person(self, language: str, forced: Mapping[str, str]) -> Person:
        key = (language, forced.get("region", "") + forced.get("org_unit", ""))
        if key not in self._pools:
            pool = [p for p in self._ordinary if p.language == language and _lives(p, forced)]
            pool = pool or [p for p in self._ordinary if _lives(p, forced)]
            self._pools[key] = (pool, list(accumulate(p.activity for p in pool)))
        pool, weights = self._pools[key]
        return self.rng.choices(pool, cum_weights=weights)[0]

    def dimensions(
        self, name: str, at: datetime, person: Person, forced: Mapping[str, str]
    ) -> dict[str, str]:
        """Place, time, version, promotion and store of an item; `forced` wins."""
        day = at.date()
        found = {
            "region": person.region,
            "city": person.city,
            "hour": str(at.hour),
            "day_type": "workday" if is_workday(day) else "weekend",
        }
        if name in ("tickets", "chat", "app_reviews"):
            versions = self.calendar.adoption(day)
            found["version"] = self.rng.choices([v for v, _ in versions], [share for _, share in versions])[0]
        promotion = self.calendar.promotion(day)
        if promotion and name not in ("stores", "app_reviews") and self.rng.random() < promotion.share:
            found["promotion"] = promotion.zh
        if name == "stores":
            shop = person.store or self.rng.choice(self.world.shops)
            found |= {"org_unit": shop.unit, "city": shop.city}
            found["region"] = next(r["name"] for r in self.world.data["regions"] if shop.city in r["cities"])
        return {**found, **forced}

    def _mood(self, file: Mapping[str, Any], day: date) -> Mood:
        positive, neutral, _ = file["mood"]
        if not is_workday(day):
            positive -= self.world.data["weekend_shift"]
        draw = self.rng.random()
        return "positive" if draw < positive else "neutral" if draw < positive + neutral else "negative"

    def _strike(self, draft: Draft) -> None:
        for event in (*self.calendar.events, *self.calendar.decoys):
            if event.hits(draft.file, draft.at.date(), draft.dimensions):
                if self.rng.random() < event.strength:
                    draft.mood = "negative"
                    draft.event = event if event.topic else None
                return

    # In words.

    def _put(self, draft: Draft) -> None:
        if draft.file in ("chat", "calls"):
            self._converse(draft)
            return
        file = self._files[draft.file]
        row = self.row(draft)
        if self.rng.random() < file["text_share"]:
            said = self.said(draft)
            text = said.text
            if draft.file == "tickets" and self.rng.random() < 0.06:
                text = text.rstrip("。.!！~？?…") + self._private(draft)
            row |= {"text": text, "_said": said}
        self.score(row, draft)
        self.rows[draft.file].append(row)

    def row(self, draft: Draft) -> Row:
        """A row with everything but words and scores."""
        person = draft.person
        row: Row = {"at": draft.at, "_event": draft.event.event_id if draft.event else ""}
        row |= {"customer": person.customer_id, "product": draft.product.name, "tier": person.tier}
        row |= {k: v for k, v in draft.dimensions.items() if k not in ("hour", "day_type")}
        row["customer_type"] = "新客户" if (draft.at.date() - person.since).days < 60 else "老客户"
        self.last_day[person.customer_id] = max(
            draft.at.date(), self.last_day.get(person.customer_id, draft.at.date())
        )
        return row

    def score(self, row: Row, draft: Draft) -> None:
        """Add the scores and extras of a file to a row."""
        # A few people tick the wrong end of the scale.
        mood = draft.mood if self.rng.random() > 0.02 else self.rng.choice(MOODS)
        name = draft.file
        if name == "survey":
            row["nps"] = self._pick("nps", mood)
        elif name in ("reviews", "app_reviews"):
            row["rating"] = self._pick("five", mood)
        elif name == "stores":
            row["csat"] = self._pick("five", mood)
        elif name in ("tickets", "emails") and self.rng.random() < 0.45:
            row["ces"] = self._pick("ces", mood)
        if name == "reviews":
            row["amount"] = round(self.rng.lognormvariate(5.4, 0.5), 2)
        elif name == "social":
            row["channel_word"] = self.rng.choice(self.world.data["platforms"])
            row["likes"] = int(self.rng.paretovariate(0.9)) - 1
        elif name == "app_reviews":
            row["device"] = self.rng.choice(("iPhone", "Android", "Android"))

    def _pick(self, scale: str, mood: Mood) -> int:
        weights: Mapping[int, int] = self.world.data["scores"][scale][mood]
        return self.rng.choices(list(weights), list(weights.values()))[0]

    def _language(self, draft: Draft) -> str:
        if draft.file in ("app_reviews", "emails"):
            return "en" if self.rng.random() < self._files[draft.file]["english"] else "zh"
        if draft.file in ("social", "calls"):
            return "zh"
        return draft.person.language

    def said(self, draft: Draft, language: str = "") -> Said:
        """Put a draft in words, in its own language or the given one."""
        language = language or self._language(draft)
        wording = self.wordings[language]
        context = self.context(draft, language)
        if draft.event and self.rng.random() < 0.8:
            return wording.event(draft.event.event_id, context, draft.event.topic)
        topics = self.world.data["topics"]
        kind = {"tickets": "help", "chat": "help", "calls": "help", "emails": "help"}.get(draft.file)
        kind = kind or {"app_reviews": "app", "stores": "store"}.get(draft.file, "product")
        if draft.file == "tickets" and draft.mood == "negative" and self.rng.random() < 0.05:
            text = wording.line("intents", "cancel", context)
            return Said(text, "negative", (), "cancel")
        return wording.remark(draft.mood, topics[kind], context, draft.event.topic if draft.event else "")

    def context(self, draft: Draft, language: str) -> dict[str, str]:
        """What the slots of a grammar stand for in this item."""
        zh = language == "zh"
        promotion = self.calendar.promotion(draft.at.date())
        unit = draft.dimensions.get("org_unit")
        shop = next((s for s in self.world.shops if s.unit == unit), draft.person.store)
        shop = shop or self.rng.choice(self.world.shops)
        context = {
            "product": self.rng.choice(draft.product.zh if zh else draft.product.en),
            "city": draft.dimensions["city"] if draft.dimensions["region"] == draft.person.region else "",
            "province": draft.dimensions["region"],
            "store": shop.zh if zh else shop.en,
            "version": draft.dimensions.get("version", "5.1.0"),
            "rival": self.world.data["rival"][language],
            "promotion": self.rng.choice(self.world.data["small_promotions"][language]),
        }
        if promotion and draft.dimensions.get("promotion"):
            context["promotion"] = promotion.zh if zh else promotion.en
        context["city"] = self._place(context["city"] or draft.dimensions["city"], language)
        context["province"] = self._place(context["province"], language)
        return context

    def _place(self, name: str, language: str) -> str:
        return name if language == "zh" else self.world.data["places_en"].get(name, name)

    def _private(self, draft: Draft) -> str:
        language = "zh"
        choices = self.wordings[language].data["suffix_pii"]
        return self.wordings[language].fill(self.rng.choice(choices), self.context(draft, language))

    # Conversations.

    def _converse(self, draft: Draft) -> None:
        language = self._language(draft)
        wording = self.wordings[language]
        context = self.context(draft, language)
        context["agentname"] = self.rng.choice(wording.data["agentnames"])
        self._conversations += 1
        conversation = f"{'T' if draft.file == 'chat' else 'H'}{self._conversations:05d}"
        opening = self.said(draft, language)
        lines = script(draft.mood, wording, context, opening)
        midnight = datetime.combine(self.calendar.span.end, time())
        at = min(draft.at, midnight - timedelta(minutes=15))
        rows = []
        for turn, (speaker, said) in enumerate(lines):
            row = self.row(draft) | {"conversation": conversation, "turn": turn, "speaker": speaker}
            row |= {"at": at, "text": said.text}
            if speaker == "customer":
                row["_said"] = said
            rows.append(row)
            at += timedelta(seconds=self.rng.randrange(4, 50))
        if self.rng.random() < 0.6:
            rows[-1]["csat"] = self._pick("five", draft.mood)
        self.rows[draft.file].extend(rows)


def _lives(person: Person, forced: Mapping[str, str]) -> bool:
    if "region" in forced and person.region != forced["region"]:
        return False
    unit = forced.get("org_unit")
    return unit is None or (person.store is not None and person.store.unit == unit)
