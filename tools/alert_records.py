"""Finding one alert or task that is named, and the feedback that alerts rest on."""

from collections.abc import Sequence

from store.alerts import Alert
from store.records import Task
from tools.context import ToolContext
from tools.refusals import Refusal


def feedback_evidence(alerts: Sequence[Alert], context: ToolContext) -> list[str]:
    """The feedback among the evidence, in its order; ids of behaviour events are left out."""
    ids = list(dict.fromkeys(one for alert in alerts for one in alert.evidence))
    stored = context.facts.existing_ids(ids)
    return [one for one in ids if one in stored]


def named_alert(name: str, context: ToolContext) -> Alert:
    """The alert of that id, or of the task of that id. Raises Refusal where there is none to be seen."""
    name = name.strip()
    alert = context.operations.alert(name)
    if alert is None and (task := context.operations.task(name)) is not None and task.alert_id:
        alert = context.operations.alert(task.alert_id)
    if alert is None:
        raise Refusal("unknown_alert", alert=name)
    return alert


def named_task(name: str, context: ToolContext) -> Task:
    """The task of that id. Raises Refusal where there is none to be seen."""
    task = context.operations.task(name.strip())
    if task is None:
        raise Refusal("unknown_task", task=name)
    return task


def task_of_alert(alert: Alert, context: ToolContext) -> Task | None:
    """The task of an alert, where it has one."""
    tasks = context.operations.tasks(customer_id=alert.customer_id)
    return next((task for task in tasks if task.alert_id == alert.alert_id), None)
