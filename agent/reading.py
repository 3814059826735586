"""Builds the Reader of questions from what is stored now."""

from zoneinfo import ZoneInfo

from agent.frame import PeriodValue
from agent.name_matching import Similar
from agent.understanding import Reader
from agent.vocabulary import Vocabulary
from pipeline.taxonomy import LANGUAGES, Taxonomy
from store.clock import Clock
from store.errors import ToolInputError
from store.facts import FactStore, Selection
from tools.arguments import PeriodArg
from tools.dimensions import vocabulary as dimension_words
from tools.periods import find_periods, previous, resolve


def build_reader(
    facts: FactStore, clock: Clock, zone: ZoneInfo, taxonomy: Taxonomy, similar: Similar | None = None
) -> Reader:
    """A reader that knows the data's dimensions, values and metrics, the taxonomy, and today."""
    titles = {language: taxonomy.titles(language) for language in LANGUAGES}

    def is_later(first: str, second: str) -> bool:
        try:
            a = resolve(first, now=clock.now(), zone=zone)
            b = resolve(second, now=clock.now(), zone=zone, near=a)
        except ToolInputError:
            return False  # the tool will say what is wrong with the phrase
        return bool(a.start and b.start and a.start > b.start)

    def is_customer(customer_id: str) -> bool:
        if facts.customers([customer_id]):
            return True
        return facts.count(Selection(filters={"customer_id": (customer_id,)})) > 0

    def days_in(period: PeriodValue) -> float | None:
        try:
            given = PeriodArg.model_validate(period) if isinstance(period, dict) else period
            span = resolve(given, now=clock.now(), zone=zone)
        except ToolInputError:
            return None
        if span.start is None:
            return None
        return ((span.end or clock.now().astimezone(zone).replace(tzinfo=None)) - span.start).days

    def together(first: str, second: str) -> PeriodValue | None:
        try:
            spans = [resolve(phrase, now=clock.now(), zone=zone) for phrase in (first, second)]
        except ToolInputError:
            return None
        starts = [span.start for span in spans if span.start is not None]
        ends = [span.end for span in spans if span.end is not None]
        if len(starts) < 2 or len(ends) < 2:
            return None
        return {"from": min(starts).isoformat(), "to": max(ends).isoformat()}

    def before(period: PeriodValue) -> PeriodValue | None:
        try:
            given = PeriodArg.model_validate(period) if isinstance(period, dict) else period
            span = previous(resolve(given, now=clock.now(), zone=zone))
        except ToolInputError:
            return None
        if span.start is None or span.end is None:
            return None
        return {"from": span.start.isoformat(), "to": span.end.isoformat()}

    dimensions = {
        word: name
        for name, entry in dimension_words()["dimensions"].items()
        for word in (name, *entry["words"])
    }
    vocabulary = Vocabulary(facts.catalogue(), dimensions, taxonomy.words(), titles, similar)
    return Reader(
        vocabulary,
        lambda text: [(m.span, m.phrase) for m in find_periods(text)],
        is_later,
        is_customer,
        days_in,
        together,
        before,
    )
