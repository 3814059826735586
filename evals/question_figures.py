"""Every figure that an answer shows, worked out again from the files: what differs was shown wrongly."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from evals.cases import Compute, Days
from evals.recompute import Item, compute

_GROUP = re.compile(r"data\.groups\[(\d+)\]\.(\w+)$")
_TIMES = frozenset({"hour", "weekday", "day_type", "month", "date", "year", "nps_class"})
_CLASSES = {"promoters": "promoter", "passives": "passive", "detractors": "detractor"}
_SENTIMENTS = ("positive", "neutral", "negative")


def wrong_figures(answer: Mapping[str, Any], items: Sequence[Item]) -> list[str]:
    """Figures shown whose call, period and filters give another value when the files are counted again.

    Checked are NPS and its classes, means, counts and shares of nps_stats, metric_stats and compare_periods,
    overall and by group, where every filter is a column of the files.
    """
    calls = {call["id"]: call for call in answer["tool_calls"]}
    known = known_dimensions(items)
    wrong = []
    for figure in answer["figures"]:
        call = calls.get(figure["tool_call_id"])
        if call is None or not isinstance(figure["value"], int | float):
            continue
        question = _question(call, str(figure["path"]), known)
        if question is None:
            continue
        wanted = compute(items, question)
        # A group of rows without a value bears a name that no row has; it cannot be counted again.
        if wanted is None and _GROUP.match(str(figure["path"])):
            continue
        if wanted is None or not _same(float(figure["value"]), wanted):
            wrong.append(
                f"{figure['text']} shown, {wanted} recomputed for {figure['path']} of {call['name']}"
            )
    return wrong


def known_dimensions(items: Sequence[Item]) -> frozenset[str]:
    """The dimensions that a recomputation can filter by."""
    return frozenset(name for item in items for name in item.dimensions)


def _question(call: Mapping[str, Any], path: str, known: frozenset[str]) -> Compute | None:
    """What a figure at a path of a call's result claims, None where it cannot be recomputed."""
    result, leaf = call["result"], path.rsplit(".", 1)[-1]
    filters = dict(result.get("filters") or {})
    exclude = dict(filters.pop("exclude", None) or {})
    group = _GROUP.match(path)
    if group:
        leaf = group[2]
        added = _group_filters(call, int(group[1]))
        if added is None:
            return None
        filters |= added
    elif path not in _PLACES.get(call["name"], ()):
        return None
    if not {*filters, *exclude} <= known | _TIMES or ("org_unit" in filters and group):
        return None
    claimed = _claim(call, leaf)
    if claimed is None:
        return None
    measure, of, extra = claimed
    if of.startswith("sentiment=") and "sentiment" not in known:
        return None
    period = {edge: (result.get("period") or {}).get(edge) for edge in ("from", "to")}
    return Compute.model_validate(
        {
            "measure": measure,
            "of": of,
            "period": Days.model_validate({name: _local(at) for name, at in period.items()}),
            "filters": {**{name: _listed(value) for name, value in filters.items()}, **extra},
            "exclude": {name: _listed(value) for name, value in exclude.items()},
        }
    )


_PLACES: Mapping[str, frozenset[str]] = {
    "nps_stats": frozenset({"data.nps", "data.promoters", "data.passives", "data.detractors"}),
    "metric_stats": frozenset({"data.value"}),
    "compare_periods": frozenset({"data.after", "data.after.value", "data.after.nps"}),
}


def _claim(call: Mapping[str, Any], leaf: str) -> tuple[str, str, dict[str, str]] | None:
    """Measure, its object, and an extra filter."""
    metric = "nps" if call["name"] == "nps_stats" else str(call["args"].get("metric", "volume"))
    if call["name"] == "compare_periods":
        metric = str(call["args"].get("metric", "nps"))
    if metric == "nps" and leaf in _CLASSES:
        return "count", "", {"nps_class": _CLASSES[leaf]}
    if leaf not in ("nps", "value", "after"):
        return None
    if metric == "nps":
        return "nps", "", {}
    if metric == "volume":
        return "count", "", {}
    for sentiment in _SENTIMENTS:
        if metric == f"{sentiment}_share":
            return "share", f"sentiment={sentiment}", {}
    if metric in ("csat", "ces", "rating"):
        return "mean", metric, {}
    return None


def _group_filters(call: Mapping[str, Any], place: int) -> dict[str, str] | None:
    groups, split = call["result"]["data"].get("groups") or [], call["args"].get("group_by")
    names = [split] if isinstance(split, str) else list(split or [])
    if place >= len(groups) or len(names) != 1:
        return None
    key = groups[place].get("key")
    if isinstance(key, Mapping):
        key = key.get(names[0])
    return {names[0]: key} if isinstance(key, str) else None


def _listed(value: Any) -> Any:
    return [str(one) for one in value] if isinstance(value, list | tuple) else str(value)


def _local(at: Any) -> str | None:
    return None if at is None else str(at)


def _same(shown: float, wanted: float) -> bool:
    # Results are rounded to four decimals; the sign may be in the words.
    return abs(abs(shown) - abs(wanted)) <= (0.0051 if abs(wanted) > 1 else 0.000051) + 1e-9
