"""The company's calendar: read, shown beside the days it touches, and allowed for in trend and forecast."""

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest

from agent.settings import Settings
from agent.wiring import open_app
from analytics.event_effects import event_effects
from store.errors import ConfigError
from store.records import Feedback, LabelledFeedback
from tests.tools_world import NOW, ZONE, build
from tools.calendar_file import ExternalEvent, load_calendar
from tools.catalogue import run_tool
from tools.context import Asker, ToolContext

FIRST, TODAY = date(2026, 8, 1), NOW.astimezone(ZONE).date()
SALES = ((date(2026, 8, 20), date(2026, 8, 23)), (date(2026, 10, 25), date(2026, 10, 28)))
COMING = (TODAY + timedelta(days=3), TODAY + timedelta(days=5))
CALENDAR = tuple(
    ExternalEvent.model_validate({"kind": "promotion", "name": "会员日", "from": first, "to": last})
    for first, last in (*SALES, COMING)
)


def items() -> Iterator[LabelledFeedback]:
    """About 40 items a day, twice as many on the days of a sale."""
    rng = random.Random(4)
    for step in range((TODAY - FIRST).days):
        day = FIRST + timedelta(days=step)
        sale = any(first <= day <= last for first, last in SALES)
        for number in range(round(rng.gauss(80 if sale else 40, 3))):
            at = datetime.combine(day, time(10, number % 60), ZONE)
            yield LabelledFeedback(
                feedback=Feedback(
                    feedback_id=f"{day}-{number}",
                    source="shop",
                    occurred_at=at,
                    text="",
                    region=("广东", "上海")[number % 2],
                )
            )


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ToolContext]:
    made = build(tmp_path_factory.mktemp("calendar"), list(items()), rates=False)
    yield made
    made.facts.close()
    made.operations.close()


@pytest.fixture(scope="module")
def context(plain: ToolContext) -> ToolContext:
    return replace(plain, calendar=CALENDAR)


def run(tool: str, context: ToolContext, **args: Any) -> dict[str, Any]:
    return run_tool(tool, {"language": "zh", **args}, context).model_dump(mode="json", by_alias=True)


def sales(data: dict[str, Any]) -> list[dict[str, Any]]:
    return [row for row in data["events"] if row["kind"] == "promotion"]


def test_the_forecast_allows_for_the_next_sale(context: ToolContext, plain: ToolContext) -> None:
    result = run("forecast", context, metric="volume", days=10)
    (sale,) = sales(result["data"])
    assert (sale["from"], sale["to"], sale["occurrences"]) == (*(one.isoformat() for one in COMING), 2)
    assert sale["used"] and sale["unit"] == "relative"
    assert sale["ci_low"] < 1.0 < sale["ci_high"] and sale["effect"] == pytest.approx(1.0, abs=0.15)
    values = {row["day"]: row["value"] for row in result["data"]["forecast"]}
    during = [value for day, value in values.items() if sale["from"] <= day <= sale["to"]]
    others = [value for day, value in values.items() if not sale["from"] <= day <= sale["to"]]
    assert len(during) == 3 and all(65 < value < 95 for value in during)
    assert len(others) == 7 and all(33 < value < 47 for value in others)
    assert any("会员日" in doubt for doubt in result["caveats"])
    unaware = run("forecast", plain, metric="volume", days=10)["data"]
    assert sales(unaware) == [] and all(row["value"] < 60 for row in unaware["forecast"])


def test_the_trend_names_the_sales_and_is_not_bent_by_them(context: ToolContext) -> None:
    data = run("trend", context, metric="volume", period="2026-09-15 to 2026-11-20")["data"]
    assert {"day": "2026-10-25", "to": "2026-10-28", "kind": "promotion", "name": "会员日"} in data["notes"]
    (sale,) = sales(data)
    # Seen once in these weeks: shown, without an effect.
    assert sale["effect"] is None and not sale["used"]
    whole = run("trend", context, metric="volume")["data"]
    assert [row["used"] for row in sales(whole)] == [True, True]
    assert whole["direction"] == "steady" and whole["changepoints"] == []


