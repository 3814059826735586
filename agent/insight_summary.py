"""The first paragraph of a report: the conclusion, its cause, what else matters, the first step."""

from typing import Any

from agent.insight_document import Section
from agent.insight_headlines import Comparisons, change_words
from agent.insight_run import InsightRun
from agent.insight_wording import in_a_row, lower, metric_title, named
from agent.insight_words import say
from agent.wording import amount, conditions, number, percent
from store.facts import Catalogue


def summary(
    run: InsightRun,
    compared: Comparisons,
    cause: dict[str, Any] | None,
    risk: dict[str, Any],
    steps: Section,
) -> str:
    """One paragraph, the conclusion first."""
    sentences = [_first(run, compared[run.metric]["data"])]
    if cause is not None:
        sentences.append(_cause(run, cause["data"]))
    sentences.append(_volume(run, compared))
    if risk["data"]["at_risk"]:
        sentences.append(_risk(run, risk["data"]))
    if steps.entries:
        sentences.append(say("sum_next", run.language, step=lower(steps.entries[0].title, run)))
    return in_a_row([sentence for sentence in sentences if sentence], run)


def empty_summary(run: InsightRun, catalogue: Catalogue, filters: dict[str, Any]) -> str:
    """What to say where there is no feedback, in the period or at all."""
    language = run.language
    if not catalogue.items or catalogue.last_at is None:
        return say("sum_nothing", language)
    day = catalogue.last_at.astimezone(run.context.zone).date().isoformat()
    run.keep("catalogue", {}, {"n": catalogue.items, "data": {"last": day}})
    scope = say("sum_empty_scope", language, scope=conditions(filters, run.frame)) if filters else ""
    return say(
        "sum_empty", language, period=run.period.label, scope=scope, last=say("sum_last", language, day=day)
    ).strip()


def _first(run: InsightRun, data: dict[str, Any]) -> str:
    metric, language = run.metric, run.language
    if data["after"] is None or data["after_ci_low"] is None:
        return ""
    return say(
        "sum_first",
        language,
        period=run.period.label,
        metric=metric_title(metric, data, run),
        value=amount(metric, data["after"]),
        low=amount(metric, data["after_ci_low"]),
        high=amount(metric, data["after_ci_high"]),
        n=number(data["n_after"]),
        change=change_words(metric, data, run),
    )


def _cause(run: InsightRun, data: dict[str, Any]) -> str:
    language = run.language
    if data["verdict"] != "cause_found":
        return say("sum_no_cause", language)
    first = data["causes"][0]
    topic = say("sum_topic", language, topic=first["theme"]) if first["theme"] else ""
    key = "sum_cause_plain" if first["share"] is None else "sum_cause"
    return say(
        key,
        language,
        cause=conditions(first["conditions"], run.frame),
        topic=topic,
        metric=metric_title(data["metric"], data, run),
        after=amount(data["metric"], first["after"]),
        n=number(first["n_after"]),
        share=percent(first["share"]) if first["share"] is not None else "",
        grade=named("grade", first["evidence_grade"], run),
    )


def _volume(run: InsightRun, compared: Comparisons) -> str:
    language = run.language
    items = number(compared["volume"]["data"]["n_after"])
    negative = compared["negative_share"]["data"]
    if negative["after"] is None or run.metric == "negative_share":
        return say("sum_volume_only", language, items=items)
    return say(
        "sum_volume",
        language,
        items=items,
        negative=percent(negative["after"]),
        change=change_words("negative_share", negative, run),
    )


def _risk(run: InsightRun, data: dict[str, Any]) -> str:
    language, red = run.language, data["by_tier"].get("red", 0)
    if not red:
        return say("sum_risk_plain", language, risk=number(data["at_risk"]))
    return say("sum_risk", language, risk=number(data["at_risk"]), red=number(red))
