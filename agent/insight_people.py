"""Customers at risk, what is being done for them, and how the action plans fare."""

import re
from typing import Any

from agent.insight_document import Entry, Section, Table, Tone
from agent.insight_run import InsightRun
from agent.insight_wording import capital, in_a_row, signed
from agent.insight_words import say
from agent.phrases import name
from agent.wording import number, percent
from store.facts import Selection
from store.plan_parts import Judgement
from store.records import ActionPlan, Task, TaskStatus
from tools.plan_design import judged_title
from tools.selection import normalise

_CUSTOMERS = 5
_REASONS = 2
_TASKS = 8
_PLANS = 4
_TIERS = ("red", "orange", "callback", "yellow")
_WAITING = (TaskStatus.PENDING_APPROVAL, TaskStatus.OPEN)


def risk_of(run: InsightRun) -> dict[str, Any]:
    """churn_risk over the report's scope, judged as of now."""
    return run.call("churn_risk", limit=_CUSTOMERS)


def tasks_of(run: InsightRun) -> dict[str, Any]:
    """The tasks as a source of figures: counts by status, and those that wait, nearest deadline first."""
    now = run.context.clock.now()
    every = [task for task in run.context.operations.tasks() if _in_scope(task, run)]
    waiting = [task for task in every if task.status in _WAITING]
    late = [t for t in waiting if t.status is TaskStatus.OPEN and t.due_at is not None and t.due_at < now]
    counts = {status.value: sum(1 for task in every if task.status is status) for status in TaskStatus}
    rows = [_task_row(task, late, run) for task in waiting]
    data = {"counts": counts, "overdue": len(late), "tasks": rows}
    return run.keep("tasks", {}, {"n": len(every), "data": data, "caveats": []})


def _in_scope(task: Task, run: InsightRun) -> bool:
    """With filters or a scope of units only tasks for customers whose feedback is in them."""
    if not run.filters:
        return True
    if task.customer_id is None:
        return False
    filters, _ = normalise({**run.filters, "customer_id": task.customer_id}, run.context)
    return run.context.facts.count(Selection(filters=filters)) > 0


def _task_row(task: Task, late: list[Task], run: InsightRun) -> dict[str, Any]:
    zone = run.context.zone
    return {
        "task_id": task.task_id,
        "customer_id": task.customer_id,
        "owner": task.owner,
        "due_at": f"{task.due_at.astimezone(zone):%Y-%m-%d %H:%M}" if task.due_at else None,
        "status": "overdue" if task in late else task.status.value,
        "about": _first_sentence(task.summary),
    }


def _first_sentence(text: str) -> str:
    """What a task is about without its reasons, which its page lists."""
    return re.split(r"(?<=。)|(?<=[.!?])\s", " ".join(text.split()), maxsplit=1)[0].rstrip("。.")


def risks(run: InsightRun, risk: dict[str, Any], tasks: dict[str, Any]) -> Section:
    """Who is about to leave and why, by tier; and the tasks that wait."""
    language, data = run.language, risk["data"]
    tables = []
    notes = []
    if data["at_risk"]:
        lead = say(
            "risk_lead",
            language,
            day=data["as_of"][:10],
            assessed=number(data["assessed"]),
            risk=number(data["at_risk"]),
            below=number(data["below_threshold"]),
            threshold=number(data["threshold"]),
        )
        tables += [_tier_table(data, run), _customer_table(data, run)]
    else:
        lead = say("risk_none", language)
    counts = tasks["data"]["counts"]
    if tasks["data"]["tasks"]:
        tables.append(_task_table(tasks["data"]["tasks"], run))
        notes.append(
            say(
                "tasks_lead",
                language,
                pending=number(counts["pending_approval"]),
                open=number(counts["open"]),
                overdue=number(tasks["data"]["overdue"]),
                done=number(counts["done"]),
            )
        )
    else:
        notes.append(say("tasks_none", language))
    return Section(
        key="risks",
        title=say("section_risks", language),
        lead=lead,
        blocks=tuple(tables),
        notes=tuple(notes),
    )


def _tier_table(data: dict[str, Any], run: InsightRun) -> Table:
    language = run.language
    return Table(
        caption=say("tiers_caption", language),
        columns=(say("col_tier", language), say("col_customers", language)),
        numeric=(False, True),
        rows=tuple(
            (capital(name(f"value_tier_{tier}", language, tier), run), number(data["by_tier"].get(tier, 0)))
            for tier in _TIERS
        ),
    )


