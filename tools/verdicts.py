"""Was an alert right? A person's verdict, kept with its reason."""

from typing import Annotated

from pydantic import Field

from store.alerts import VerdictKind
from tools.alert_list import alert_row
from tools.alert_records import feedback_evidence, named_alert, task_of_alert
from tools.arguments import Arguments, Language
from tools.caveats import caveat
from tools.context import ToolContext
from tools.customer_conversations import shown
from tools.results import PeriodResult, ToolResult


class VerdictArguments(Arguments):
    """Of which alert, and what."""

    alert_id: Annotated[str, Field(min_length=1, max_length=100, description="the alert, or its task")]
    verdict: Annotated[VerdictKind, Field(description="accurate, or false_alarm")]
    reason: Annotated[str, Field(max_length=500, description="why, in the person's own words")] = ""
    language: Annotated[Language, Field(description="language of words and caveats")] = "zh"


def record_verdict(args: VerdictArguments, context: ToolContext) -> ToolResult:
    """Record whether an alert was accurate or a false alarm, with the reason.

    Use only when the person says so of a named alert or task. A false alarm closes the alert and cancels
    its task; a later verdict supersedes the earlier one and both are kept. The same again changes nothing.
    """
    alert = named_alert(args.alert_id, context)
    actor = context.asker.user
    verdict = context.operations.record_verdict(
        alert.alert_id, args.verdict, args.reason.strip(), actor=actor
    )
    alert = named_alert(alert.alert_id, context)
    task = task_of_alert(alert, context)
    said = context.operations.verdicts(alert_id=alert.alert_id)
    return ToolResult(
        tool="record_verdict",
        args=args.model_dump(mode="json", exclude_none=True),
        period=PeriodResult(),
        filters={"customer_id": [alert.customer_id]},
        n=1,
        data={
            "alert": alert_row(alert, args.language, context),
            "verdict": verdict.verdict,
            "reason": verdict.reason,
            "by": verdict.by,
            "at": shown(verdict.at, context.zone),
            "history": len(said),
            "task": task and {"task_id": task.task_id, "status": task.status.value},
        },
        evidence=feedback_evidence([alert], context)[:20],
        caveats=[caveat("verdict_counts", args.language)],
    )
