"""Sentences about alerts and what is done about them: the list, verdicts, changed tasks, messages."""

from datetime import datetime
from typing import Any

from agent.frame import Frame
from agent.phrases import Language, name, phrase
from agent.wording import number, percent

_ROWS = 10
_REASONS = 2


def compose_alerts(frame: Frame, result: dict[str, Any]) -> str:
    """How many alerts fit and how grave they are, then those due first, then how often alerts were right."""
    language, data = frame.language, result["data"]
    if not data["all"]:
        return phrase("alerts_none", language)
    if result["n"]:
        tiers = phrase("comma", language).join(
            phrase("alerts_tier", language, tier=name(f"value_tier_{tier}", language, tier), n=number(n))
            for tier, n in reversed(data["by_tier"].items())
            if n
        )
        lines = [phrase("alerts_head", language, n=number(result["n"]), tiers=tiers)]
        lines += [_line(alert, language) for alert in data["alerts"][: frame.limit or _ROWS]]
    else:
        lines = [phrase("alerts_none_fit", language, open=number(data["open"]))]
    judged = data["verdicts"]
    if judged["judged"]:
        figures = {
            "n": number(judged["judged"]),
            "accurate": number(judged["accurate"]),
            "value": percent(judged["value"]),
            "low": percent(judged["ci_low"]),
            "high": percent(judged["ci_high"]),
        }
        lines.append(phrase("alerts_precision", language, **figures))
    return "\n".join(lines)


def compose_verdict(frame: Frame, result: dict[str, Any]) -> str:
    """What was recorded, and what became of the alert."""
    language, data = frame.language, result["data"]
    alert = data["alert"]
    verdict = name(f"value_verdict_{data['verdict']}", language, data["verdict"])
    status = name(f"value_alert_{alert['status']}", language, alert["status"])
    said = {
        "alert": alert["alert_id"],
        "customer": alert["customer_id"],
        "verdict": verdict,
        "status": status,
    }
    return phrase("verdict_recorded", language, **said)


def compose_task_update(frame: Frame, result: dict[str, Any]) -> str:
    """What changed about a task and how it stands."""
    language, data = frame.language, result["data"]
    task = data["task"]
    stands = {
        "task": task["task_id"],
        "customer": task["customer_id"] or "-",
        "status": name(f"value_status_{task['status']}", language, task["status"]),
        "owner": task["owner"],
        "due": _minute(task["due_at"]) if task["due_at"] else "-",
    }
    if not data["changed"]:
        return phrase("task_unchanged", language, **stands)
    changed = phrase("comma", language).join(phrase(f"task_field_{one}", language) for one in data["changed"])
    return phrase("task_changed", language, changed=changed, **stands)


def compose_message(frame: Frame, result: dict[str, Any]) -> str:
    """The words of the message and where it stands."""
    language, message = frame.language, result["data"]["message"]
    return phrase(
        "message_written",
        language,
        customer=message["customer_id"],
        status=name(f"value_message_{message['status']}", language, message["status"]),
        text=message["text"],
    )


def _line(alert: dict[str, Any], language: Language) -> str:
    facts = {
        "alert": alert["alert_id"],
        "customer": alert["customer_id"],
        "tier": name(f"value_tier_{alert['tier']}", language, alert["tier"]),
        "due": _minute(alert["due_at"]),
        "owner": alert["owner"],
        "reasons": phrase("semicolon", language).join(alert["reasons"][:_REASONS]),
    }
    key = "alerts_late" if alert["overdue"] else f"alerts_{alert['status']}"
    return phrase(key, language, **facts)


def _minute(iso: str) -> str:
    return f"{datetime.fromisoformat(iso):%Y-%m-%d %H:%M}"
