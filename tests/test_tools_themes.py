"""Themes, low scorers, search by filters, and data quality."""

from collections import Counter
from typing import Any

import pytest

from store.errors import NotPermitted, ToolInputError
from store.records import Batch
from tests.test_tools_metrics import ITEMS, chosen
from tests.tools_world import NOW, TEXTS, ZONE, shared
from tools.catalogue import ALL_TOOLS, run_tool
from tools.context import Asker, ToolContext


@pytest.fixture(scope="module")
def context() -> ToolContext:
    return shared()


def run(context: ToolContext, name: str, **args: Any) -> dict[str, Any]:
    return run_tool(name, args, context).model_dump(mode="json", by_alias=True)


def topic(one: Any) -> str | None:
    return one.labels.topics[0].topic if one.labels and one.labels.topics else None


def test_themes_have_sizes_shares_and_exemplars_of_the_period(context: ToolContext) -> None:
    result = run(context, "list_themes", period="10月")
    items = chosen("2026-10-01", "2026-11-01")
    sizes = Counter(topic(one) for one in items if topic(one))
    themes = result["data"]["themes"]
    assert {theme["theme_id"]: theme["size"] for theme in themes} == {
        "t-" + name.replace("/", "-"): size for name, size in sizes.items() if name
    }
    assert [theme["size"] for theme in themes] == sorted(sizes.values(), reverse=True)
    first = themes[0]
    assert first["share"] == round(first["size"] / len(items), 4)
    assert first["negative_share"] == 1.0
    assert 0 <= first["heat"] <= 100
    assert first["trend"] in ("rising", "falling", "steady", "new")
    assert first["first_seen"] == "2026-08-24"
    assert len(first["exemplars"]) == 3
    october = {one.feedback.feedback_id for one in items}
    assert set(result["evidence"]) <= october


def test_themes_of_complaints_only(context: ToolContext) -> None:
    result = run(context, "list_themes", filters={"情感": "负面"}, sort="heat")
    assert {theme["negative_share"] for theme in result["data"]["themes"]} == {1.0}
    heats = [theme["heat"] for theme in result["data"]["themes"]]
    assert heats == sorted(heats, reverse=True)


@pytest.mark.parametrize(
    "asked", ["t-logistics-speed", "物流太慢了等了五天", "快递一直不动", "发货慢得离谱啊"]
)
def test_a_theme_is_found_by_id_label_keyword_or_words(context: ToolContext, asked: str) -> None:
    result = run(context, "theme_detail", theme=asked)
    data = result["data"]
    assert data["theme_id"] == "t-logistics-speed"
    assert result["n"] == sum(topic(one) == "logistics/speed" for one in ITEMS)
    assert sum(point["n"] for point in data["timeline"]) == result["n"]
    region = data["breakdown"]["region"][0]
    assert region["key"] == "广东" and region["lift"] > 1
    assert all(one["text"].startswith(TEXTS["logistics/speed"]) for one in data["examples"])


def test_low_scorers_are_traced_to_their_conversations(context: ToolContext) -> None:
    result = run(context, "low_score_drilldown", period="10月", limit=20)
    items = chosen("2026-10-01", "2026-11-01")
    low = [one for one in items if one.feedback.nps is not None and one.feedback.nps <= 6]
    data = result["data"]
    assert result["n"] == len(low)
    assert data["scored"] == sum(one.feedback.nps is not None for one in items)
    assert data["share"] == round(len(low) / data["scored"], 4)
    assert data["causes"][0]["topic"] == "logistics/speed"
    assert data["causes"][0]["scope"] == "own"
    scores = {one.feedback.feedback_id: one for one in low}
    for case in data["cases"]:
        one = scores[case["feedback_id"]]
        assert case["score"] == one.feedback.nps
        assert len(case["conversations"]) <= 3
        for conversation in case["conversations"]:
            assert conversation["to"] <= case["time"]
            if conversation["break_turn"] is not None:
                assert conversation["break_text"].startswith(
                    TEXTS["logistics/speed"] + TEXTS["service/attitude"]
                )
    assert data["broke_out"] == sum(case["broke_out"] for case in data["cases"])
    customers = [case["customer_id"] for case in data["cases"] if case["customer_id"]]
    assert len(customers) == len(set(customers))


def test_low_scores_are_defined_for_scores_only(context: ToolContext) -> None:
    with pytest.raises(ToolInputError, match="low scores are defined for nps"):
        run(context, "low_score_drilldown", metric="订单金额")


def test_listing_feedback_by_filters_gives_the_newest_and_counts_all(context: ToolContext) -> None:
    result = run(context, "search_feedback", filters={"情感": "负面", "地区": "广东"}, limit=4)
    items = chosen(
        keep=lambda one: (
            one.feedback.region == "广东"
            and one.labels is not None
            and one.labels.sentiment.value == "negative"
        )
    )
    assert result["n"] == len(items)
    times = [item["time"] for item in result["data"]["items"]]
    assert times == sorted(times, reverse=True) and len(times) == 4
    assert result["evidence"] == [item["id"] for item in result["data"]["items"]]
    assert any(str(len(items)) in caveat for caveat in result["caveats"])


