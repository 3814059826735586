"""The figures a question about worth gives: 流失率从12%降到8%，5万客户，LTV 1000."""

import re
from collections.abc import Mapping

from agent.figures import Figure, find_figures, zh_number
from agent.word_matching import Hit, matcher

_NEAR = 16
_CLAUSE = re.compile(r"[，,。；;](?!\d{3})|\band\b|\bwith\b", re.IGNORECASE)
_FALLS = re.compile(r"(?:从|由|from)\s*$", re.IGNORECASE)
_TO = re.compile(
    r"(?:降到|降至|降低到|降为|减到|减少到|缩短到|缩短至|到|至|变为|to|down to|->|→)\s*$", re.IGNORECASE
)
# What is written as "from A to B", and in which input each end goes.
_PAIRS = {
    "churn": ("churn_before", "churn_after"),
    "minutes": ("minutes_before", "minutes_after"),
    "acquisition": ("acquisition_cost_before", "acquisition_cost_after"),
}
_YEARS = re.compile(
    r"(\d+(?:\.\d+)?|[一两二三四五六七八九十])\s*(?:年(?!流失|营收|收入|新)|years?)", re.IGNORECASE
)
_MONTHS = re.compile(r"(\d+(?:\.\d+)?|[一两二三四五六七八九十]+)\s*(?:个月|months?)", re.IGNORECASE)


def roi_inputs(text: str) -> Mapping[str, float]:
    """Inputs of `estimate_roi` by name; rates as shares 0-1. What is not written is left to the tool."""
    words = matcher("roi_inputs").find(text)
    found: dict[str, float] = {}
    for figure in find_figures(text):
        if figure.kind in ("date", "time") or _is_span(text, figure):
            continue
        word = _word_of(text, words, figure)
        if word is None:
            continue
        value = figure.value / 100 if figure.kind == "percent" else figure.value
        found.setdefault(_name(word.tag, text, figure, found), value)
    if months := _horizon(text):
        found["horizon_months"] = months
    return found


def _is_span(text: str, figure: Figure) -> bool:
    return re.match(
        r"\s*(?:年|个月|years?|months?)", text[figure.start + len(figure.text) :]
    ) is not None or (figure.text.endswith(("年", "月")))


def _word_of(text: str, words: list[Hit], figure: Figure) -> Hit | None:
    """The word of its clause that a figure belongs to: right after it (5万客户), else the last before it."""
    start = max((m.end() for m in _CLAUSE.finditer(text, 0, figure.start)), default=0)
    end = next((m.start() for m in _CLAUSE.finditer(text, figure.end)), len(text))
    here = [w for w in words if start <= w.start and w.end <= end]
    before = [w for w in here if w.end <= figure.start]
    after = [w for w in here if 0 <= w.start - figure.end <= _NEAR]
    if after and (not before or after[0].start - figure.end <= 1):
        return after[0]
    return before[-1] if before else None


def _name(tag: str, text: str, figure: Figure, found: Mapping[str, float]) -> str:
    if tag not in _PAIRS:
        return tag
    first, second = _PAIRS[tag]
    before = text[: figure.start]
    if _TO.search(before) and not _FALLS.search(before):
        return second
    return second if first in found else first


def _horizon(text: str) -> float | None:
    for pattern, months in ((_YEARS, 12), (_MONTHS, 1)):
        if match := pattern.search(text):
            count = float(match[1]) if match[1][0].isdigit() else zh_number(match[1])
            return count * months
    return None
