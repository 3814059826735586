"""How first-response times spread: median, the slowest tenth, the share in time, and those never answered.

A mean alone misleads: a few answers after a weekend weigh more than all quick ones.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from analytics.estimates import estimate
from analytics.order_statistics import Quantile, Ranks, quantile, quantile_ranks
from analytics.sums import Sums
from store.facts import Aggregate, Selection
from store.responses import FIRST_RESPONSE
from tools.context import ToolContext
from tools.measures import rounded

_QUANTILES: Final[Mapping[str, float]] = {"median": 0.5, "p90": 0.9}
_Key = tuple[str | None, ...]


@dataclass(frozen=True)
class Spread:
    """What there is to tell of a selection, or of each of its groups, by key in the order of dimensions."""

    selection: Selection
    dimensions: tuple[str, ...]
    context: ToolContext

    def figures(self, counts: Mapping[_Key, int], minutes: float | None) -> dict[_Key, dict[str, Any]]:
        """By key: median and p90 {value, ci_low, ci_high} in minutes, the shares `within` and `unanswered`.

        `counts` are the answered conversations of each key; `minutes` the target, where there is one.
        """
        found = self._quantiles(counts)
        missed = self._shares("unanswered_share", counts)
        in_time = {} if minutes is None else self._shares(f"{FIRST_RESPONSE}<={minutes:g}", counts)
        for key, row in found.items():
            row["within"] = {"minutes": minutes, **in_time[key]} if key in in_time else None
            row["unanswered"] = missed.get(key)
        return found

    def _quantiles(self, counts: Mapping[_Key, int]) -> dict[_Key, dict[str, Any]]:
        ranks = {
            key: {name: quantile_ranks(n, share) for name, share in _QUANTILES.items()}
            for key, n in counts.items()
        }
        wanted = {rank for each in ranks.values() for one in each.values() for rank in one.all}
        values = self.context.facts.ranked(self._asking(FIRST_RESPONSE), sorted(wanted))
        return {key: _shown(each, values.get(key, {})) for key, each in ranks.items()}

    def _shares(self, metric: str, counts: Mapping[_Key, int]) -> dict[_Key, dict[str, Any]]:
        shares = {}
        for group in self.context.facts.aggregate(self._asking(metric)):
            if group.key in counts and group.n:
                found = estimate("proportion", Sums(group.n, group.total, group.squares))
                shares[group.key] = {
                    "value": rounded(found.value),
                    "ci_low": rounded(found.ci_low),
                    "ci_high": rounded(found.ci_high),
                    "count": round(group.total),
                    "n": found.n,
                }
        return shares

    def _asking(self, metric: str) -> Aggregate:
        return Aggregate(metric, self.selection, group_by=self.dimensions)


def add_spread(
    data: dict[str, Any],
    groups: Sequence[dict[str, Any]],
    selection: Selection,
    dimensions: tuple[str, ...],
    minutes: float | None,
    context: ToolContext,
) -> None:
    """Add to a result's data, and to its rows of groups, how the times of each spread."""
    data |= Spread(selection, (), context).figures({(): data["n"]}, minutes)[()]
    if groups:
        keys = {tuple(row["keys"][name] for name in dimensions): row for row in groups}
        found = Spread(selection, dimensions, context).figures(
            {k: row["n"] for k, row in keys.items()}, minutes
        )
        for key, row in keys.items():
            row |= found[key]


def _shown(ranks: Mapping[str, Ranks], values: Mapping[int, float]) -> dict[str, Any]:
    return {
        name: {"share": _QUANTILES[name], **_figure(quantile(each, values))} for name, each in ranks.items()
    }


def _figure(found: Quantile) -> dict[str, float | None]:
    return {
        "value": rounded(found.value),
        "ci_low": rounded(found.ci_low),
        "ci_high": rounded(found.ci_high),
    }
