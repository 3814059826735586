"""The figures at the top of a report: the data's default metric, how much, how negative, other scores."""

from typing import Any

from agent.insight_document import Figures, Headline, Tone
from agent.insight_run import InsightRun
from agent.insight_wording import capital, metric_title
from agent.insight_words import say
from agent.wording import amount, change
from tools.measures import find_measure

# Scores shown beside the default metric where enough items carry them.
_SCORES = ("nps", "csat", "rating", "ces")
_ENOUGH = 30
_MOST = 5

Comparisons = dict[str, dict[str, Any]]


def compare_metrics(run: InsightRun) -> Comparisons:
    """compare_periods for each headline metric, the default one first."""
    known = run.context.facts.catalogue().metrics
    scores = [name for name in _SCORES if name in known and name != run.metric]
    names = list(dict.fromkeys([run.metric, "volume", "negative_share", *scores]))
    found: Comparisons = {}
    for name in names:
        if len(found) == _MOST:
            break
        result = run.call("compare_periods", metric=name, period=run.span, compare_to=run.before)
        if name not in scores or result["data"]["n_after"] >= _ENOUGH:
            found[name] = result
    return found


def headline(metric: str, result: dict[str, Any], run: InsightRun) -> Headline:
    """One metric with its interval and what became of it."""
    data, language = result["data"], run.language
    value, low, high = data["after"], data["after_ci_low"], data["after_ci_high"]
    interval = ""
    if metric != "volume" and value is not None and low is not None:
        interval = say(
            "interval_n",
            language,
            low=amount(metric, low),
            high=amount(metric, high),
            n=amount("volume", data["n_after"]),
        )
    return Headline(
        title=capital(metric_title(metric, data, run), run),
        value=say("no_value", language) if value is None else amount(metric, value),
        interval=interval,
        change=change_words(metric, data, run),
        tone=tone(metric, data, run),
        figures=_figures(metric, data),
    )


def change_words(metric: str, data: dict[str, Any], run: InsightRun) -> str:
    """How a metric stands against the comparison period; a direction only where it is significant."""
    language, before = run.language, run.comparison.label
    if data["before"] is None or data["change"] is None or not data["n_before"]:
        return say("no_before", language, before=before)
    if not data["significant"]:
        return say("no_change", language, before=before, value=amount(metric, data["before"]))
    key = "rose_by" if data["change"] > 0 else "fell_by"
    return say(key, language, before=before, change=change(metric, data["change"], language))


def tone(metric: str, data: dict[str, Any], run: InsightRun) -> Tone:
    """Whether a significant change is welcome; flat where nobody knows which way is better."""
    if not data["significant"] or not data["change"]:
        return "flat"
    best = find_measure(metric, run.context, run.language).best
    if best is None:
        return "flat"
    towards = -1 if best == 0 else 1
    return "good" if data["change"] * towards > 0 else "bad"


def _figures(metric: str, data: dict[str, Any]) -> Figures:
    return Figures(
        metric=metric,
        value=data["after"],
        ci_low=data["after_ci_low"],
        ci_high=data["after_ci_high"],
        n=data["n_after"],
        before=data["before"],
        n_before=data["n_before"],
        change=data["change"],
        change_low=data["ci_low"],
        change_high=data["ci_high"],
        significant=data["significant"],
    )
