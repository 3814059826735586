"""What customers of the simulated year say, answer, use, search and do, and what they meant by it."""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

from evals.wording import Wording, read_yaml
from evals.world import World
from evals.year_lives import Life, draw_lives
from store.records import BehaviourEvent, Customer, Feedback, Outcome

Words = Literal["tuned", "reported"]
ZONE = ZoneInfo("Asia/Shanghai")
# What is said with no anger of its own: neither opener nor closer of a complaint fits it.
_PLAIN = ("decoy", "export", "refund")
_CHANNELS = ("ticket", "chat", "email", "review", "app")


@dataclass
class Year:
    """A year of a company: `lives` and, of every text, `kind` (what was meant) and `topic`, by feedback id.

    What was said and done is kept by the local day on which it becomes known.
    """

    plan: Mapping[str, Any]
    lives: dict[str, Life]
    items: dict[date, list[Feedback]] = field(default_factory=dict)
    events: dict[date, list[BehaviourEvent]] = field(default_factory=dict)
    outcomes: dict[date, list[Outcome]] = field(default_factory=dict)
    renewals: dict[date, list[Customer]] = field(default_factory=dict)
    kinds: dict[str, str] = field(default_factory=dict)
    topics: dict[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def start(self) -> date:
        """The first day that is scanned."""
        start: date = self.plan["start"]
        return start

    @property
    def first(self) -> date:
        """The first day of which anything is known."""
        return self.start - timedelta(days=self.plan["history_days"])

    @property
    def end(self) -> date:
        """The first day after the year."""
        return self.start + timedelta(days=self.plan["days"])


def draw_year(seed: int, words: Words, plan: Mapping[str, Any]) -> Year:
    """Draw a year; the same seed, words and plan give the same."""
    rng = random.Random(f"year/{seed}/{words}")
    world = World.load()
    year = Year(plan, {life.customer_id: life for life in draw_lives(plan, world, rng)})
    wordings = {language: _wording(language, words, rng) for language in ("zh", "en")}
    for life in year.lives.values():
        _Voice(year, life, world, wordings, rng).live()
    return year


def profile(life: Life, renewal: date) -> Customer:
    """What the company's customer table says."""
    person = life.person
    return Customer(
        customer_id=person.customer_id,
        name=person.name,
        tier=person.tier,
        region=person.region,
        city=person.city,
        owner=person.owner,
        lifetime_value=person.value,
        since=person.since,
        renewal_on=renewal,
    )


def _wording(language: str, words: Words, rng: random.Random) -> Wording:
    wording = Wording.load(language, rng)
    said = {group: texts[language][words] for group, texts in read_yaml("year_words.yaml").items()}
    wording.data = {**wording.data, "events": {**wording.data["events"], **said}, "said": said}
    return wording


@dataclass
class _Voice:
    """One life told: fills the year day by day until the customer leaves or the year is over."""

    year: Year
    life: Life
    world: World
    wordings: Mapping[str, Wording]
    rng: random.Random
    # Days of bad experiences still to be told of: what about, and whether money is wanted back or worse.
    due: dict[date, tuple[str, str]] = field(default_factory=dict)
    sore: date | None = None

    def live(self) -> None:
        year, life = self.year, self.life
        end = min(year.end, life.leaves) if life.leaves else year.end
        asked = year.first + timedelta(days=self.rng.randrange(year.plan["seen"]["survey_days"]))
        used = year.first + timedelta(days=self.rng.randrange(7))
        away = self._away()
        renewal = life.renewal
        searches = self._searches(end)
        day = year.first
        while day < end:
            severity = life.decline.severity(day) if life.decline else 0.0
            self._speak(day, severity)
            if life.answers and day >= asked:
                self._answer(day, severity)
                asked = day + timedelta(days=self._until_asked())
            if life.minutes and day == used:
                self._use(day, severity, day in away)
                used += timedelta(days=7)
            for kind, detail in searches.get(day, ()):
                self._event(day, kind, detail)
            if day == renewal and (life.leaves is None or life.leaves > day + timedelta(days=30)):
                renewal = self._renew(day)
            day += timedelta(days=1)
        if life.leaves and life.leaves < year.end:
            self._outcome(life.leaves, "churned")

    # What is said.

    def _speak(self, day: date, severity: float) -> None:
        life, rng, plan = self.life, self.rng, self.year.plan
        if life.decline and day in life.decline.announced:
            self._say(day, "leave")
            if rng.random() < plan["decline"]["export_with_it"]:
                self._say(day, "export")
        if rng.random() < plan["ordinary"]["trouble"] / 365:
            self._trouble(day)
        if day in self.due:
            topic, kind = self.due.pop(day)
            self._say(day, kind, about=topic)
        rate = plan["seen"]["texts"] / 365 * life.activity * plan["seasons"]["texts"][day.month - 1]
        wave = _wave(plan, day)
        rate *= wave.get("texts", 1.0)
        if life.decline and severity:
            rule = plan["decline"]
            rate *= rule["louder_by"] if life.decline.louder else rule["quieter_by"]
        if rng.random() < rate:
            self._said(day, severity, wave)

    def _trouble(self, day: date) -> None:
        rule, rng = self.year.plan["ordinary"], self.rng
        topics = self.world.data["topics"]["help"]
        topic = rng.choices(list(topics), list(topics.values()))[0]
        kind = "fury" if rng.random() < rule["trouble_fury"] else "negative"
        self.due[day] = (topic, kind)
        self.sore = day
        again = day
        for chance in (rule["trouble_again"], rule["trouble_again"]):
            if rng.random() >= chance:
                return
            again += timedelta(days=rng.randrange(1, 6))
            self.due[again] = (topic, "refund" if rng.random() < rule["trouble_refund"] else "negative")

    def _said(self, day: date, severity: float, wave: Mapping[str, Any]) -> None:
        rng, plan = self.rng, self.year.plan
        if severity and rng.random() < plan["decline"]["talk"] * severity:
            self._complain(day)
        elif rng.random() < wave.get("late", 0):
            self._say(day, "negative", about="logistics/speed")
        elif rng.random() < wave.get("broken", 0):
            self._say(day, "negative", about=rng.choice(("product/stability", "product/performance")))
        else:
            kinds = plan["ordinary"]["says"]
            rest = 1 - sum(kinds.values())
            kind = rng.choices([*kinds, "remark"], [*kinds.values(), rest])[0]
            mood = plan["ordinary"]["mood"]
            self._say(day, rng.choices(list(mood), list(mood.values()))[0] if kind == "remark" else kind)

    def _complain(self, day: date, nps: int | None = None) -> None:
        """What somebody who loses heart says, by the reason."""
        assert self.life.decline is not None
        reason = self.year.plan["reasons"][self.life.decline.reason]
        kind = self.rng.choices(list(reason["says"]), list(reason["says"].values()))[0]
        topic = self.rng.choices(list(reason["topics"]), list(reason["topics"].values()))[0]
        self._say(day, "negative" if kind == "remark" else kind, about=topic, nps=nps)

    def _say(self, day: date, kind: str, *, about: str = "", nps: int | None = None) -> None:
        wording = self.wordings[self.life.person.language]
        context = self._context(wording.language)
        topics: tuple[str, ...] = ()
        if kind in ("positive", "neutral", "negative"):
            weights = self.world.data["topics"][self.rng.choice(("product", "help", "app"))]
            said = wording.remark(kind, weights, context, about)  # type: ignore[arg-type]
            text, topics = said.text, said.topics
        elif kind in _PLAIN:
            text = wording.line("said", kind, context)
        else:
            text = wording.event(kind, context, about).text
        channel = "survey" if nps is not None else self.rng.choice(_CHANNELS)
        csat = None
        if channel == "chat" and self.rng.random() < 0.6:
            table = self.world.data["scores"]["five"][kind if kind in ("positive", "neutral") else "negative"]
            csat = self.rng.choices(list(table), list(table.values()))[0]
        self._keep(day, text, channel, kind, topics, nps=nps, csat=csat)

    def _answer(self, day: date, severity: float) -> None:
        """A questionnaire: a score, a few words now and then."""
        life, rng, plan = self.life, self.rng, self.year.plan
        if rng.random() < (1 - plan["decline"]["answers"]) * severity:
            return
        rule = plan["score"]
        felt = rng.gauss(life.liking, rule["within"]) + plan["decline"]["score"] * severity
        if self.sore and day - self.sore <= timedelta(days=21) and life.story != "loud":
            felt += plan["ordinary"]["trouble_score"]
        nps = min(10, max(0, round(felt)))
        if rng.random() < rule["wrong_end"]:
            nps = rng.randrange(11)
        if life.story == "loud":
            kinds = plan["loud_says"]
            kind = rng.choices(list(kinds), list(kinds.values()))[0]
            self._say(day, "negative" if kind == "remark" else kind, nps=nps)
        elif rng.random() >= 0.25:
            self._keep(day, "", "survey", "score", (), nps=nps)
        elif severity and rng.random() < plan["decline"]["talk"] * severity:
            self._complain(day, nps=nps)
        else:
            self._say(day, "positive" if nps >= 9 else "neutral" if nps >= 7 else "negative", nps=nps)

    def _until_asked(self) -> int:
        if self.life.story == "loud":
            return self.rng.randrange(14, 20)
        usual: float = self.year.plan["seen"]["survey_days"]
        return round(usual * self.rng.uniform(0.6, 1.4))

    def _context(self, language: str) -> dict[str, str]:
        data, person, rng = self.world.data, self.life.person, self.rng
        product = rng.choices(self.world.products, [one.weight for one in self.world.products])[0]
        shop = person.store or rng.choice(self.world.shops)
        zh = language == "zh"
        places = {} if zh else data["places_en"]
        return {
            "product": rng.choice(product.zh if zh else product.en),
            "city": places.get(person.city, person.city),
            "province": places.get(person.region, person.region),
            "store": shop.zh if zh else shop.en,
            "version": "5.3.0",
            "rival": data["rival"][language],
            "promotion": rng.choice(data["small_promotions"][language]),
        }

    def _keep(
        self,
        day: date,
        text: str,
        channel: Any,
        kind: str,
        topics: tuple[str, ...],
        *,
        nps: int | None = None,
        csat: int | None = None,
    ) -> None:
        number = f"Y{len(self.year.kinds):06d}"
        self.year.kinds[number] = kind
        self.year.topics[number] = topics
        item = Feedback(
            feedback_id=number,
            source="year",
            channel=channel,
            customer_id=self.life.customer_id,
            occurred_at=self._at(day),
            text=text,
            language=self.life.person.language,
            nps=nps,
            csat=csat,
            region=self.life.person.region,
        )
        self.year.items.setdefault(day, []).append(item)

    # What is done.

    def _use(self, day: date, severity: float, away: bool) -> None:
        plan = self.year.plan
        amount = self.life.minutes * plan["seasons"]["usage"][day.month - 1]
        amount *= 1 - (1 - plan["decline"]["usage"]) * severity
        amount *= self.rng.lognormvariate(0, plan["usage"]["noise"]) * (0.15 if away else 1.0)
        self._event(day, "usage", "app", round(amount, 1))

    def _away(self) -> frozenset[date]:
        """A holiday of three to five weeks without the app, which not everybody takes."""
        if self.rng.random() >= self.year.plan["ordinary"]["holiday"]:
            return frozenset()
        first = self.year.start + timedelta(days=self.rng.randrange(self.year.plan["days"]))
        return frozenset(first + timedelta(days=n) for n in range(self.rng.randrange(21, 36)))

    def _searches(self, end: date) -> Mapping[date, Sequence[tuple[str, str]]]:
        found: dict[date, list[tuple[str, str]]] = {}
        if self.life.searched:
            for day, kind, detail in self._looked_for(end):
                found.setdefault(day, []).append((kind, detail))
        return found

    def _looked_for(self, end: date) -> Iterator[tuple[date, str, str]]:
        rng, plan, texts = self.rng, self.year.plan, self.world.data["searches"]
        rule, days = plan["ordinary"], (end - self.year.first).days
        price = ("page_view", "价格与续费")

        def any_day() -> date:
            return self.year.first + timedelta(days=rng.randrange(days))

        for _ in range(_poisson(rule["searches"] * days / 365, rng)):
            yield any_day(), "search", rng.choice(texts["usual"])
        if rng.random() < rule["leaving_search"]:
            yield any_day(), "search", rng.choice(texts["leaving"])
        if rng.random() < rule["price_visits"]:
            first = any_day()
            for _ in range(rng.randrange(1, 5)):
                yield first + timedelta(days=rng.randrange(10)), *price
        decline = self.life.decline
        if decline is None:
            return
        if rng.random() < plan["decline"]["leaving_search"] * decline.peak:
            for _ in range(rng.randrange(1, 4)):
                yield (
                    decline.end - timedelta(days=rng.randrange(2, 41)),
                    "search",
                    rng.choice(texts["leaving"]),
                )
        if decline.reason in ("price", "rival") and rng.random() < plan["decline"]["price_visits"]:
            for _ in range(rng.randrange(2, 6)):
                yield decline.end - timedelta(days=rng.randrange(5, 50)), *price

    def _event(self, day: date, kind: str, detail: str, value: float | None = None) -> None:
        event = BehaviourEvent(
            event_id=f"{self.life.customer_id}-{day:%m%d%y}-{kind}-{self.rng.randrange(10**6)}",
            customer_id=self.life.customer_id,
            occurred_at=self._at(day),
            kind=kind,
            detail=detail,
            value=value,
        )
        self.year.events.setdefault(day, []).append(event)

    def _renew(self, day: date) -> date:
        after = day + timedelta(days=365)
        self._outcome(day, "renewed")
        self.year.renewals.setdefault(day, []).append(profile(self.life, after))
        return after

    def _outcome(self, day: date, outcome: Literal["churned", "renewed"]) -> None:
        known = Outcome(customer_id=self.life.customer_id, occurred_at=self._at(day), outcome=outcome)
        self.year.outcomes.setdefault(day, []).append(known)

    def _at(self, day: date) -> datetime:
        return datetime.combine(day, time(self.rng.randrange(8, 23), self.rng.randrange(60)), ZONE)


def _wave(plan: Mapping[str, Any], day: date) -> Mapping[str, Any]:
    """The campaign or the bad release of a day."""
    for one in (*plan["campaigns"], *plan["releases"]):
        if one["from"] <= day < one["from"] + timedelta(days=one["days"]):
            found: Mapping[str, Any] = one
            return found
    return {}


def _poisson(mean: float, rng: random.Random) -> int:
    count, total = 0, rng.expovariate(1.0)
    while total < mean:
        count += 1
        total += rng.expovariate(1.0)
    return count
