"""First-response times, and figures held against baselines and targets."""

import statistics
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from agent.settings import Settings
from agent.wiring import open_app
from store.clock import FixedClock
from store.errors import ConfigError
from store.records import Feedback, IndustryRate, LabelledFeedback
from tests.tools_world import NOW, build
from tools.catalogue import run_tool
from tools.context import Asker, ToolContext
from tools.targets import load_targets

# Minutes to the answer by month and region; None was never answered.
WAITS: dict[tuple[int, int, str], list[float | None]] = {
    (2025, 9, "上海"): [15.0],
    (2025, 10, "广东"): [20.0] * 6,
    (2026, 9, "广东"): [10.0, 20, 30, 40, 50, 60],
    (2026, 10, "广东"): [5.0, 6, 7, 8, 9, 400, 10, 12, 11, 13],
    (2026, 10, "上海"): [90.0, 95, 100, 105, 110, 120, None, None],
}
OCTOBER = [wait for (year, month, _), waits in WAITS.items() if (year, month) == (2026, 10) for wait in waits]
ANSWERED = [wait for wait in OCTOBER if wait is not None]


def talks() -> Iterator[LabelledFeedback]:
    for (year, month, region), waits in WAITS.items():
        for number, wait in enumerate(waits):
            start = datetime(year, month, 2 + number, 3, tzinfo=UTC)
            turns: list[tuple[str, float]] = [("customer", 0)]
            turns += [("agent", wait), ("customer", wait + 1)] if wait is not None else [("customer", 5)]
            for turn, (speaker, minutes) in enumerate(turns):
                yield LabelledFeedback(
                    feedback=Feedback(
                        feedback_id=f"{year}{month}-{region}-{number}-{turn}",
                        source="chat",
                        channel="chat",
                        conversation_id=f"{year}{month}-{region}-{number}",
                        turn=turn,
                        speaker=speaker,
                        occurred_at=start + timedelta(minutes=minutes),
                        text="",
                        csat=4 + number % 2 if speaker == "customer" and turn == 0 else None,
                        nps=(6, 9, 10)[number % 3] if speaker == "customer" and turn == 0 else None,
                        region=region,
                    )
                )


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ToolContext]:
    made = build(tmp_path_factory.mktemp("talks"), list(talks()), rates=False)
    yield made
    made.facts.close()
    made.operations.close()


def stats(context: ToolContext, **args: Any) -> dict[str, Any]:
    args = {"metric": "first_response", "period": "2026-10", **args}
    return run_tool("metric_stats", args, context).data


def test_response_times_with_median_tail_and_target(context: ToolContext) -> None:
    data = stats(context)
    assert data["n"] == len(ANSWERED) == 16
    assert data["value"] == pytest.approx(statistics.mean(ANSWERED), abs=1e-4)
    assert data["median"]["value"] == statistics.median(ANSWERED)
    ordered = sorted(ANSWERED)
    # The 95% interval of the median of 16 values runs between the 4th and the 13th.
    assert (data["median"]["ci_low"], data["median"]["ci_high"]) == (ordered[3], ordered[12])
    assert data["p90"]["value"] == ordered[14]
    assert data["unanswered"] == {**data["unanswered"], "count": 2, "n": 18, "value": round(2 / 18, 4)}
    # Who was never answered was not answered in time either.
    assert (data["within"]["minutes"], data["within"]["value"]) == (30, round(9 / 18, 4))


def test_response_times_by_region(context: ToolContext) -> None:
    rows = {row["key"]: row for row in stats(context, group_by="region")["groups"]}
    assert rows["广东"]["median"]["value"] == 9.5 and rows["广东"]["unanswered"]["count"] == 0
    assert rows["上海"]["median"]["value"] == 102.5 and rows["上海"]["unanswered"]["count"] == 2
    assert rows["上海"]["within"]["value"] == 0.0


@pytest.mark.parametrize("name", ["首响", "首次响应时长", "First response time"])
def test_it_is_known_by_what_people_call_it(context: ToolContext, name: str) -> None:
    assert stats(context, metric=name)["metric"] == "first_response"


def test_other_tools_take_it(context: ToolContext) -> None:
    args = {
        "metric": "first_response",
        "period": "2026-10",
        "compare_to": "2026-09",
        "filters": {"region": "广东"},
    }
    found = run_tool("compare_periods", args, context).data
    assert (found["before"], found["after"]) == (35.0, 48.1)
    share = stats(context, metric="first_response<=10", filters={"region": "广东"})
    assert (share["value"], share["n"], share["kind"]) == (0.6, 10, "proportion")


