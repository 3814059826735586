"""Labels that were made by another labeller (another taxonomy, lexicon or model) than the one in use."""

from collections.abc import Collection

from pipeline.label_gold import machine
from store.facts import Aggregate, FactStore, Selection


def stale_items(facts: FactStore, in_use: Collection[str], selection: Selection | None = None) -> int:
    """How many labelled items carry labels that a labeller not in use has made.

    A label server's labels name both who made them (`server&embedded`); what people corrected is told by
    the machine's part of the name.
    """
    query = Aggregate("volume", selection or Selection(), group_by=("labeller",))
    groups = [(group.key[0], group.n) for group in facts.aggregate(query)]
    return sum(n for name, n in groups if name and not set(machine(name).split("&")) <= set(in_use))
