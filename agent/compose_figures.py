"""Sentences about figures: one value, groups, a comparison of two periods."""

from typing import Any

from agent.frame import Frame, Rank
from agent.phrases import Language, phrase
from agent.wording import (
    amount,
    change,
    conditions,
    is_share,
    metric_name,
    number,
    percent,
    scope,
    span,
    value_name,
)
from tools.caveats import SMALL_SAMPLE

_ROWS = 12
_CONTRIBUTIONS = 5


def compose_figure(frame: Frame, result: dict[str, Any]) -> str:
    """A value with its interval, then its groups."""
    language, metric = frame.language, _metric(result)
    if not result["n"]:
        return phrase("figure_none", language, scope=scope(result, frame), metric=metric_name(metric, frame))
    groups = result["data"].get("groups") or []
    held = _held(result["data"], metric, language)
    headline = _headline(result, metric, frame) + (phrase("sentence_gap", language) + held if held else "")
    lines = [] if len(groups) > 1 and frame.rank else [headline]
    if groups:
        lines.append(_groups(frame, result, metric, groups))
    if not lines or (groups and frame.rank):
        lines.append(headline)
    return "\n\n".join(line for line in dict.fromkeys(lines) if line)


def _held(data: dict[str, Any], metric: str, language: Language) -> str:
    """How the answers to a first word spread, then what the figure is held against."""
    told = []
    if data.get("median"):
        told.append(_spread(data, language))
    if target := data["target"]:
        short = {"value": amount(metric, target["value"]), "gap": change(metric, target["gap"], language)}
        met = {True: "met", False: "missed"}.get(target["met"], "undecided")
        told.append(phrase(f"target_{met}", language, **short))
    if baseline := data["baseline"]:
        gap = signed(metric, baseline["change"], language)
        value = amount(metric, baseline["value"])
        told.append(phrase(f"baseline_{baseline['source']}", language, value=value, change=gap))
    return " ".join(told)


def _spread(data: dict[str, Any], language: Language) -> str:
    told = {name: number(data[name]["value"]) for name in ("median", "p90")}
    told["share"] = percent(data["p90"]["share"])
    lines = [phrase("response_spread", language, **told)]
    if within := data["within"]:
        share, minutes = percent(within["value"]), number(within["minutes"])
        lines.append(phrase("response_within", language, minutes=minutes, share=share))
    if missed := data["unanswered"]:
        share, n = percent(missed["value"]), number(missed["n"])
        lines.append(phrase("response_missed", language, count=number(missed["count"]), n=n, share=share))
    return "".join(lines)


def _metric(result: dict[str, Any]) -> str:
    return "nps" if result["tool"] == "nps_stats" else str(result["data"]["metric"])


def _headline(result: dict[str, Any], metric: str, frame: Frame) -> str:
    language = frame.language
    data, where = result["data"], scope(result, frame)
    n = number(result["n"])
    if metric == "nps":
        counts = {key: number(data[key]) for key in ("promoters", "passives", "detractors")}
        low, high = (amount(metric, data[key]) for key in ("ci_low", "ci_high"))
        shown = amount(metric, data["nps"])
        return phrase("figure_nps", language, scope=where, nps=shown, low=low, high=high, n=n, **counts)
    if metric == "volume":
        return phrase("figure_count", language, scope=where, value=number(data["value"]))
    values = {
        "scope": where,
        "metric": metric_name(metric, frame),
        "value": amount(metric, data["value"]),
        "n": n,
    }
    if data.get("ci_low") is None:
        return phrase("figure_no_interval", language, **values)
    low, high = amount(metric, data["ci_low"]), amount(metric, data["ci_high"])
    return phrase("figure_value", language, **values, low=low, high=high)


def _groups(frame: Frame, result: dict[str, Any], metric: str, groups: list[dict[str, Any]]) -> str:
    language = frame.language
    value_key = "nps" if metric == "nps" else "value"
    with_value = [group for group in groups if group.get(value_key) is not None]
    if frame.rank:
        with_value.sort(key=lambda group: group[value_key], reverse=frame.rank != "lowest")
    shown = with_value[: frame.limit or _ROWS]
    lines = []
    if frame.rank:
        lines += _extremes(frame, frame.rank, with_value, metric, value_key)
    head = "groups_head" if len(shown) == len(groups) else "groups_top"
    lines.append(phrase(head, language, count=len(groups), shown=len(shown)))
    lines += [_group_line(group, metric, value_key, frame) for group in shown]
    return "\n".join(lines)