def test_no_conversations_no_response_time(tmp_path: Path) -> None:
    alone = [one for one in talks() if one.feedback.speaker == "customer"]
    made = build(tmp_path, alone)
    data = stats(made)
    assert data["n"] == 0 and data["median"]["value"] is None and data["target"] is None
    made.facts.close()


def test_a_target_is_met_missed_or_undecided(context: ToolContext) -> None:
    quick = stats(context, metric="csat", filters={"region": "广东"})
    assert quick["target"] == {
        "value": 4.5,
        "rule": "at_least",
        "source": "default",
        "gap": 0.0,
        "met": "undecided",
    }
    slow = stats(context, filters={"region": "上海"})
    assert slow["target"]["met"] is False and slow["target"]["gap"] == round(620 / 6 - 30, 4)
    fast = stats(context, period="2025-10")
    assert fast["target"]["met"] is True and fast["target"]["rule"] == "at_most"


def test_the_baseline_is_last_year_then_the_period_before(context: ToolContext) -> None:
    held = stats(context, filters={"region": "广东"})["baseline"]
    assert (held["value"], held["source"], held["n"], held["change"]) == (20.0, "last_year", 6, 28.1)
    assert held["period"]["from"].startswith("2025-10-01")
    # Shanghai had no customer in October a year ago, nor in September.
    assert stats(context, filters={"region": "上海"})["baseline"] is None
    assert stats(context, period=None)["baseline"] is None
    # A year before that the data had not begun.
    assert stats(context, period="2025-09")["baseline"] is None


def test_nps_against_last_year_with_a_mark(context: ToolContext) -> None:
    result = run_tool("nps_stats", {"period": "2026-10", "group_by": "region"}, context)
    target = result.data["target"]
    assert target["value"] == result.data["baseline"]["value"] + 10
    assert target["gap"] == pytest.approx(result.data["nps"] - target["value"], abs=1e-3)
    assert result.chart is not None
    assert result.chart["series"][0]["markLine"]["data"][0]["yAxis"] == target["value"]


def test_a_file_of_ones_own_goes_before_the_defaults(context: ToolContext, tmp_path: Path) -> None:
    own = tmp_path / "targets.yaml"
    own.write_text(
        "metrics:\n  first_response: {baseline: 45, target: {at_most: 100}}\n  csat: {}\n", "utf-8"
    )
    mine = replace(context, targets=load_targets(own))
    data = stats(mine)
    assert data["baseline"] == {"value": 45.0, "source": "given", "change": round(data["value"] - 45, 4)}
    assert (data["target"]["source"], data["within"]["minutes"]) == ("own", 100)
    assert stats(mine, metric="csat")["target"] is None
    assert run_tool("nps_stats", {"period": "2026-10"}, mine).data["target"] is not None


def test_the_industry_can_be_the_baseline(context: ToolContext, tmp_path: Path) -> None:
    context.facts.add_rates([IndustryRate(theme="未响应率", rate=0.05, n=900, source="report")])
    own = tmp_path / "targets.yaml"
    own.write_text("metrics: {unanswered_share: {baseline: industry}}", "utf-8")
    held = stats(replace(context, targets=load_targets(own)), metric="unanswered_share")["baseline"]
    assert (held["value"], held["source"], held["from"]) == (0.05, "industry", "report")


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("metrics: {csat: {target: {at_least: 4, at_most: 5}}}", "one of at_least"),
        ("metrics: {csat: {baseline: lastyear}}", "csat"),
        ("metrics: {csat: {goal: 5}}", "goal"),
        ("metrics: [", "YAML"),
    ],
)
def test_a_wrong_file_is_named(tmp_path: Path, text: str, names: str) -> None:
    (tmp_path / "targets.yaml").write_text(text, "utf-8")
    with open_app(Settings(home=tmp_path)) as app, pytest.raises(ConfigError, match=names) as caught:
        app.context(Asker())
    assert "targets.yaml" in str(caught.value)


def test_the_answer_tells_spread_target_and_baseline_in_figures_that_can_be_checked(tmp_path: Path) -> None:
    import asyncio

    from agent.ask_events import Answer

    async def ask() -> Answer:
        with open_app(Settings(home=tmp_path), FixedClock(NOW)) as app:
            app.facts.add_feedback(list(talks()))
            async with app.assistant() as assistant:
                question = "上个月广东的首次响应时长是多少？"
                return await assistant.ask(question, thread_id="t", asker=Asker())

    said = asyncio.run(ask()).answer
    assert "中位数 9.50 分钟，90.0% 的对话在 13 分钟内得到响应" in said
    assert "目标 30" in said and "去年同期 20" in said and "核对" not in said