def test_an_entry_for_elsewhere_does_not_touch_a_selection(plain: ToolContext) -> None:
    there = {"kind": "outage", "name": "华南断网", "from": "2026-10-05", "where": {"region": "广东"}}
    nowhere = {"kind": "other", "name": "火星展会", "from": "2026-10-06", "where": {"planet": "火星"}}
    entries = tuple(ExternalEvent.model_validate(one) for one in (there, nowhere))
    context = replace(plain, calendar=entries)

    def names(**filters: str) -> list[str]:
        return [note["name"] for note in run("trend", context, filters=filters)["data"]["notes"]]

    assert "华南断网" in names() and "华南断网" in names(region="广东")
    assert "华南断网" not in names(region="上海")
    assert "火星展会" not in names()
    doubts = run("trend", context)["caveats"]
    assert any("火星展会" in doubt and "planet" in doubt for doubt in doubts)


def test_effects_need_two_occasions_and_other_days() -> None:
    days = [FIRST + timedelta(days=step) for step in range(60)]
    rng = random.Random(2)
    values = [100 + rng.gauss(0, 4) + (20 if 10 <= at < 14 or 40 <= at < 44 else 0) for at in range(60)]
    twice = [(days[10], days[13]), (days[40], days[43])]
    found = event_effects(days, values, {"sale": twice, "once": [(days[20], days[27])], "never": []})
    assert set(found) == {"sale"}
    assert found["sale"].low < 20 < found["sale"].high and found["sale"].significant
    assert event_effects(days[:20], values[:20], {"sale": [(days[3], days[5]), (days[10], days[13])]}) == {}


def test_one_sale_that_went_wrong_is_no_effect_of_sales() -> None:
    days = [FIRST + timedelta(days=step) for step in range(100)]
    rng = random.Random(6)
    spans = [(days[start], days[start + 5]) for start in (10, 40, 70)]
    values = [30 + rng.gauss(0, 4) - (30 if 70 <= at < 76 else 0) for at in range(100)]
    found = event_effects(days, values, {"sale": spans})["sale"]
    assert found.value < -7 and not found.significant


def test_a_random_calendar_is_seldom_called_an_effect() -> None:
    rng = random.Random(11)
    days = [FIRST + timedelta(days=step) for step in range(90)]
    called = 0
    for _ in range(100):
        values, error = [], 0.0
        for _day in days:
            error = 0.4 * error + rng.gauss(0, 5)
            values.append(50 + error)
        starts = rng.sample(range(0, 80, 8), 3)
        spans = [(days[start], days[start + 3]) for start in starts]
        called += event_effects(days, values, {"sale": spans})["sale"].significant
    assert called <= 9


def test_yaml_and_csv_say_the_same(tmp_path: Path) -> None:
    yaml, table = tmp_path / "calendar.yaml", tmp_path / "calendar.csv"
    yaml.write_text(
        "events:\n  - {kind: release, name: 5.2.0, from: 2026-10-03}\n"
        "  - {kind: promotion, name: 会员日, from: 2026-10-01, to: 2026-10-04, where: {region: [广东, 上海]}}\n",
        "utf-8",
    )
    table.write_text(
        "kind,name,from,to,where\npromotion,会员日,2026-10-01,2026-10-04,region=广东|上海\n"
        "release,5.2.0,2026-10-03,,\n",
        "utf-8-sig",
    )
    assert load_calendar(yaml) == load_calendar(table)
    sale, release = load_calendar(yaml)
    assert (sale.name, sale.where) == ("会员日", {"region": ("广东", "上海")})
    assert release.first == release.last == date(2026, 10, 3)


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("calendar.yaml", "events: [{kind: party, name: a, from: 2026-10-01}]", "kind"),
        (
            "calendar.yaml",
            "events: [{kind: other, name: a, from: 2026-10-02, to: 2026-10-01}]",
            "before it begins",
        ),
        ("calendar.yaml", "events: [{kind: other, name: a, from: soon}]", "from"),
        ("calendar.yaml", "days: []", "days"),
        ("calendar.csv", "kind,title,from\nother,a,2026-10-01\n", "columns"),
        ("calendar.csv", "kind,name,from\nother,,2026-10-01\n", "line 2"),
        ("calendar.csv", "kind,name,from,where\nother,a,2026-10-01,广东\n", "dimension=value"),
    ],
)
def test_a_wrong_calendar_is_named(tmp_path: Path, name: str, text: str, says: str) -> None:
    (tmp_path / name).write_text(text, "utf-8")
    with open_app(Settings(home=tmp_path)) as app, pytest.raises(ConfigError, match=says) as caught:
        app.context(Asker())
    assert name in str(caught.value)