def _extremes(
    frame: Frame, rank: Rank, ordered: list[dict[str, Any]], metric: str, value_key: str
) -> list[str]:
    """The first group, and the first with enough items; what has no value of the dimension is no group."""
    named = [group for group in ordered if None not in group["keys"].values()]
    language, title = frame.language, metric_name(metric, frame)
    lines = []
    for end in ("highest", "lowest") if rank == "both" else (rank,):
        ranked = named[::-1] if (rank, end) == ("both", "lowest") else named
        enough = [group for group in ranked if group["n"] >= SMALL_SAMPLE]
        if ranked:
            told = _told(ranked[0], metric, value_key, frame)
            lines.append(phrase(f"ranked_{end}", language, metric=title, **told))
        if metric != "volume" and enough and enough[0] is not ranked[0]:
            told = _told(enough[0], metric, value_key, frame)
            lines.append(phrase("ranked_enough", language, **told))
    return lines


def _told(group: dict[str, Any], metric: str, value_key: str, frame: Frame) -> dict[str, str]:
    value, n = amount(metric, group[value_key]), number(group["n"])
    return {"key": group_name(group, frame), "value": value, "n": n}


def _group_line(group: dict[str, Any], metric: str, value_key: str, frame: Frame) -> str:
    language = frame.language
    key = group_name(group, frame)
    value, n = amount(metric, group[value_key]), number(group["n"])
    if metric == "volume":
        return phrase("group_count", language, key=key, value=value)
    if group.get("ci_low") is None:
        return phrase("group_line", language, key=key, value=value, n=n)
    low, high = amount(metric, group["ci_low"]), amount(metric, group["ci_high"])
    return phrase("group_line_ci", language, key=key, value=value, n=n, low=low, high=high)


def group_name(group: dict[str, Any], frame: Frame) -> str:
    """A group's key as people say it."""
    keys = group["keys"]
    if "theme" in keys:
        return str(group["label"])
    return " / ".join(value_name(name, value, frame) for name, value in keys.items())


def compose_comparison(frame: Frame, result: dict[str, Any]) -> str:
    """Before, after, the change and whether it is significant; then what contributed."""
    language, data = frame.language, result["data"]
    metric = str(data["metric"])
    if data.get("segment_a") is not None and data["segment_a"]:
        return _segments(frame, data, metric)
    named = metric_name(metric, frame)
    if filters := {k: v for k, v in result.get("filters", {}).items() if k != "exclude"}:
        named = phrase("metric_of", language, metric=named, where=conditions(filters, frame))
    facts = {
        "metric": named,
        "before_span": span(data["before_period"], language),
        "after_span": span(data["after_period"], language),
        "before_n": number(data["n_before"]),
        "after_n": number(data["n_after"]),
    }
    if data["change"] is None:
        return phrase("compare_unknown", language, **facts)
    facts |= {"before": amount(metric, data["before"]), "after": amount(metric, data["after"])}
    low, high = data["ci_low"], data["ci_high"]
    facts |= {"low": bare(metric, low), "high": signed(metric, high, language)}
    if data["significant"]:
        facts["direction"] = phrase("up" if data["change"] > 0 else "down", language)
        facts["change"] = change(metric, data["change"], language)
    lines = [phrase("compare_moved" if data["significant"] else "compare_steady", language, **facts)]
    if frame.group_by and data["contributions"]:
        lines.append(_contributions(metric, data, language))
    return "\n\n".join(lines)


def _segments(frame: Frame, data: dict[str, Any], metric: str) -> str:
    """Two segments of one period side by side: the second is held against the first."""
    language = frame.language
    sides = {"first": data["segment_b"]["label"], "second": data["segment_a"]["label"]}
    facts = {name: label.partition("=")[2] or label for name, label in sides.items()}
    dimension = data["segment_b"]["label"].partition("=")[0]
    facts = {name: value_name(dimension, value, frame) for name, value in facts.items()}
    facts |= {"metric": metric_name(metric, frame)}
    facts |= {"first_n": number(data["segment_b"]["n"]), "second_n": number(data["segment_a"]["n"])}
    if data["change"] is None:
        return phrase("sides_unknown", language, **facts)
    facts |= {"first_value": amount(metric, data["after"]), "second_value": amount(metric, data["before"])}
    facts |= {"low": bare(metric, data["ci_low"]), "high": signed(metric, data["ci_high"], language)}
    if not data["significant"]:
        return phrase("sides_alike", language, **facts)
    facts["direction"] = phrase("higher" if data["change"] > 0 else "lower", language)
    return phrase("sides_differ", language, change=change(metric, data["change"], language), **facts)


def _contributions(metric: str, data: dict[str, Any], language: Language) -> str:
    lines = [phrase("contributions_head", language)]
    for part in data["contributions"][:_CONTRIBUTIONS]:
        value = signed(metric, part["total"], language)
        lines.append(phrase("contribution_line", language, key=part["label"], value=value))
    return "\n".join(lines)


def bare(metric: str, value: float) -> str:
    """A change with its sign and without its unit, for the first end of an interval."""
    shown = f"{abs(value) * 100:.1f}" if is_share(metric) else change(metric, value, "en").split(" ")[0]
    return ("-" if value < 0 else "") + shown


def signed(metric: str, value: float, language: Language) -> str:
    """A change with its sign."""
    return ("-" if value < 0 else "") + change(metric, value, language)
