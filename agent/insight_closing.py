"""The end of a report: competitors, what the data can bear, and what to do next."""

from typing import Any

from agent.insight_document import Entry, Section, Table
from agent.insight_run import InsightRun
from agent.insight_wording import metric_title, signed
from agent.insight_words import say
from agent.wording import amount, conditions, number, percent

_RIVALS = 6
_TOPICS = 3
_STEPS = 6


def rivals(run: InsightRun) -> Section | None:
    """Competitors that customers name; None where none is named."""
    result = run.attempt("compare_competitors", period=run.span, metric=run.metric, limit=_RIVALS)
    if result is None or not result["data"]["competitors"]:
        return None
    language, data = run.language, result["data"]
    columns = ("col_rival", "col_size", "col_negative", "col_leaving", "col_topics")
    mark = "、" if language == "zh" else ", "
    table = Table(
        caption=say("rivals_caption", language),
        columns=tuple(say(column, language) for column in columns),
        numeric=(False, True, True, True, False),
        rows=tuple(
            (
                row["name"],
                number(row["n"]),
                percent(row["sentiments"]["negative"]) if row["sentiments"] else "–",
                number(row["leaving"]),
                mark.join(topic["label"] for topic in row["topics"][:_TOPICS]) or "–",
            )
            for row in data["competitors"]
        ),
    )
    against = data["against_others"]
    lead = ""
    if against and against["significant"]:
        metric = against["metric"]
        lead = say(
            "rivals_against",
            language,
            metric=metric_title(metric, {"title": metric}, run),
            naming=amount(metric, against["naming_a_rival"]),
            n=number(against["n"]),
            others=amount(metric, against["others"]),
            difference=signed(metric, against["difference"], run),
            low=signed(metric, against["ci_low"], run),
            high=signed(metric, against["ci_high"], run),
        )
    return Section(key="rivals", title=say("section_rivals", language), lead=lead, blocks=(table,))


def data_notes(run: InsightRun, quality: dict[str, Any]) -> Section:
    """How much data there is, what is wrong with it, and what could not be said."""
    language, data = run.language, quality["data"]
    lead = say("data_lead", language, items=number(data["items"]), texts=number(data["texts"]["with_text"]))
    notes = list(dict.fromkeys([*quality["caveats"], *run.refusals]))
    return Section(
        key="data",
        title=say("section_data", language),
        lead=lead,
        notes=tuple(notes) or (say("data_clean", language),),
    )


def next_steps(
    run: InsightRun,
    *,
    cause: dict[str, Any] | None,
    plans: dict[str, Any],
    tasks: dict[str, Any],
    risk: dict[str, Any],
    problems: Section,
) -> Section:
    """What follows from the findings, the most urgent first."""
    steps = [
        *_people(run, risk, tasks),
        *_cause_steps(run, cause, plans),
        *_problem_steps(run, cause, problems),
    ][:_STEPS]
    return Section(
        key="next",
        title=say("section_next", run.language),
        blocks=tuple(Entry(title=step) for step in steps),
        notes=() if steps else (say("next_watch", run.language),),
    )


def _people(run: InsightRun, risk: dict[str, Any], tasks: dict[str, Any]) -> list[str]:
    language, steps = run.language, []
    red = risk["data"]["by_tier"].get("red", 0)
    urgent = next((c for c in risk["data"]["customers"] if c["tier"] == "red"), None)
    if red and urgent:
        steps.append(say("next_red", language, n=number(red), customer=urgent["customer_id"]))
    counts, overdue = tasks["data"]["counts"], tasks["data"]["overdue"]
    if overdue:
        steps.append(say("next_overdue", language, n=number(overdue)))
    if counts["pending_approval"]:
        steps.append(say("next_tasks", language, n=number(counts["pending_approval"])))
    return steps


def _cause_steps(run: InsightRun, cause: dict[str, Any] | None, plans: dict[str, Any]) -> list[str]:
    language, steps = run.language, []
    rows = plans["data"]["plans"]
    for row in rows:
        plan, effect = row["plan"], row["effect"]
        if plan["status"] == "pending_approval" and plan["measures"]:
            step = plan["measures"][0]["first_step"] or plan["measures"][0]["action"]
            steps.append(say("next_approve_plan", language, cause=plan["cause"], step=step))
        elif effect is not None and effect["verdict"] in ("missed", "worse") and not _taken_up(plan):
            verdict = say(f"verdict_{effect['verdict']}", language)
            steps.append(say("next_missed", language, cause=plan["cause"], verdict=verdict))
    if cause is not None and cause["data"]["verdict"] == "cause_found" and not _covered(cause, rows):
        first = cause["data"]["causes"][0]
        label = conditions(first["conditions"], run.frame)
        key = "next_plan" if first["department"] else "next_plan_nobody"
        steps.append(say(key, language, cause=label, department=first["department"]))
    return steps


def _taken_up(plan: dict[str, Any]) -> bool:
    """Whether a missed plan has one that follows it, which is then what is to be approved."""
    return bool(plan["review"] and plan["review"]["follow_up"])


def _covered(cause: dict[str, Any], rows: list[dict[str, Any]]) -> bool:
    """Whether a plan names all the values of the first cause."""
    values = [str(value) for value in cause["data"]["causes"][0]["conditions"].values()]
    return any(all(value in row["plan"]["cause"] for value in values) for row in rows)


def _problem_steps(run: InsightRun, cause: dict[str, Any] | None, problems: Section) -> list[str]:
    """The first new problem that is not the cause's own theme or topic."""
    first = cause["data"]["causes"][0] if cause is not None and cause["data"].get("causes") else {}
    for entry in problems.entries:
        scope = entry.facts.get("scope") or {}
        same_theme = first and entry.facts.get("theme_id") == first["theme_id"]
        same_topic = first and first["topic"] and scope.get("topic") == first["topic"]
        if not (entry.facts.get("theme_id") and same_theme) and not same_topic:
            return [say("next_problem", run.language, problem=entry.title)]
    return []
