"""A task in the words a CRM shows."""

from collections.abc import Sequence
from datetime import tzinfo

from retention.alert_telling import said
from retention.wording import Language, name_of
from store.records import Task


def subject(task: Task, language: Language) -> str:
    """One line."""
    customer = task.customer_id or said("crm", "nobody", language)
    if task.tier is None:
        return said("crm", "untiered", language, customer=customer)
    return said(
        "crm", "subject", language, tier=name_of("tiers", task.tier.value, language), customer=customer
    )


def body(task: Task, language: Language, zone: tzinfo, comments: Sequence[str] = ()) -> str:
    """Cause, what to say, owner and deadline, comments, the task's id: plain text, a line each."""
    if task.due_at is None:
        owner = said("crm", "undated", language, owner=task.owner)
    else:
        due = f"{task.due_at.astimezone(zone):%Y-%m-%d %H:%M}"
        owner = said("crm", "owner", language, owner=task.owner, due=due)
    lines = [task.summary]
    if task.advice:
        lines.append(said("crm", "advice", language, advice=task.advice))
    lines.append(owner)
    if comments:
        lines.append(said("crm", "comments", language))
        lines += [said("crm", "comment", language, text=text) for text in comments]
    lines.append(said("crm", "reference", language, task_id=task.task_id))
    return "\n".join(lines)
