"""A message to a customer, from the playbook of the alert: drafted, approved, then sent."""

from typing import Annotated

from pydantic import Field

from retention.alert_messages import has_message, message_of
from retention.approvals import approve_message, require_approver
from store.messages import Message, MessageStatus
from store.records import AuditEntry
from tools.alert_records import feedback_evidence, named_alert, task_of_alert
from tools.arguments import Arguments, Language
from tools.caveats import caveat
from tools.context import ToolContext
from tools.message_view import message_row
from tools.refusals import Refusal
from tools.results import PeriodResult, ToolResult


class MessageArguments(Arguments):
    """To the customer of which alert."""

    alert_id: Annotated[str, Field(min_length=1, max_length=100, description="the alert, or its task")]
    language: Annotated[Language, Field(description="language of the message and of caveats")] = "zh"


def send_playbook_message(args: MessageArguments, context: ToolContext) -> ToolResult:
    """Write the playbook's message to the customer of an alert.

    Use only when the person asks for it and names the alert or task. The words are the playbook's, in both
    languages. It awaits approval; nothing is sent before, and an alert's message is written once however
    often it is asked for. Red alerts have none: a person calls.
    """
    if context.approved:
        require_approver(context.asker.role, "send_playbook_message")
    alert, now = named_alert(args.alert_id, context), context.clock.now()
    policy = context.policy_of(alert.customer_id)
    if not has_message(alert, policy):
        raise Refusal("no_message", alert=alert.alert_id, tier=alert.tier.value)
    if alert.status != "open":
        raise Refusal("alert_closed", alert=alert.alert_id)
    draft = message_of(
        alert,
        task_of_alert(alert, context),
        policy=policy,
        language=args.language,
        status=MessageStatus.PENDING_APPROVAL,
        now=now,
        actor=context.asker.user,
    )
    detail = {"customer_id": alert.customer_id, "alert_id": alert.alert_id, "playbook": draft.playbook}
    entry = AuditEntry(
        occurred_at=now,
        actor=context.asker.user,
        action="message.propose",
        subject=draft.message_id,
        detail=detail,
    )
    earlier = context.operations.messages(customer_id=alert.customer_id)
    new = all(one.message_id != draft.message_id for one in earlier)
    message = context.operations.propose_message(draft, entry)
    if context.approved and message.status is MessageStatus.PENDING_APPROVAL:
        asker = context.asker
        message = approve_message(context.operations, message.message_id, actor=asker.user, role=asker.role)
    return ToolResult(
        tool="send_playbook_message",
        args=args.model_dump(mode="json", exclude_none=True),
        period=PeriodResult(),
        filters={"customer_id": [alert.customer_id]},
        n=1,
        data={"message": message_row(message, args.language, context), "new": new},
        evidence=feedback_evidence([alert], context)[:20],
        caveats=_caveats(message, args.language, context),
    )


def _caveats(message: Message, language: Language, context: ToolContext) -> list[str]:
    waits = message.status is MessageStatus.PENDING_APPROVAL
    if not waits and message.status is not MessageStatus.PREPARED:
        return [caveat("message_stands", language)]
    goes = "message_goes" if context.reaches_customers else "no_customer_channel"
    return [*([caveat("message_awaits", language)] if waits else []), caveat(goes, language)]
