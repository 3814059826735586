"""One burst shows in many series: those that it explains are told with it, not beside it."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Final, NamedTuple

from analytics.anomalies import Anomaly
from analytics.sums import Sums
from analytics.surveillance import RECENT_DAYS
from tools.anomaly_content import days_window
from tools.anomaly_series import Daily, Scope, Watched, daily_groups
from tools.context import ToolContext

# What a series explains of another one: this part of what is out of line in it.
_EXPLAINED: Final = 0.5


class Burst(NamedTuple):
    """An anomaly by its scope, and the scopes of those that it explains."""

    scope: Scope
    anomaly: Anomaly
    also: tuple[Scope, ...] = ()


def merged(
    found: Sequence[tuple[Scope, Anomaly]],
    series: Mapping[Scope, Daily],
    watched: Watched,
    limit: int,
    context: ToolContext,
) -> tuple[list[Burst], int]:
    """The anomalies, worst first, each with those that it explains; at most `limit`, and how many there are.

    A series explains another of the same days where the items of both are most of what is out of line in
    the other. A narrower series stands for a wider one that it explains, whichever is rarer. Beyond the
    limit nothing is merged any more: the number counts what is left as it is. Means and shares are no sums
    of items: they stay as they were found.
    """
    left = sorted(found, key=lambda pair: -pair[1].score)
    if watched.measure.kind != "count":
        return [Burst(*pair) for pair in left[:limit]], len(left)
    bursts: list[Burst] = []
    while left and len(bursts) < limit:
        chosen = left[0]
        for one in left[1:]:
            narrower = set(one[0]) > set(chosen[0]) and _same_days(one[1], chosen[1])
            if narrower and _part(series[one[0]], chosen[1]) >= _EXPLAINED:
                chosen = one
                break
        together = [one for one in left if one is not chosen and _same_days(one[1], chosen[1])]
        parts = _parts(chosen, together, series, watched, context)
        explained = [one for one, part in zip(together, parts, strict=True) if part >= _EXPLAINED]
        others = dict.fromkeys(scope for scope, _ in explained if scope != chosen[0])
        bursts.append(Burst(*chosen, also=tuple(others)))
        gone = {id(chosen), *map(id, explained)}
        left = [one for one in left if id(one) not in gone]
    return bursts, len(bursts) + len(left)


def _same_days(one: Anomaly, other: Anomaly) -> bool:
    return one.direction == other.direction and one.start < other.end and other.start < one.end


def _parts(
    cause: tuple[Scope, Anomaly],
    others: Sequence[tuple[Scope, Anomaly]],
    series: Mapping[Scope, Daily],
    watched: Watched,
    context: ToolContext,
) -> list[float]:
    """For each other anomaly, the part of what is out of line in it that lies in the cause as well.

    The items of both are known where one scope holds the other or their pair is watched; else they are
    asked for, once for each kind of scope.
    """
    asked: dict[tuple[str, ...], dict[Scope, dict[date, Sums]]] = {}
    begins = min((one.start for _, one in others), default=cause[1].start) - timedelta(days=RECENT_DAYS)
    ends = max((one.end for _, one in others), default=cause[1].end)
    parts = []
    for scope, anomaly in others:
        both = tuple(dict.fromkeys((*cause[0], *scope)))
        joint = series.get(both, series.get(tuple(reversed(both))))
        if joint is None:
            dimensions = tuple(name for name, _ in scope)
            if dimensions not in asked:
                inside = watched.inside(cause[0], days_window(begins, ends, context))
                asked[dimensions] = daily_groups(watched.measure, inside, dimensions, context)
            joint = asked[dimensions].get(scope, {})
        parts.append(_part(joint, anomaly))
    return parts


def _part(joint: Daily, of: Anomaly) -> float:
    """The excess of a series over its weeks before, as a part of the excess of an anomaly on its days."""
    length = (of.end - of.start).days
    before = of.start - timedelta(days=RECENT_DAYS)
    now = sum(sums.n for day, sums in joint.items() if of.start <= day < of.end)
    usual = sum(sums.n for day, sums in joint.items() if before <= day < of.start) / RECENT_DAYS
    return (now - length * usual) / (length * (of.observed - of.expected))
