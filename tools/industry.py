"""Own or common: a problem's rate here against its rate in the industry."""

from collections.abc import Sequence
from typing import Literal

from analytics.estimates import difference, proportion
from analytics.sums import Sums
from store.facts import Aggregate, Selection
from store.records import IndustryRate
from tools.context import ToolContext
from tools.dimensions import fold

Scope = Literal["own", "common", "undecided"]


def problem_scope(
    dimension: Literal["topic", "theme"], value: str, label: str, selection: Selection, context: ToolContext
) -> Scope:
    """Judge a topic or theme: "own" where it is significantly more frequent here than in the industry.

    "common" where it is not; "undecided" without a row in the industry table or without items.
    """
    rate = _row((value, label, *_names(dimension, value, context)), context.facts.rates())
    if rate is None:
        return "undecided"
    groups = context.facts.aggregate(Aggregate(f"share:{dimension}={value}", selection))
    here = Sums(groups[0].n, groups[0].total, groups[0].squares)
    if not here.n:
        return "undecided"
    if rate.n is None:
        low = proportion(here.n, here.total).ci_low
        return "own" if low is not None and low > rate.rate else "common"
    there = rate.rate * rate.n
    change = difference("proportion", Sums(rate.n, there, there), here)
    return "own" if change.significant and (change.value or 0) > 0 else "common"


def industry_rate(metric: str, title: str, context: ToolContext) -> IndustryRate | None:
    """The row of the industry table that bears a metric's name or, of a share, that of its value."""
    names = [metric, title]
    if metric.startswith("share:"):
        dimension, _, value = metric.removeprefix("share:").partition("=")
        names += [value, *_names(dimension, value, context)]
    return _row(names, context.facts.rates())


def _names(dimension: str, value: str, context: ToolContext) -> tuple[str, ...]:
    taxonomy = context.taxonomy
    return tuple(taxonomy.title_of(value, each) for each in ("zh", "en")) if dimension == "topic" else ()


def _row(names: Sequence[str], rates: Sequence[IndustryRate]) -> IndustryRate | None:
    wanted = {fold(name) for name in names}
    return next((rate for rate in rates if fold(rate.theme) in wanted), None)
