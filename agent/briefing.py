"""The system prompt of a model-driven turn: today, and what data there is."""

from zoneinfo import ZoneInfo

from agent.language import language_of
from prompts.library import render
from store.clock import Clock
from store.facts import Catalogue, FactStore

_DIMENSIONS_SHOWN = 20
_VALUES_SHOWN = 5
_MAX_DISTINCT = 200


def system_prompt(question: str, arguments: str, facts: FactStore, clock: Clock, zone: ZoneInfo) -> str:
    """The system prompt in the language of the question; `arguments` says what the common ones mean."""
    today = clock.now().astimezone(zone)
    return render(
        "system",
        language_of(question),
        today=f"{today:%Y-%m-%d %A}",
        zone=str(zone),
        arguments=arguments,
        data=_describe(facts.catalogue(), zone),
    )


def _describe(catalogue: Catalogue, zone: ZoneInfo) -> str:
    """The data in one line a dimension: names and common values, no customer text."""
    if not catalogue.items:
        return "no feedback is stored yet"
    lines = [f"{catalogue.items} items, {catalogue.customers} customers"]
    if catalogue.first_at and catalogue.last_at:
        first, last = (at.astimezone(zone).date() for at in (catalogue.first_at, catalogue.last_at))
        lines[0] += f", {first} to {last}"
    lines.append(
        "metrics: " + ", ".join(f"{m.name} ({m.low:g}-{m.high:g})" for m in catalogue.metrics.values())
    )
    usable = [d for d in catalogue.dimensions.values() if 1 < d.distinct <= _MAX_DISTINCT]
    for dimension in usable[:_DIMENSIONS_SHOWN]:
        shown = ", ".join(value for value, _ in dimension.values[:_VALUES_SHOWN] if len(value) <= 40)
        lines.append(f"dimension {dimension.name}: {shown}")
    return "\n".join(lines)
