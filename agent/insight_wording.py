"""How reports write what agent/wording.py leaves open: signs, titles of metrics, sentences in a row."""

from typing import Any

from agent.insight_run import InsightRun
from agent.phrases import name
from agent.wording import amount, change, is_share, metric_name


def signed(metric: str, value: float, run: InsightRun) -> str:
    """A change with its sign; points are left out, they are the unit of the figure beside it."""
    shown = change(metric, value, run.language) if is_share(metric) else amount(metric, abs(value))
    return f"{'-' if value < 0 else '+'}{shown}"


def in_a_row(sentences: list[str], run: InsightRun) -> str:
    """Sentences in a row: with a space between them where the language has one."""
    return ("" if run.language == "zh" else " ").join(sentences)


def metric_title(metric: str, data: dict[str, Any], run: InsightRun) -> str:
    """What a metric is called in a report; the data's own metrics keep their names."""
    return metric_name(metric, run.frame).strip("“”") or str(data["title"])


def capital(text: str, run: InsightRun) -> str:
    """A name at the start of a line: English ones with a capital letter."""
    return text[:1].upper() + text[1:] if run.language == "en" else text


def lower(text: str, run: InsightRun) -> str:
    """A sentence that goes on another one after a colon; what begins with a name keeps its capital."""
    return text[:1].lower() + text[1:] if run.language == "en" and text[1:2].islower() else text


def named(group: str, value: str, run: InsightRun) -> str:
    """A value of a fixed list (evidence grade, scope of a cause) in words."""
    return name(f"value_{group}_{value}", run.language, value)
