"""Why did a figure change, or why is it low: which items, under which conditions, depart from the rest.

Where, when and who (context dimensions: region, version, hour, store ...) are searched as conjunctions of
up to three values; what was said (symptom dimensions: topic, rival named ...) is searched for what the
contexts leave unexplained, and names what happened inside each context. Nothing here proves causation: each
cause carries the grade of its evidence.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Literal

from analytics.cause_report import CauseReport, History
from analytics.cause_selection import Selector
from analytics.causes import Reason, RootCause
from analytics.cells import CellQuery, CellTable, Pair
from analytics.compare import decompose, is_partition
from analytics.condition_search import ConditionSearch, Contrast, Limits
from analytics.effects import Mode
from analytics.estimates import Difference, Kind, difference, estimate
from analytics.sums import Sums
from analytics.symptoms import scan_symptoms
from store.errors import InputError

DEFAULT_LIMITS = Limits()

_SPANS: Mapping[Kind, float] = {"nps": 2.0, "proportion": 1.0}


def find_causes(
    query: CellQuery,
    dims: Sequence[str],
    *,
    symptoms: Sequence[str] = (),
    kind: Kind = "nps",
    level: bool = False,
    direction: Literal["down", "up"] | None = None,
    best: float | None = None,
    history: History | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> RootCause:
    """Search for the root cause of a change between two windows, or of a level within one.

    `query(dims)` answers grouped sums for both windows (see `cells.Cell`), `()` asks for the total. `dims`
    are context dimensions with one value an item; of two that name the same items the earlier is preferred.
    `symptoms` may have several values an item; leave out those that the metric itself is made of.
    With `level` only the later window is read and the group's level is held against the rest's. `kind`
    "count" asks about the number of items instead of x. `direction` restricts to causes that push the
    figure down or up (default: as the overall change went; either way where it is not significant; for a
    level: away from `best`). `best` is the best value of x (NPS: 1), needed for the share of a level.
    Raises InputError for a level of counts, or one without direction and best.
    """
    mode = _mode(kind, level)
    best = 1.0 if kind == "nps" and best is None else best
    cells = CellTable(query)
    total = cells.total
    scale = 100.0 if kind == "nps" else 1.0
    change = _overall(kind, level, total)
    sign = _sign(mode, direction, change, best, total.after)
    if total.after.n < 2 * limits.min_support or (not level and total.before.n < 2 * limits.min_support):
        return _nothing("too_few", change, cells)
    pooled = total.after if level else total.before + total.after
    search = ConditionSearch(
        cells, dims, Contrast(mode, total, variance=pooled.variance, span=_SPANS.get(kind)), limits
    )
    search.run()
    named, tested = scan_symptoms(cells, symptoms, search.contrast, limits)
    selector = Selector(
        cells,
        search,
        sign=sign,
        change=change.value / scale if change.significant and change.value else None,
        examined=search.examined + Counter({1: tested}),
    )
    selector.choose(search.candidates, symptom=False)
    selector.choose_surge(search.candidates)
    selector.choose(named, symptom=True, worse=_worse(sign, best, total.after))
    if not selector.chosen:
        reason, dimension = _why_none(cells, dims, kind, level, change, selector.refuted_by)
        return _nothing(reason, change, cells, dimension, selector.examined.total())
    report = CauseReport(selector, symptoms, change=change, scale=scale, best=best, history=history)
    return RootCause(
        verdict="cause_found",
        reason="",
        change=change,
        causes=report.causes(),
        rivals=report.rivals(),
        mix_dimension=None,
        examined=selector.examined.total(),
        queries=cells.queries,
    )


def _mode(kind: Kind, level: bool) -> Mode:
    if kind == "count":
        if level:
            raise InputError("a number of items has no level to explain; compare two periods instead")
        return "volume"
    return "level" if level else "change"


def _overall(kind: Kind, level: bool, total: Pair) -> Difference:
    if not level:
        return difference(kind, total.before, total.after)
    now = estimate(kind, total.after)
    return Difference(now.value, now.ci_low, now.ci_high, False, now.reason)


def _sign(
    mode: Mode, direction: Literal["down", "up"] | None, change: Difference, best: float | None, after: Sums
) -> int:
    if direction is not None:
        return -1 if direction == "down" else 1
    if mode == "level":
        if best is None:
            raise InputError("a level needs a direction or the best value of the metric")
        return -1 if best > after.mean else 1
    if not change.significant or not change.value:
        return 0
    return 1 if change.value > 0 else -1


def _worse(sign: int, best: float | None, after: Sums) -> bool:
    """Whether the causes looked for make the figure worse."""
    return best is not None and sign != 0 and (sign < 0) == (best > after.mean)


def _why_none(
    cells: CellTable, dims: Sequence[str], kind: Kind, level: bool, change: Difference, refuted_by: str | None
) -> tuple[Reason, str | None]:
    if level or kind == "count":
        return ("mix", refuted_by) if refuted_by else ("broad", None)
    if not change.significant or not change.value:
        return "no_change", None
    mixes = []
    for name in dims:
        groups = {key: (cell.pair.before, cell.pair.after) for key, cell in cells.table((name,)).items()}
        split = decompose(kind, groups)
        if split is None or not is_partition(groups, *cells.total):
            continue
        if not split.rate_significant and split.mix_effect / change.value >= 0.5:
            mixes.append((split.mix_effect / change.value, name))
    if mixes:
        return "mix", max(mixes)[1]
    return ("mix", refuted_by) if refuted_by else ("broad", None)


def _nothing(
    reason: Reason, change: Difference, cells: CellTable, dimension: str | None = None, examined: int = 0
) -> RootCause:
    return RootCause("no_cause", reason, change, (), (), dimension, examined, cells.queries)
