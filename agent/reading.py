"""Builds the Reader of questions from what is stored now."""

import re
from zoneinfo import ZoneInfo

from agent.name_matching import Similar
from agent.period_reading import PeriodReader
from agent.understanding import Reader
from agent.value_span import life_in
from agent.vocabulary import Vocabulary
from pipeline.taxonomy import LANGUAGES, Taxonomy
from store.clock import Clock
from store.facts import FactStore, Find, Selection
from tools.dimensions import vocabulary as dimension_words

_CHINESE = re.compile(r"[\u3400-\u9fff]{2,6}")
# A word in so many of the texts, and at least in so many items, is what they are about.
_COMMON = 0.02
_FEWEST = 10


def build_reader(
    facts: FactStore, clock: Clock, zone: ZoneInfo, taxonomy: Taxonomy, similar: Similar | None = None
) -> Reader:
    """A reader that knows the data's dimensions, values and metrics, the taxonomy, and today."""
    titles = {language: taxonomy.titles(language) for language in LANGUAGES}

    def is_customer(customer_id: str) -> bool:
        if facts.customers([customer_id]):
            return True
        return facts.count(Selection(filters={"customer_id": (customer_id,)})) > 0

    catalogue = facts.catalogue()

    def is_subject(word: str) -> bool:
        if not _CHINESE.fullmatch(word):
            return False
        enough = max(_FEWEST, round(_COMMON * catalogue.items))
        return len(facts.find(Find(contains=(word,), order="id", limit=enough))) >= enough

    dimensions = {
        word: name
        for name, entry in dimension_words()["dimensions"].items()
        for word in (name, *entry["words"])
    }
    vocabulary = Vocabulary(catalogue, dimensions, taxonomy.words(), titles, similar)
    return Reader(vocabulary, PeriodReader(clock.now, zone), is_customer, is_subject, life_in(facts))
