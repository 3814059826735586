"""How figures, periods, filters and names are written in an answer."""

import calendar
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from agent.frame import Frame
from agent.phrases import Language, name, phrase
from tools.periods import span_name

_SHARE_METRICS = frozenset(
    {"positive_share", "neutral_share", "negative_share", "churn_rate", "retention_rate", "unanswered_share"}
)
_WEEKDAYS = {"zh": "一二三四五六日", "en": list(calendar.day_name)}


def is_share(metric: str) -> bool:
    """Whether a metric's values are shares 0-1."""
    return metric in _SHARE_METRICS or metric.startswith("share:")


def number(value: float) -> str:
    """A plain number: integers with separators, else as many decimals as tell it apart (two at most)."""
    if float(value).is_integer():
        return f"{int(value):,}"
    return f"{value:,.2f}" if abs(value) < 10 else f"{value:,.1f}"


def percent(value: float) -> str:
    """A share 0-1 as a percentage."""
    return f"{value * 100:.1f}%"


def amount(metric: str, value: float) -> str:
    """A value of a metric."""
    if is_share(metric):
        return percent(value)
    return f"{value:.1f}" if metric == "nps" else number(value)


def change(metric: str, value: float, language: Language) -> str:
    """A change of a metric without its sign."""
    if is_share(metric):
        return f"{abs(value) * 100:.1f}" + phrase("percentage_points", language)
    shown = f"{abs(value):.1f}" if metric == "nps" else number(abs(value))
    return shown + (phrase("points", language) if metric == "nps" else "")


def metric_name(metric: str, frame: Frame) -> str:
    """What a metric is called; the data's own metrics keep their names."""
    language = frame.language
    if metric.startswith("share:"):
        dimension, _, value = metric.removeprefix("share:").partition("=")
        return phrase("share_of", language, value=value_name(dimension, value, frame))
    return name(f"metric_{metric}", language, f"“{metric}”")


def value_name(dimension: str, value: str | None, frame: Frame) -> str:
    """A dimension's value as people say it, in the language of the question."""
    language = frame.language
    if value is None:
        return phrase("not_given", language)
    if dimension in ("topic", "topic_area"):
        return frame.topics.get(value, value)
    if dimension == "week":
        return phrase("week_of", language, day=value)
    if dimension == "hour":
        return f"{value}:00"
    if dimension == "weekday":
        day = _WEEKDAYS[language][int(value) - 1]
        return f"周{day}" if language == "zh" else day
    return name(f"value_{dimension}_{value}", language, value)


def conditions(found: Mapping[str, Any], frame: Frame) -> str:
    """Conditions of a cause or filters of a result: values joined as one description."""
    language, names = frame.language, []
    for dimension, value in found.items():
        values = value if isinstance(value, list) else [value]
        shown = [value_name(dimension, None if v is None else str(v), frame) for v in values]
        names.append(phrase("or", language).join(shown))
    return phrase("and", language).join(names)


def scope(result: Mapping[str, Any], frame: Frame) -> str:
    """Period and filters of a result, e.g. "2026-10-01 至 2026-10-31，广东"."""
    language = frame.language
    filters = {k: v for k, v in result.get("filters", {}).items() if k != "exclude"}
    parts = [span(result["period"], language)]
    if filters:
        parts.append(conditions(filters, frame))
    if left_out := result.get("filters", {}).get("exclude"):
        parts.append(phrase("without", language, values=conditions(left_out, frame)))
    return phrase("comma", language).join(parts)


def span(period: Mapping[str, str | None], language: Language) -> str:
    """A half-open period as people call it: a month, a quarter, or its first and last day."""
    first, end = (period.get(key) for key in ("from", "to"))
    start, stop = (datetime.fromisoformat(at).replace(tzinfo=None) if at else None for at in (first, end))
    return span_name(start, stop, language)
