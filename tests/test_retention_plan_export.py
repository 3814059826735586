import csv
import io
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from retention.plan_export import to_csv, to_markdown
from retention.plans import said_in, window
from store.plan_parts import Effect, Expected, Measure, PlanReview, PlanWords
from store.records import ActionPlan, TaskStatus

ZONE = ZoneInfo("Asia/Shanghai")
AT = datetime(2026, 10, 1, 17, tzinfo=UTC)  # 2 October, 01:00 in Shanghai


def plan(**changes: object) -> ActionPlan:
    values: dict[str, object] = {
        "plan_id": "plan-1",
        "status": TaskStatus.PENDING_APPROVAL,
        "problem": "=HYPERLINK(1)",
        "cause": "地区=广东",
        "evidence_grade": "adjusted",
        "measures": (
            Measure(
                id="reroute",
                action="临时加运力",
                owner_department="物流部",
                metric="NPS",
                target="NPS 由 1.0 达到 9.0",
                window_days=14,
                cost="high",
                expected_effect="延误减少",
                priority_score=3.5,
                first_step="查线路",
                expected=Expected(value=5.0, low=2.0, high=8.0, n=3, basis="measure"),
            ),
            Measure(
                id="call", action="回访", owner_department="客服部", metric="NPS", first_step="-先看|清单"
            ),
        ),
        "risks": ("样本量小",),
        "evidence": ("f1", "f2"),
        "hypothesis": "NPS 应回升",
        "control": "对照组：浙江",
        "translation": PlanWords(
            problem="NPS fell",
            cause="region=广东",
            hypothesis="NPS should recover",
            control="Control group: 浙江",
            risks=("The sample is small",),
            measures=(
                {
                    "action": "Add capacity",
                    "owner_department": "Logistics",
                    "metric": "NPS",
                    "target": "NPS from 1.0 to 9.0",
                    "expected_effect": "Fewer delays",
                    "first_step": "Find the lines",
                },
                {
                    "action": "Call back",
                    "owner_department": "Service",
                    "metric": "NPS",
                    "target": "",
                    "expected_effect": "",
                    "first_step": "Read the list",
                },
            ),
        ),
        "window_days": 30,
        "created_at": AT,
        "created_by": "ana",
    }
    return ActionPlan.model_validate({**values, **changes})


def rows(body: bytes) -> list[dict[str, str]]:
    assert body.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(body.decode("utf-8-sig"), newline="")))


def test_a_table_has_a_row_for_each_measure_with_its_figures() -> None:
    first, second = rows(to_csv(plan(), ZONE, "en"))
    assert (first["Rank"], first["Action"], first["Owner department"]) == ("1", "Add capacity", "Logistics")
    # From the day after, in the zone in which people read dates: 14 days, the last included.
    assert (first["Start"], first["Due"]) == ("2026-10-03", "2026-10-16")
    assert [first[f"Expected {name}"] for name in ("low", "value", "high")] == ["2.0", "5.0", "8.0"]
    assert (first["Verified effects pooled"], first["Cost"], first["Evidence grade"]) == (
        "3",
        "high",
        "adjusted",
    )
    assert second["Expected value"] == second["Verified effects pooled"] == ""


def test_no_cell_is_run_as_a_formula() -> None:
    first, second = rows(to_csv(plan(), ZONE, "zh"))
    assert (first["问题"], second["本周第一步"]) == ("'=HYPERLINK(1)", "'-先看|清单")
    assert first["措施"] == "临时加运力"


@pytest.mark.parametrize(("language", "words"), [("zh", "待审批"), ("en", "awaiting approval")])
def test_the_whole_plan_to_read_in_either_language(language: str, words: str) -> None:
    told = said_in(plan(problem="<b>满意度</b>"), "zh" if language == "zh" else "en")
    text = to_markdown(told, [], ZONE, told.language)
    assert words in text and "2026-10-03" in text and "2026-11-01" in text and "<b>" not in text
    for part in (told.hypothesis, told.control, told.risks[0], *(m.action for m in told.measures), "f1, f2"):
        assert part in text


def test_a_plan_says_the_same_in_both_languages_and_back() -> None:
    there = said_in(plan(), "en")
    assert (there.language, there.measures[1].action, there.measures[1].target) == ("en", "Call back", "")
    assert there.measures[0].expected == plan().measures[0].expected
    assert said_in(there, "zh") == plan() and said_in(plan(), "zh") == plan()
    old = plan(translation=None)
    assert said_in(old, "en") == old


def test_the_window_runs_from_the_day_after_approval() -> None:
    assert window(plan(), ZONE) == (date(2026, 10, 3), date(2026, 11, 2))
    later = plan(approved_at=datetime(2026, 10, 9, 3, tzinfo=UTC))
    assert window(later, ZONE) == (date(2026, 10, 10), date(2026, 11, 9))


def test_what_came_of_it_is_said_with_its_interval() -> None:
    known = {
        "plan_id": "plan-1",
        "measures": ("reroute",),
        "design": "difference_in_differences",
        "evidence_grade": "quasi-experimental",
        "n_before": 40,
        "n_after": 50,
        "starts_on": date(2026, 10, 3),
        "ends_on": date(2026, 11, 1),
        "verified_at": AT,
        "verified_by": "ana",
    }
    share = {"metric": "negative_share", "kind": "proportion", "title": "负面占比", "verdict": "missed"}
    found = Effect.model_validate(
        {
            **known,
            **share,
            "effect_id": "e1",
            "main": True,
            "effect": -0.012,
            "ci_low": -0.05,
            "ci_high": 0.03,
        }
    )
    none = {"metric": "csat", "kind": "mean", "title": "CSAT", "verdict": "inconclusive"}
    bare = Effect.model_validate(
        {**known, **none, "effect_id": "e2", "main": False, "effect": None, "ci_low": None, "ci_high": None}
    )
    review = PlanReview(
        outcome="missed",
        verified_at=AT,
        verified_by="ana",
        starts_on=date(2026, 10, 3),
        ends_on=date(2026, 11, 1),
        reopened={"causes": [{"label": "地区=广东"}]},
        follow_up="plan-2",
    )
    text = to_markdown(plan(status=TaskStatus.DONE, review=review), [found, bare], ZONE, "zh")
    assert "-1.2 个百分点（95% 区间 -5.0 个百分点 至 +3.0 个百分点" in text
    assert "CSAT：无法估计" in text and "地区=广东" in text and "plan-2" in text and "未达成" in text