def _customer_table(data: dict[str, Any], run: InsightRun) -> Table:
    language = run.language
    columns = ("col_customer", "col_tier", "col_health", "col_probability", "col_reasons")
    mark = "；" if language == "zh" else "; "
    return Table(
        caption=say("customers_caption", language),
        columns=tuple(say(column, language) for column in columns),
        numeric=(False, False, True, True, False),
        rows=tuple(
            (
                one["customer_id"],
                capital(name(f"value_tier_{one['tier']}", language, say("tier_none", language)), run),
                f"{one['health']:.1f}",
                percent(one["probability"]),
                mark.join(reason["text"] for reason in one["reasons"][:_REASONS]),
            )
            for one in data["customers"]
        ),
    )


def _task_table(rows: list[dict[str, Any]], run: InsightRun) -> Table:
    language = run.language
    columns = ("col_customer", "col_task", "col_owner", "col_due", "col_status")
    return Table(
        caption=say("tasks_caption", language),
        columns=tuple(say(column, language) for column in columns),
        numeric=(False, False, False, False, False),
        rows=tuple(
            (
                row["customer_id"] or "–",
                row["about"],
                row["owner"],
                row["due_at"] or "–",
                capital(say(f"status_{row['status']}", language), run),
            )
            for row in rows[:_TASKS]
        ),
    )


def plans_of(run: InsightRun) -> dict[str, Any]:
    """The action plans as a source of figures, newest first, each with its verified effect where it runs."""
    every = run.context.operations.plans()
    shown = [plan for plan in every if plan.status not in (TaskStatus.REJECTED, TaskStatus.CANCELLED)]
    rows = [
        {
            "plan": {**plan.model_dump(mode="json"), "measures_total": len(plan.measures)},
            "effect": _effect(plan, run),
        }
        for plan in shown[:_PLANS]
    ]
    return run.keep("plans", {}, {"n": len(every), "data": {"plans": rows}, "caveats": []})


def _effect(plan: ActionPlan, run: InsightRun) -> dict[str, Any] | None:
    """The verified effect that the plan as a whole is judged by; None before its window is over."""
    found = run.context.operations.effects(plan_id=plan.plan_id)
    main = next((effect for effect in found if effect.main), None)
    if main is None:
        return None
    judged = Judgement(metric=main.metric, topic=main.topic, title=main.title)
    return {**main.model_dump(mode="json"), "title": judged_title(judged, run.context, run.language)}


def plans(run: InsightRun, found: dict[str, Any]) -> Section:
    """Each running or proposed plan: what it is for, what comes first, and whether it has worked."""
    language = run.language
    rows = found["data"]["plans"]
    return Section(
        key="plans",
        title=say("section_plans", language),
        blocks=tuple(_plan_entry(row, run) for row in rows),
        notes=() if rows else (say("plans_none", language),),
    )


def _plan_entry(row: dict[str, Any], run: InsightRun) -> Entry:
    language, plan = run.language, row["plan"]
    sentences, details = [], []
    if plan["measures"]:
        first = plan["measures"][0]
        sentences.append(
            say(
                "plan_text",
                language,
                measures=number(plan["measures_total"]),
                action=first["action"],
                department=first["owner_department"],
                window=number(first["window_days"]),
                target=first["target"] or "–",
            )
        )
        if first["first_step"]:
            details.append(say("plan_step", language, step=first["first_step"]))
    if plan["status"] == "pending_approval":
        details.append(say("plan_waits", language))
    tone: Tone = "flat"
    if row["effect"] is not None:
        text, tone = effect_words(row["effect"], run)
        details.append(text)
    return Entry(
        title=say("plan_title", language, problem=plan["problem"], cause=plan["cause"]),
        badge=say(f"status_{plan['status']}", language),
        tone=tone,
        text=in_a_row(sentences, run),
        details=tuple(details),
        facts={"plan_id": plan["plan_id"], "status": plan["status"], "created_at": plan["created_at"]},
    )


def effect_words(effect: dict[str, Any], run: InsightRun) -> tuple[str, Tone]:
    """A verified effect in one sentence, and whether it is welcome."""
    language, start = run.language, effect["starts_on"]
    verdict = say(f"verdict_{effect['verdict']}", language)
    if effect["effect"] is None or effect["ci_low"] is None:
        return say("plan_unjudged", language, start=start, verdict=verdict), "flat"
    metric = effect["metric"]
    tones: dict[str, Tone] = {"achieved": "good", "partly": "good", "missed": "bad", "worse": "bad"}
    shown = {key: signed(metric, effect[key], run) for key in ("effect", "ci_low", "ci_high")}
    text = say(
        "plan_effect",
        language,
        start=start,
        metric=effect["title"],
        effect=shown["effect"],
        low=shown["ci_low"],
        high=shown["ci_high"],
        verdict=verdict,
        grade=name(f"value_grade_{effect['evidence_grade']}", language, effect["evidence_grade"]),
    )
    return text, tones.get(effect["verdict"], "flat")
