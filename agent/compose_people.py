"""Sentences about customers: who is at risk, one of them in full, low scorers, tasks and plans for them."""

from datetime import datetime
from typing import Any

from agent.frame import Frame
from agent.phrases import Language, name, phrase
from agent.wording import conditions, number, percent, scope

_REASONS = 2
_ROWS = 10
_SUMMARY = 60


def compose_risk(frame: Frame, result: dict[str, Any]) -> str:
    """Customers in order of risk, each with its first reasons."""
    language = frame.language
    customers = result["data"]["customers"]
    if not customers:
        return phrase("risk_none", language, scope=scope(result, frame))
    data = result["data"]
    lines = [
        phrase("risk_head", language, at_risk=number(data["at_risk"]), assessed=number(data["assessed"]))
    ]
    return "\n".join([*lines, *[_risk_line(c, language) for c in customers[:_ROWS]]])


def _risk_line(customer: dict[str, Any], language: Language) -> str:
    facts = {
        "customer": customer["customer_id"],
        "health": number(customer["health"]),
        "probability": percent(customer["probability"]),
        "reasons": phrase("semicolon", language).join(r["text"] for r in customer["reasons"][:_REASONS]),
    }
    if customer["tier"] is None:
        return phrase("risk_line_no_tier", language, **facts)
    tier = name(f"value_tier_{customer['tier']}", language, customer["tier"])
    return phrase("risk_line", language, tier=tier, **facts)


def compose_customer(frame: Frame, result: dict[str, Any]) -> str:
    """One customer: risk with its reasons, the last words, what is open."""
    language, data = frame.language, result["data"]
    customer_id = data["customer"]["customer_id"]
    lines = [phrase("customer_head", language, customer=customer_id, n=number(result["n"]))]
    if data["risk"]:
        lines.append(_risk_line(data["risk"], language))
    if data["topics"]:
        topics = {"topic": [topic["topic"] for topic in data["topics"][:3]]}
        lines.append(phrase("customer_topics", language, topics=conditions(topics, frame)))
    if data["outcomes"]:
        last = data["outcomes"][-1]
        outcome = name(f"value_outcome_{last['outcome']}", language, last["outcome"])
        lines.append(phrase("customer_outcome", language, outcome=outcome, day=last["at"][:10]))
    if data["tasks"]:
        lines.append(phrase("customer_tasks", language, n=len(data["tasks"])))
    return "\n".join(lines)


def compose_low_scores(frame: Frame, result: dict[str, Any]) -> str:
    """How many scored low, what they share, and where their mood broke."""
    language, data = frame.language, result["data"]
    if not result["n"]:
        return phrase("risk_none", language, scope=scope(result, frame))
    lines = [phrase("low_head", language, scope=scope(result, frame), n=number(result["n"]))]
    for cause in data["causes"][:5]:
        lines.append(
            phrase(
                "low_cause",
                language,
                theme=cause["label"],
                n=number(cause["n"]),
                share=percent(cause["share"]),
                scope=name(f"value_scope_{cause['scope']}", language, cause["scope"]),
            )
        )
    return "\n".join(lines)


def compose_tasks(frame: Frame, result: dict[str, Any]) -> str:
    """The drafted tasks with owner and deadline."""
    language, tasks = frame.language, result["data"]["tasks"]
    if not tasks:
        return phrase("tasks_none", language)
    lines = [phrase("tasks_head", language)]
    for task in tasks[:_ROWS]:
        due = task["due_at"]
        lines.append(
            phrase(
                "task_line",
                language,
                customer=task["customer_id"],
                owner=task["owner"],
                due=_minute(due) if due else "-",
                summary=task["summary"],
            )
        )
    return "\n".join(lines)


def compose_task_list(frame: Frame, result: dict[str, Any]) -> str:
    """How many tasks there are and how they stand, then the most pressing."""
    language, data = frame.language, result["data"]
    if not data["all"]:
        return phrase("backlog_none", language)
    stands = phrase("comma", language).join(
        phrase(
            "backlog_status", language, status=name(f"value_status_{status}", language, status), n=number(n)
        )
        for status, n in data["by_status"].items()
    )
    head = {"n": number(data["all"]), "overdue": number(data["overdue"]), "stands": stands}
    lines = [phrase("backlog_head", language, **head)]
    for task in data["tasks"][: frame.limit or _ROWS]:
        facts = {
            "customer": task["customer_id"] or "-",
            "owner": task["owner"],
            "due": _minute(task["due_at"]) if task["due_at"] else "-",
            "status": name(f"value_status_{task['status']}", language, task["status"]),
            # An alert's summary holds figures that this result does not; what it was raised for says enough.
            "summary": phrase("comma", language).join(task["causes"]) or _short(task["summary"]),
        }
        lines.append(phrase("backlog_late" if task["overdue"] else "backlog_line", language, **facts))
    return "\n".join(lines)


def _short(summary: str) -> str:
    return summary if len(summary) <= _SUMMARY else summary[:_SUMMARY] + "…"


def compose_plan(frame: Frame, result: dict[str, Any]) -> str:
    """The drafted plan, measure by measure."""
    language, plan = frame.language, result["data"].get("plan")
    if not plan or not plan["measures"]:
        return phrase("plan_none", language)
    status = name(f"value_status_{plan['status']}", language, plan["status"])
    lines = [phrase("plan_head", language, status=status)]
    if plan["review"]:
        outcome = plan["review"]["outcome"]
        said = name(f"value_outcome_{outcome}", language, outcome)
        lines.append(phrase("plan_ended", language, outcome=said))
    for rank, measure in enumerate(plan["measures"], start=1):
        lines.append(
            phrase(
                "plan_line",
                language,
                rank=rank,
                action=measure["action"],
                department=measure["owner_department"],
                cost=name(f"value_cost_{measure['cost']}", language, measure["cost"]),
                target=measure["target"] or measure["metric"],
                expected=measure["expected_effect"],
                days=measure["window_days"],
                first_step=measure["first_step"],
            )
        )
    design = {key: plan[key] for key in ("hypothesis", "control")}
    lines.append(phrase("plan_design", language, days=plan["window_days"], **design))
    if plan["risks"]:
        lines.append(phrase("plan_risks", language, risks=phrase("semicolon", language).join(plan["risks"])))
    return "\n".join(lines)


def _minute(iso: str) -> str:
    return f"{datetime.fromisoformat(iso):%Y-%m-%d %H:%M}"
