"""A plan to hand on: Markdown to read, CSV for a project tool with one measure a row."""

import csv
import io
import re
from collections.abc import Sequence
from datetime import timedelta
from typing import Final
from zoneinfo import ZoneInfo

from retention.amounts import amount
from retention.plans import said_in, window
from retention.wording import Language, sentence
from store.plan_parts import Effect, Measure
from store.records import ActionPlan

_COLUMNS: Final = (
    *("plan_id", "rank", "measure_id", "action", "owner_department", "first_step", "starts_on", "ends_on"),
    *("metric", "target", "expected_effect", "expected_low", "expected_value", "expected_high", "expected_n"),
    *("cost", "priority_score", "window_days", "control", "status", "evidence_grade", "problem", "cause"),
)
# What a spreadsheet would take for a formula.
_FORMULA: Final = re.compile(r"^[\s]*[=+\-@\t\r]")


def to_csv(plan: ActionPlan, zone: ZoneInfo, language: Language) -> bytes:
    """One measure a row, best first, with a heading in the language; UTF-8 with a mark for spreadsheets.

    Text that a spreadsheet would run as a formula gets an apostrophe before it. Expected figures are in
    the unit of the metric (NPS points, shares 0..1) and empty where not known.
    """
    told = said_in(plan, language)
    written = io.StringIO(newline="")
    table = csv.writer(written, lineterminator="\r\n")
    table.writerow([_say(f"column_{name}", language) for name in _COLUMNS])
    for rank, measure in enumerate(told.measures, start=1):
        cells = _cells(told, measure, rank, zone, language)
        table.writerow([_safe(cells[name]) for name in _COLUMNS])
    return written.getvalue().encode("utf-8-sig")


def _cells(
    plan: ActionPlan, measure: Measure, rank: int, zone: ZoneInfo, language: Language
) -> dict[str, object]:
    first, _ = window(plan, zone)
    expected = measure.expected
    of_measure = measure.model_dump(
        include={"action", "owner_department", "first_step", "metric", "target", "expected_effect"}
    )
    of_plan = plan.model_dump(include={"plan_id", "control", "problem", "cause"})
    return {
        **of_measure,
        **of_plan,
        "rank": rank,
        "measure_id": measure.id,
        "starts_on": first.isoformat(),
        "ends_on": (first + timedelta(days=measure.window_days - 1)).isoformat(),
        "expected_low": expected.low if expected else "",
        "expected_value": expected.value if expected else "",
        "expected_high": expected.high if expected else "",
        "expected_n": expected.n if expected else "",
        "cost": _say(f"cost_{measure.cost}", language),
        "priority_score": measure.priority_score,
        "window_days": measure.window_days,
        "status": _say(f"status_{plan.status.value}", language),
        "evidence_grade": _say(f"grade_{plan.evidence_grade}", language),
    }


def _safe(cell: object) -> object:
    return f"'{cell}" if isinstance(cell, str) and _FORMULA.match(cell) else cell


def to_markdown(plan: ActionPlan, effects: Sequence[Effect], zone: ZoneInfo, language: Language) -> str:
    """The whole plan to read: problem, cause, hypothesis, measures, control, risks, and what came of it."""
    told = said_in(plan, language)
    first, after = window(told, zone)
    begins = "window_approved" if told.approved_at else "window_proposed"
    facts = [
        ("problem", _plain(told.problem)),
        ("cause", _plain(told.cause)),
        ("evidence_grade", _say(f"grade_{told.evidence_grade}", language)),
        ("status", _say(f"status_{told.status.value}", language)),
        ("hypothesis", _plain(told.hypothesis)),
        (
            "window",
            _say(
                begins,
                language,
                first=first.isoformat(),
                last=(after - timedelta(days=1)).isoformat(),
                days=told.window_days,
            ),
        ),
        ("control", _plain(told.control)),
    ]
    lines = [f"# {_say('title', language, plan=told.plan_id)}", ""]
    lines += [f"- **{_say(f'column_{name}', language)}**: {value}" for name, value in facts if value]
    lines += ["", f"## {_say('measures', language)}", ""]
    for rank, measure in enumerate(told.measures, start=1):
        lines += _measure_lines(rank, measure, language)
    if told.risks:
        lines += [f"## {_say('risks', language)}", "", *[f"- {_plain(risk)}" for risk in told.risks], ""]
    if told.evidence:
        lines += [f"## {_say('evidence', language)}", "", ", ".join(map(_plain, told.evidence)), ""]
    return "\n".join([*lines, *_review_lines(told, effects, language)]).rstrip() + "\n"


def _measure_lines(rank: int, measure: Measure, language: Language) -> list[str]:
    told = {
        "owner_department": measure.owner_department,
        "first_step": measure.first_step,
        "metric": measure.metric,
        "target": measure.target,
        "expected_effect": measure.expected_effect,
        "cost": _say(f"cost_{measure.cost}", language),
        "window_days": str(measure.window_days),
        "priority_score": f"{measure.priority_score:g}",
    }
    listed = [
        f"   - {_say(f'column_{name}', language)}: {_plain(value)}" for name, value in told.items() if value
    ]
    return [f"{rank}. **{_plain(measure.action)}**", *listed, ""]


def _review_lines(plan: ActionPlan, effects: Sequence[Effect], language: Language) -> list[str]:
    review = plan.review
    if review is None:
        return []
    outcome = _say(f"verdict_{review.outcome}", language)
    lines = [f"## {_say('review', language)}", "", _say("outcome", language, outcome=outcome), ""]
    lines += [f"- {_effect_line(effect, language)}" for effect in effects]
    if review.reopened is not None:
        causes = [_plain(cause["label"]) for cause in review.reopened["causes"]]
        found = "、".join(causes) if language == "zh" else ", ".join(causes)
        lines += ["", _say("reopened" if causes else "reopened_none", language, causes=found)]
    if review.follow_up is not None:
        lines += ["", _say("follow_up", language, plan=review.follow_up)]
    return lines


def _effect_line(effect: Effect, language: Language) -> str:
    figures = {"effect": effect.effect, "low": effect.ci_low, "high": effect.ci_high}
    shown = {
        name: amount(value, effect.kind, language) for name, value in figures.items() if value is not None
    }
    return _say(
        "effect" if len(shown) == len(figures) else "effect_none",
        language,
        title=_plain(effect.title),
        before=effect.n_before,
        after=effect.n_after,
        grade=_say(f"grade_{effect.evidence_grade}", language),
        verdict=_say(f"verdict_{effect.verdict}", language),
        **shown,
    )


def _plain(text: str) -> str:
    """Words of the data as words: no markup, no line of its own."""
    return re.sub(r"([\\`*_\[\]<>|#])", r"\\\1", " ".join(text.split()))


def _say(key: str, language: Language, **values: object) -> str:
    return sentence("plan_export", key, language, **values)
