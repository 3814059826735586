from pathlib import Path

import pytest
import yaml

from pipeline.taxonomy import load_taxonomy
from pipeline.taxonomy_sources import Sources, pack_names
from retention.measures import MEASURES_FILE, load_measures
from retention.plans import Problem, Reach, hypothesis, plan_id, priority, rank_measures, risks_of
from store.errors import ConfigError
from store.plan_parts import Control

BOOK = load_measures()
PROBLEM = Problem(
    "十月 NPS", "地区=广东", "nps", "NPS", "adjusted", True, 200, "10.0", "30.0", "target_before"
)
LATE = Reach(
    "配送速度",
    n=50,
    negative=40,
    urgent=10,
    scope=400,
    everywhere=48,
    negative_before=9,
    everywhere_before=20,
    scope_before=400,
    topic="logistics/speed",
)


def test_the_order_is_reach_times_severity_times_trend_over_cost() -> None:
    assert LATE.reach == 0.1
    assert LATE.severity == 0.8 * 1.25
    assert LATE.trend == 3.0  # (40.5 / 401) / (9.5 / 401) = 4.3, held at 3
    costly = next(t for t in BOOK.topics["logistics/speed"] if t.cost == "high")
    assert priority(LATE, costly) == 100 * 0.1 * 1.0 * 3.0 / 3


def test_a_trend_needs_something_before_and_is_one_without() -> None:
    assert Reach("x", 10, 5, 0, 100).trend == 1.0
    assert Reach("x", 10, 5, 0, 100, negative_before=5, scope_before=100).trend == pytest.approx(1.0)
    assert Reach("x", 0, 0, 0, 0).reach == Reach("x", 0, 0, 0, 0).severity == 0.0


def test_measures_fit_topic_and_dimension_and_come_once_each_best_first() -> None:
    other = Reach("包装", 10, 5, 0, 400, topic="logistics/packaging")
    unknown = Reach("天气", 10, 5, 0, 400, topic="weather/rain")
    ranked = rank_measures(
        PROBLEM, [LATE, LATE, other, unknown], LATE, ["region"], BOOK, language="zh", limit=20
    )
    ids = [r.template.id for r in ranked]
    assert len(ids) == len(set(ids))
    assert {"reroute_backlog", "regional_task_force", "close_the_loop", "stronger_packaging"} <= set(ids)
    assert [r.score for r in ranked] == sorted((r.score for r in ranked), reverse=True)


def test_targets_are_levels_that_were_measured() -> None:
    ranked = rank_measures(PROBLEM, [LATE], LATE, ["region"], BOOK, language="en", limit=20)
    measures = {r.template.id: r.measure for r in ranked}
    assert "from 12.0% down to 5.0%" in measures["reroute_backlog"].target
    assert measures["regional_task_force"].target == "NPS from 10.0 to 30.0"
    unmeasured = Problem("p", "c", "nps", "NPS", "association", True, 10)
    bare = rank_measures(unmeasured, [], LATE, ["region"], BOOK, language="en", limit=20)
    assert all(r.measure.target == "" for r in bare)
    assert "baseline" in hypothesis(unmeasured, BOOK, "en") and "30.0" in hypothesis(PROBLEM, BOOK, "en")


@pytest.mark.parametrize("found", [True, False])
def test_the_plan_names_its_doubts(found: bool) -> None:
    thin = Problem("p", "c", "nps", "NPS", "association", found, 12)
    ranked = rank_measures(thin, [LATE], LATE, [], BOOK, language="en", limit=9)
    said = " ".join(risks_of(thin, ranked, Control(), BOOK, "en"))
    assert "sample is small" in said and "costly" in said and "Without a control group" in said
    assert ("association" in said) is found and ("No single cause" in said) is not found
    peers = Control(kind="peers", dimension="region", groups=("浙江",), n=40)
    assert "control" not in " ".join(risks_of(thin, [], peers, BOOK, "en"))


def test_what_did_not_work_is_not_proposed_again() -> None:
    everything = rank_measures(PROBLEM, [LATE], LATE, ["region"], BOOK, language="zh", limit=20)
    first = everything[0].template.id
    left = rank_measures(PROBLEM, [LATE], LATE, ["region"], BOOK, language="zh", limit=20, tried=[first])
    assert [r.template.id for r in left] == [r.template.id for r in everything[1:]]


def test_every_topic_of_the_taxonomy_has_a_measure() -> None:
    everything = load_taxonomy(Sources(pack_names()))
    assert [path for path in everything.paths if not BOOK.for_topic(path)] == []


def test_a_wrong_book_names_what_is_wrong(tmp_path: Path) -> None:
    def changed(edit: str) -> Path:
        content = yaml.safe_load(MEASURES_FILE.read_text(encoding="utf-8"))
        first = content["generic"][0]
        if edit == "department":
            first["department"] = "astrology"
        elif edit == "twice":
            content["generic"].append(first)
        else:
            first["action"].pop("en")
        path = tmp_path / f"{edit}.yaml"
        path.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
        return path

    for edit, complaint in (("department", "astrology"), ("twice", first_id()), ("language", "action.en")):
        with pytest.raises(ConfigError, match=complaint):
            load_measures(changed(edit))


def first_id() -> str:
    return BOOK.generic[0].id


def test_ids_depend_on_every_part_and_on_nothing_else() -> None:
    assert plan_id("a", "b") == plan_id("a", "b") != plan_id("ab", "") != plan_id("", "ab")
