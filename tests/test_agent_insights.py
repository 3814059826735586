"""Insight reports: what they say, where every figure is from, and what they do where there is little."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from functools import cache

import pytest

from agent.insight_document import InsightDocument, Kind, Language
from agent.insights import Insights, build_insights
from agent.number_lock import NumberLock
from agent.report_markdown import render_markdown
from store.clock import FixedClock
from store.errors import ToolInputError
from store.facts import Find, Selection
from tests.edge_stores import STORES, close_stores, open_stores
from tests.tools_world import NOW, shared
from tools.context import ToolContext

_KINDS: tuple[Kind, ...] = ("monthly", "weekly", "daily")


@cache
def report(kind: Kind = "monthly", language: Language = "zh") -> Insights:
    """A report of the shared world, made once."""
    return build_insights(shared(), kind=kind, metric="nps", language=language)


def section(document: InsightDocument, key: str) -> str:
    """All words of a section."""
    (found,) = (one for one in document.sections if one.key == key)
    return found.model_dump_json()


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("kind", ["monthly", "weekly"])
def test_every_figure_comes_from_a_tool_result(kind: Kind, language: Language) -> None:
    made = report(kind, language)
    checked = NumberLock(made.sources, []).check(render_markdown(made.document))
    assert not checked.unbound, [figure.text for figure in checked.unbound]
    assert len(checked.bound) > 20


def test_the_summary_opens_with_the_metric_and_its_change() -> None:
    document = report().document
    assert document.summary.startswith("2026年10月 NPS 为 ")
    figures = document.headlines[0].figures
    assert figures.metric == "nps"
    assert f"{figures.value:.1f}" in document.summary
    assert figures.significant == ("无显著差异" not in document.headlines[0].change)


def test_periods_are_derived_from_the_kind() -> None:
    monthly, weekly = report("monthly").document, report("weekly").document
    assert monthly.period.start.startswith("2026-10-01")
    assert monthly.period.end.startswith("2026-11-01")
    assert monthly.comparison.start.startswith("2026-09-01")
    assert weekly.period.start.startswith("2026-11-09")  # the Monday of the last whole week
    assert weekly.comparison.start.startswith("2026-11-02")


def test_daily_is_held_against_the_same_weekday() -> None:
    document = report("daily").document
    assert document.period.start.startswith("2026-11-21")
    assert document.comparison.start.startswith("2026-11-14")


def test_ad_hoc_takes_dates_and_a_scope() -> None:
    made = build_insights(
        shared(),
        kind="ad_hoc",
        metric="nps",
        language="en",
        first="2026-10-01",
        end="2026-11-01",
        filters={"region": "广东"},
    )
    document = made.document
    assert document.scope == "广东"
    assert all(
        call.args.get("filters", {}).get("region") == "广东"
        for call in document.calls
        if call.tool == "compare_periods"
    )
    assert document.headlines[0].figures.n < report().document.headlines[0].figures.n


def test_causes_are_looked_for_only_where_something_changed() -> None:
    for kind in _KINDS:
        document = report(kind).document
        changed = any(
            one.figures.significant
            for one in document.headlines
            if one.figures.metric in ("nps", "negative_share")
        )
        assert changed == any(call.tool == "root_cause" for call in document.calls)


def test_quotes_name_the_feedback_they_are_from() -> None:
    document = report().document
    quotes = [q for s in document.sections for entry in s.entries for q in entry.quotes]
    assert quotes
    for quote in quotes:
        chosen = Find(Selection(filters={"feedback_id": (quote.feedback_id,)}))
        (found,) = shared().facts.find(chosen)
        assert found.feedback.text.startswith(quote.text.rstrip("…"))


def test_competitors_are_left_out_where_none_is_named() -> None:
    assert "rivals" not in {one.key for one in report().document.sections}
    assert any(call.tool == "compare_competitors" for call in report().document.calls)


def test_plans_and_tasks_say_so_where_there_are_none() -> None:
    document = report("monthly", "en").document
    assert "no action plans" in section(document, "plans")
    assert "No tasks" in section(document, "risks")


def test_the_same_moment_gives_the_same_report() -> None:
    again = build_insights(shared(), kind="monthly", metric="nps", language="zh")
    assert again.document == report().document


def test_a_period_without_feedback_says_so_and_names_the_last_day() -> None:
    context = _later(shared(), days=120)
    document = build_insights(context, kind="monthly", metric="nps", language="zh").document
    assert "没有反馈" in document.summary
    assert "2026-11-2" in document.summary
    assert not document.headlines
    assert not document.sections


def test_dates_that_are_none_are_refused() -> None:
    with pytest.raises(ToolInputError):
        build_insights(shared(), kind="ad_hoc", metric="nps", first="2026-02-30", end="2026-03-01")


def test_a_scope_that_is_not_known_is_refused() -> None:
    with pytest.raises(ToolInputError):
        build_insights(shared(), kind="monthly", metric="nps", filters={"region": "火星"})


@pytest.fixture(scope="module")
def edges(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, ToolContext]]:
    """Small stores at the edge."""
    opened = open_stores(tmp_path_factory.mktemp("edges"))
    yield opened
    close_stores(opened)


@pytest.mark.parametrize("store", STORES)
@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_edges_make_a_report_too(edges: dict[str, ToolContext], store: str, language: Language) -> None:
    made = build_insights(edges[store], kind="ad_hoc", metric="nps", language=language)
    assert made.document.summary
    checked = NumberLock(made.sources, []).check(render_markdown(made.document))
    assert not checked.unbound, [figure.text for figure in checked.unbound]


def test_an_empty_store_says_what_to_do(edges: dict[str, ToolContext]) -> None:
    document = build_insights(edges["empty"], kind="monthly", metric="nps", language="en").document
    assert "voiceloop ingest" in document.summary
    assert not document.sections


def _later(context: ToolContext, days: int) -> ToolContext:
    return replace(context, clock=FixedClock(NOW + timedelta(days=days)))
