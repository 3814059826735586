"""The baseline of the simulated year: a word from a list alarms somebody, once a fortnight a customer."""

from datetime import timedelta
from typing import Final

from evals.year_feed import Year
from evals.year_run import Raised
from store.records import Tier

_QUIET: Final = timedelta(days=14)


def alarmed_by_words(year: Year) -> list[Raised]:
    """The alerts that keywords alone raise, on the morning after what was said; all of them red."""
    words = [word.lower() for texts in year.plan["keywords"].values() for word in texts]
    found: dict[str, list[Raised]] = {}
    for day in sorted(year.items):
        for item in year.items[day]:
            on, known = day + timedelta(days=1), found.get(item.customer_id or "", [])
            if item.customer_id is None or not year.start <= on < year.end:
                continue
            if known and on - known[-1].day < _QUIET:
                continue
            word = next((one for one in words if one in item.text.lower()), None)
            if word is not None:
                raised = Raised(item.feedback_id, item.customer_id, {Tier.RED: on}, (word,), 0.0, False)
                found.setdefault(item.customer_id, []).append(raised)
    return [one for raised in found.values() for one in raised]
