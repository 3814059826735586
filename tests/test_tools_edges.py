"""Every tool at the edge: whatever is stored and asked, a result that can be trusted or a refusal that helps."""

import json
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import pytest

from store.errors import ToolInputError
from tests.edge_stores import ALERT, CUSTOMER, LONG, ODD, STORES, TASK, close_stores, open_stores
from tools.catalogue import ALL_TOOLS
from tools.context import ToolContext
from tools.registry import ToolSpec
from tools.results import ToolResult

Stores = Mapping[str, ToolContext]
# What a tool cannot do without. Any other tool is called with nothing, so a new one is in every row.
NEEDED: Final[Mapping[str, dict[str, Any]]] = {
    "compare_periods": {"period": "last 30 days"},
    "create_action_plan": {"period": "last 30 days"},
    "create_retention_task": {"customer_ids": [CUSTOMER]},
    "customer_360": {"customer_id": CUSTOMER},
    "estimate_roi": {"minutes_before": 15, "minutes_after": 10, "monthly_staff_cost": 80_000},
    "record_verdict": {"alert_id": ALERT, "verdict": "accurate"},
    "send_playbook_message": {"alert_id": ALERT},
    "theme_detail": {"theme": "logistics"},
    "update_task": {"task_id": TASK, "comment": "called"},
    "verify_effect": {"metric": "nps", "start": "2026-10-20"},
}
# These need neither feedback nor a sample of it.
WITHOUT_DATA: Final = {"estimate_roi"}
SMALL: Final = 30
INNARDS: Final = re.compile(r"\b(SELECT|GROUP BY|Error|Traceback|duckdb|nan|inf|None)\b|[{}?]")


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stores]:
    opened = open_stores(tmp_path_factory.mktemp("edges"))
    yield opened
    close_stores(opened)


def accepted(tool: ToolSpec) -> dict[str, Any]:
    """The fields of a tool's arguments by the names callers use."""
    return {field.alias or name: field for name, field in tool.arguments.model_fields.items()}


def ask(tool: ToolSpec, context: ToolContext, language: str, **more: Any) -> ToolResult:
    """Call with what is needed, in a language, and check whatever comes."""
    args = {**NEEDED.get(tool.name, {}), **more, "language": language}
    result = tool.run({name: value for name, value in args.items() if name in accepted(tool)}, context)
    check(result, language)
    return result


def answer_or_refusal(tool: ToolSpec, context: ToolContext, language: str, **more: Any) -> ToolResult | None:
    """The checked result; None where the tool refused in words that can be acted on."""
    try:
        return ask(tool, context, language, **more)
    except ToolInputError as error:
        check_refusal(error, language)
        return None


def check(result: ToolResult, language: str) -> None:
    """Finite, in the language asked, with n and doubts that fit each other."""
    document = json.loads(json.dumps(result.model_dump(mode="json", by_alias=True), allow_nan=False))
    assert document["n"] >= 0
    if result.n < SMALL:
        assert result.caveats, "a small or empty sample goes unsaid"
    for caveat in result.caveats:
        assert INNARDS.search(quoteless(caveat)) is None, caveat
        assert chinese(caveat) or language == "en", caveat
    if language == "en":
        assert not any(chinese(quoteless(caveat)) for caveat in result.caveats), result.caveats
    for holder in holders(document["data"]):
        low, high = holder.get("ci_low"), holder.get("ci_high")
        if isinstance(low, int | float) and isinstance(high, int | float):
            assert low <= high
            point = next((holder[k] for k in ("nps", "value") if holder.get(k) is not None), low)
            assert low - 1e-9 <= point <= high + 1e-9, holder


def check_refusal(error: ToolInputError, language: str) -> None:
    """In the language asked, short enough to read, with a way on."""
    words = f"{error.message} {error.hint}"
    assert len(words) < 4000
    assert re.search(r"\bSELECT\b|Traceback|Binder", words) is None
    assert chinese(quoteless(error.message)) == (language == "zh"), error.message
    assert re.search(r"[;；：:，,]", words), words


