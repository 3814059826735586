"""Builds an insight report: runs the typed tools over a scope and writes down what they found.

Deterministic: the same data, kind and moment give the same document.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from agent.insight_changes import changes, find_cause
from agent.insight_closing import data_notes, next_steps, rivals
from agent.insight_document import InsightDocument, Kind, Language, Section, Span
from agent.insight_headlines import Comparisons, compare_metrics, headline
from agent.insight_people import plans, plans_of, risk_of, risks, tasks_of
from agent.insight_period import report_spans
from agent.insight_run import InsightRun
from agent.insight_summary import empty_summary, summary
from agent.insight_themes import problems, themes
from agent.insight_words import say
from agent.number_lock import Source
from agent.wording import conditions
from store.facts import Catalogue
from tools.context import ToolContext


@dataclass(frozen=True)
class Insights:
    """A report and the tool results that its figures come from."""

    document: InsightDocument
    sources: tuple[Source, ...]


def build_insights(
    context: ToolContext,
    *,
    kind: Kind,
    metric: str,
    language: Language = "zh",
    first: str | None = None,
    end: str | None = None,
    filters: Mapping[str, Any] | None = None,
) -> Insights:
    """The report of a kind as of the context's clock.

    `metric` is what "better" and "worse" are measured by. `first` and `end` (half-open dates) apply to ad hoc
    reports. Raises ToolInputError for dates and filters that are not understood, NotPermitted where the
    asker may not see the scope.
    """
    catalogue = context.facts.catalogue()
    period, comparison = report_spans(
        kind,
        now=context.clock.now(),
        zone=context.zone,
        language=language,
        catalogue=catalogue,
        first=first,
        end=end,
    )
    run = InsightRun(context, kind, language, period, comparison, dict(filters or {}), metric)
    if not catalogue.items:
        return _document(run, {}, (), empty_summary(run, catalogue, {}))
    compared = compare_metrics(run)
    if not compared["volume"]["data"]["n_after"]:
        return _quiet(run, compared, catalogue)
    return _full(run, compared)


def _full(run: InsightRun, compared: Comparisons) -> Insights:
    quality = run.call("data_quality", period=run.span)
    cause = find_cause(run, compared)
    risk, tasks, planned = risk_of(run), tasks_of(run), plans_of(run)
    growing = problems(run)
    steps = next_steps(run, cause=cause, plans=planned, tasks=tasks, risk=risk, problems=growing)
    parts = [
        changes(run, compared, cause),
        themes(run),
        growing,
        risks(run, risk, tasks),
        plans(run, planned),
        rivals(run),
        data_notes(run, quality),
        steps,
    ]
    sections = tuple(part for part in parts if part is not None)
    return _document(run, compared, sections, summary(run, compared, cause, risk, steps))


def _quiet(run: InsightRun, compared: Comparisons, catalogue: Catalogue) -> Insights:
    """A period without feedback: what waits is still shown, nothing is made of silence."""
    tasks, planned = tasks_of(run), plans_of(run)
    sections: list[Section] = []
    if tasks["data"]["tasks"] or planned["data"]["plans"]:
        risk = risk_of(run)
        sections = [risks(run, risk, tasks), plans(run, planned)]
    text = empty_summary(run, catalogue, compared["volume"]["filters"])
    return _document(run, {}, tuple(sections), text)


def _document(
    run: InsightRun, compared: Comparisons, sections: tuple[Section, ...], summary_text: str
) -> Insights:
    language = run.language
    made = run.context.clock.now().astimezone(run.context.zone)
    reported = next(iter(compared.values()))["filters"] if compared else dict(run.filters)
    document = InsightDocument(
        kind=run.kind,
        language=language,
        title=say(f"title_{run.kind}", language),
        scope=conditions(reported, run.frame) if reported else say("scope_all", language),
        filters=reported,
        period=run.period,
        comparison=run.comparison,
        made_at=made.isoformat(timespec="seconds"),
        summary=summary_text,
        headlines=tuple(headline(metric, result, run) for metric, result in compared.items()),
        sections=sections,
        footer=say("footer" if compared else "footer_plain", language, made=f"{made:%Y-%m-%d %H:%M}"),
        calls=tuple(run.calls),
    )
    about = {
        "period": span_of(run.period),
        "comparison": span_of(run.comparison),
        "made_at": document.made_at,
    }
    return Insights(document, (*run.sources, Source("report", "report", {}, about)))


def span_of(span: Span) -> dict[str, str]:
    """A span as tool results state it."""
    return {"from": span.start, "to": span.end, "label": span.label}