def test_literal_words_are_counted_exactly(context: ToolContext) -> None:
    result = run(context, "search_feedback", contains=["物流", "五天"], order="oldest", limit=2)
    meant = [one for one in ITEMS if "物流" in one.feedback.text and "五天" in one.feedback.text]
    assert result["n"] == result["data"]["mentions"] == len(meant)
    times = [item["time"] for item in result["data"]["items"]]
    assert times == sorted(times)


def test_quality_counts_what_is_filled_doubled_and_undated(context: ToolContext) -> None:
    data = run(context, "data_quality")["data"]
    fields = {row["field"]: row for row in data["fields"]}
    assert data["items"] == len(ITEMS)
    assert fields["customer_id"]["filled"] == sum(one.feedback.customer_id is not None for one in ITEMS)
    assert fields["活动"]["share"] == round((len(ITEMS) - 7) / len(ITEMS), 4)
    texts = [one.feedback.text for one in ITEMS if one.feedback.text]
    assert data["texts"]["with_text"] == len(texts)
    assert data["texts"]["repeated"] == len(texts) - len(set(texts))
    assert data["undated"] == 7
    assert {row["metric"]: row["n"] for row in data["metrics"]}["nps"] == sum(
        one.feedback.nps is not None for one in ITEMS
    )
    assert sum(row["n"] for row in data["channels"]) == len(ITEMS)
    assert sum(row["n"] for row in data["languages"]) == len(ITEMS)


def test_quality_tells_what_ingestion_read_and_refused(context: ToolContext) -> None:
    context.operations.save_batch(
        Batch(
            batch_id="b1",
            source="world",
            path="world.csv",
            stage="indexed",
            read=10,
            stored=7,
            duplicates=2,
            rejected=1,
            started_at=NOW,
        )
    )
    ingestion = run(context, "data_quality")["data"]["ingestion"]
    assert (ingestion["read"], ingestion["rejected"], ingestion["unfinished"]) == (10, 1, 0)


def test_every_tool_describes_itself_and_its_arguments() -> None:
    assert len({tool.name for tool in ALL_TOOLS}) == len(ALL_TOOLS) >= 15
    for tool in ALL_TOOLS:
        assert len(tool.description) > 60
        assert tool.arguments.model_json_schema()["additionalProperties"] is False


def test_unknown_tools_and_roles_are_refused(context: ToolContext) -> None:
    with pytest.raises(ToolInputError, match="no tool 'sing'"):
        run_tool("sing", {}, context)
    viewer = ToolContext(**{**vars(context), "asker": Asker(role="viewer")})
    with pytest.raises(NotPermitted, match="not permitted"):
        run_tool("create_retention_task", {"customer_ids": ["c001"]}, viewer)


def test_results_are_in_local_time(context: ToolContext) -> None:
    item = run(context, "search_feedback", limit=1)["data"]["items"][0]
    newest = max(one.feedback.occurred_at for one in ITEMS if one.feedback.occurred_at and one.feedback.text)
    assert item["time"] == newest.astimezone(ZONE).isoformat()


def test_a_query_finds_what_is_meant_within_the_filters(context: ToolContext) -> None:
    result = run(context, "search_feedback", query="物流太慢", filters={"region": "上海"}, limit=5)
    items = result["data"]["items"]
    texts = {one.feedback.feedback_id: one for one in ITEMS}
    assert 1 <= len(items) <= 5
    assert items[0]["text"].startswith("物流太慢")
    assert all(texts[item["id"]].feedback.region == "上海" for item in items)
    assert [item["score"] for item in items] == sorted((item["score"] for item in items), reverse=True)
    assert result["n"] == len(chosen(keep=lambda one: one.feedback.region == "上海"))


def test_a_query_in_time_order_keeps_to_literal_words(context: ToolContext) -> None:
    result = run(context, "search_feedback", query="态度不好", contains=["态度"], order="newest", limit=5)
    times = [item["time"] for item in result["data"]["items"]]
    assert times == sorted(times, reverse=True)
    assert all("态度" in item["text"] for item in result["data"]["items"])


def test_themes_tell_their_place_their_reach_and_their_history(context: ToolContext) -> None:
    data = run(context, "list_themes", period="10月", limit=50)["data"]
    slow = next(theme for theme in data["themes"] if theme["theme_id"] == "t-logistics-speed")
    places = {place["dimension"]: place for place in slow["places"]}
    assert places["region"]["key"] == "广东"
    assert all(place["lift"] > 1 and place["n"] >= 5 for place in slow["places"])
    assert slow["customers"] >= 1
    assert sum(area["size"] for area in data["areas"]) <= data["in_themes"]
    detail = run(context, "theme_detail", theme="t-logistics-speed", period="10月")["data"]
    assert set(detail["heat_parts"]) >= {"volume", "severity", "reach", "recency"}
    assert detail["places"] == slow["places"] and detail["lineage"] == slow["lineage"]