def holders(value: Any) -> Iterator[dict[str, Any]]:
    """Every object inside a document."""
    if isinstance(value, dict):
        yield value
        for inner in value.values():
            yield from holders(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from holders(inner)


def chinese(text: str) -> bool:
    return re.search(r"[\u4e00-\u9fff]", text) is not None


def quoteless(text: str) -> str:
    """Without what the data themselves say."""
    return re.sub(r"""“[^”]*”|"[^"]*"|'[^']*'""", "", text)


def language_of(store: str) -> str:
    """Each tool meets both languages."""
    return "zh" if list(STORES).index(store) % 2 else "en"


@pytest.mark.parametrize("store", STORES)
@pytest.mark.parametrize("tool", ALL_TOOLS, ids=lambda tool: tool.name)
def test_every_tool_meets_every_store(tool: ToolSpec, store: str, stores: Stores) -> None:
    result = answer_or_refusal(tool, stores[store], language_of(store))
    if store == "all_zero":
        assert result is not None, f"{tool.name} answers nowhere: say in NEEDED what it needs"
    if result is None:
        return
    stored = stores[store].facts.catalogue().items
    if store in ("empty", "one", "bare") and tool.name not in WITHOUT_DATA:
        assert result.n <= stored
        nothing_is_claimed(result)
    if store in ("all_zero", "all_ten", "distinct"):
        nothing_is_claimed(result)


def nothing_is_claimed(result: ToolResult) -> None:
    """No change, cause, driver or anomaly where there is none."""
    data = result.data
    assert not any(holder.get("significant") for holder in holders(data)), result.tool
    assert data.get("verdict") not in ("cause_found", "achieved", "worse")
    assert not data.get("anomalies")
    assert not data.get("causes") or result.tool == "low_score_drilldown"
    assert data.get("direction") not in ("rising", "falling", "up", "down")


WRONG: Final[Mapping[str, tuple[dict[str, Any], str]]] = {
    "a dimension to filter": ({"filters": {"planet": "Mars"}}, "planet"),
    "a dimension in Chinese": ({"filters": {"星球": "火星"}}, "星球"),
    "a value": ({"filters": {"region": "eest"}}, "east"),
    "a long value": ({"filters": {"region": LONG}}, "region"),
    "a dimension to leave out": ({"exclude": {"planet": "Mars"}}, "planet"),
    "a dimension to group by": ({"group_by": "planet"}, "planet"),
    "a dimension near a known one": ({"group_by": "regoin"}, "region"),
    "a metric": ({"metric": "happiness"}, "nps"),
    "a reversed period": ({"period": {"from": "2026-11-05", "to": "2026-11-01"}}, "2026-11-05"),
    "an unreadable period": ({"period": "whenever"}, "last 30 days"),
    "an impossible day": ({"period": {"from": "2026-02-30"}}, "2026-02-30"),
    "no limit": ({"limit": 0}, "limit"),
    "an unknown argument": ({"colour": 1}, "colour"),
}


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize("tool", ALL_TOOLS, ids=lambda tool: tool.name)
def test_what_is_not_known_is_refused_in_the_language_asked(
    tool: ToolSpec, wrong: str, stores: Stores
) -> None:
    args, named = WRONG[wrong]
    if wrong != "an unknown argument" and not args.keys() <= accepted(tool).keys():
        with pytest.raises(ToolInputError, match="Extra inputs"):
            tool.run({**NEEDED.get(tool.name, {}), **args}, stores["one"])
        return
    # Each tool and each mistake meets both languages.
    language = "zh" if (ALL_TOOLS.index(tool) + list(WRONG).index(wrong)) % 2 else "en"
    with pytest.raises(ToolInputError) as refused:
        tool.run({**NEEDED.get(tool.name, {}), **args, "language": language}, stores["one"])
    check_refusal(refused.value, language)
    assert named in f"{refused.value.message} {refused.value.hint}"


NOTHING: Final[Mapping[str, dict[str, Any]]] = {
    "a period to come": {"period": {"from": "2030-01-01", "to": "2030-02-01"}},
    "a period long gone": {"period": "2020-03"},
    "an hour of no item": {"filters": {"hour": "3"}, "period": "last 30 days"},
    "a metric never filled": {"metric": "ces", "period": "last 30 days"},
    "a dimension never filled": {"filters": {"city": None}, "group_by": "city", "period": "last 30 days"},
}


@pytest.mark.parametrize("nothing", NOTHING)
@pytest.mark.parametrize("tool", ALL_TOOLS, ids=lambda tool: tool.name)
def test_a_selection_of_nothing_is_said(tool: ToolSpec, nothing: str, stores: Stores) -> None:
    args = {name: value for name, value in NOTHING[nothing].items() if name in accepted(tool)}
    if not args or (nothing == "a metric never filled" and "metric" not in args):
        return
    result = answer_or_refusal(tool, stores["all_ten"], "en" if len(nothing) % 2 else "zh", **args)
    if result is None:
        return
    nothing_is_claimed(result)
    if nothing != "a dimension never filled" and "period" in args:
        assert result.n == 0 or tool.name in ("journey_map", "compare_competitors"), result.n
        assert result.evidence == [] or result.n


@pytest.mark.parametrize("tool", [t for t in ALL_TOOLS if "limit" in accepted(t)], ids=lambda tool: tool.name)
def test_the_smallest_and_the_largest_limit(tool: ToolSpec, stores: Stores) -> None:
    most = max(rule.le for rule in accepted(tool)["limit"].metadata if hasattr(rule, "le"))
    for limit in (1, most):
        answer_or_refusal(tool, stores["odd"], "en", limit=limit, customer_id=ODD[0])


@pytest.mark.parametrize("value", ODD, ids=range(len(ODD)))
@pytest.mark.parametrize("name", ["nps_stats", "search_feedback"])
def test_odd_values_are_found_again(name: str, value: str, stores: Stores) -> None:
    tool = next(tool for tool in ALL_TOOLS if tool.name == name)
    for dimension in ("region", "a|b=c"):
        result = ask(tool, stores["odd"], "zh", filters={dimension: value})
        assert result.n == 30
        assert result.filters == {dimension: value}


def test_odd_values_are_grouped_and_make_a_share(stores: Stores) -> None:
    tools = {tool.name: tool for tool in ALL_TOOLS}
    for dimension in ("region", "a|b=c"):
        groups = ask(tools["nps_stats"], stores["odd"], "en", group_by=dimension).data["groups"]
        assert {group["key"] for group in groups} == set(ODD)
        assert {group["n"] for group in groups} == {30}
    for value in ODD[:-1]:
        share = ask(tools["metric_stats"], stores["odd"], "en", metric=f"share:region={value}")
        assert math.isclose(share.data["value"], 1 / 11, abs_tol=1e-4)


def test_a_value_for_every_row_is_grouped_with_its_doubt(stores: Stores) -> None:
    tool = next(tool for tool in ALL_TOOLS if tool.name == "nps_stats")
    result = ask(tool, stores["distinct"], "en", group_by="serial", limit=500)
    assert len(result.data["groups"]) == 400
    assert any("fewer than 30" in caveat for caveat in result.caveats)
