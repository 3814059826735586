"""What VoiceLoop posts to Slack: answers with their drafts, alerts with their buttons, forms."""

import json
from collections.abc import Sequence
from datetime import tzinfo
from typing import Any, Final

from agent.approvals import Draft
from retention.alert_telling import Telling
from server.inbox_deeds import next_states
from server.inbox_words import Language, word
from server.slack_blocks import Block, context, escaped, messages_of, section
from store.records import Task

APPROVE: Final = "draft_approve"
REJECT: Final = "draft_reject"
ACCURATE: Final = "alert_accurate"
FALSE_ALARM: Final = "alert_false_alarm"
EDIT_TASK: Final = "task_edit"
REASON_FORM: Final = "alert_reason"
TASK_FORM: Final = "task_form"
# The fields of the forms.
REASON, OWNER, DUE, STATE, COMMENT = "reason", "owner", "due_at", "state", "comment"

# An answer has room for so many drafts; the others are decided elsewhere.
_DRAFTS: Final = 8
_TITLE: Final = 24
_SUMMARY: Final = 1_500
_COMMENT: Final = 2_000
_REASON: Final = 500


def answer_messages(
    text: str, drafts: Sequence[Draft], language: Language, zone: tzinfo
) -> list[list[Block]]:
    """An answer as messages; drafts come after it, in a message of their own where it is long."""
    messages = messages_of(text)
    waiting = [one for draft in drafts[:_DRAFTS] for one in draft_blocks(draft, language, zone)]
    if len(drafts) > _DRAFTS:
        waiting.append(context(word("more_drafts", language, count=len(drafts) - _DRAFTS)))
    if waiting and (len(messages[-1]) + len(waiting) > 50 or len(messages) > 1):
        return [*messages, waiting]
    return [*messages[:-1], [*messages[-1], *waiting]]


def draft_blocks(draft: Draft, language: Language, zone: tzinfo) -> list[Block]:
    """A draft with what decides about it."""
    from datetime import datetime

    summary = escaped(draft.summary)[:_SUMMARY]
    lines = [word(f"draft_{draft.kind}", language, summary=summary)]
    if draft.owner:
        lines.append(word("draft_owner", language, owner=escaped(draft.owner)))
    if draft.due_at:
        due = datetime.fromisoformat(draft.due_at).astimezone(zone)
        lines.append(word("draft_due", language, due=f"{due:%Y-%m-%d %H:%M}"))
    value = json.dumps({"kind": draft.kind, "id": draft.id, "digest": draft.digest, "language": language})
    buttons = [
        _button(word("approve", language), APPROVE, value, "primary"),
        _button(word("reject", language), REJECT, value, "danger"),
    ]
    return [section("\n".join(lines)), {"type": "actions", "block_id": _place(draft.id), "elements": buttons}]


def decided(blocks: Sequence[Block], draft_id: str, words: str) -> list[Block]:
    """The blocks of a message with the buttons of a draft replaced by how it was decided."""
    told = context(words)
    return [told if block.get("block_id") == _place(draft_id) else block for block in blocks]


def draft_of(value: str) -> tuple[Draft, Language]:
    """What a button stands for."""
    said = json.loads(value)
    draft = Draft(kind=said["kind"], id=said["id"], digest=said["digest"], summary="")
    return draft, "en" if said["language"] == "en" else "zh"


def alert_blocks(
    told: Telling, alert_id: str, task: Task | None, language: Language, outcome: str = ""
) -> list[Block]:
    """An alert with its context and its buttons; `outcome` stands in place of those that judge it."""
    value = json.dumps({"alert": alert_id, "language": language})
    about = [line for line in (told.causes, told.topics, told.score, *told.parts) if line]
    blocks: list[Block] = [
        {"type": "header", "text": {"type": "plain_text", "text": told.title[:150], "emoji": False}},
        section("\n".join(escaped(line) for line in about)),
    ]
    if told.quotes:
        blocks.append(section("\n".join(f"> {escaped(quote)}" for quote in told.quotes)))
    if told.advice:
        blocks.append(section(escaped(told.advice)))
    blocks.append(context(escaped(f"{told.owner} · {told.reference}")))
    if outcome:
        blocks.append(context(escaped(outcome)))
    buttons = [
        _button(word("accurate", language), ACCURATE, value, "primary"),
        _button(word("false_alarm", language), FALSE_ALARM, value, "danger"),
    ]
    edit = [_button(word("edit_task", language), EDIT_TASK, value)] if task else []
    elements = [*([] if outcome else buttons), *edit]
    if elements:
        blocks.append({"type": "actions", "elements": elements})
    return blocks


def reason_form(alert_id: str, room: str, ts: str, language: Language) -> dict[str, Any]:
    """The form that asks why an alert is wrong."""
    box = {"type": "plain_text_input", "action_id": REASON, "multiline": True, "max_length": _REASON}
    return _form(
        REASON_FORM,
        word("reason_title", language),
        word("send", language),
        {"alert": alert_id, "room": room, "ts": ts, "language": language},
        [_input(REASON, word("reason_label", language), box, hint=word("reason_hint", language))],
        language,
    )


def task_form(task: Task, room: str, ts: str, language: Language) -> dict[str, Any]:
    """The form that changes a task, filled in with what it is now."""
    states = [_choice(word(f"status_{state}", language), state) for state in next_states(task)]
    due: dict[str, Any] = {"type": "datetimepicker", "action_id": DUE}
    if task.due_at:
        due["initial_date_time"] = int(task.due_at.timestamp())
    fields = [
        _input(
            OWNER,
            word("task_owner", language),
            {"type": "plain_text_input", "action_id": OWNER, "initial_value": task.owner, "max_length": 100},
        ),
        _input(DUE, word("task_due", language), due, optional=True),
        _input(
            STATE,
            word("task_state", language),
            {"type": "static_select", "action_id": STATE, "options": states, "initial_option": states[0]},
        ),
        _input(
            COMMENT,
            word("task_comment", language),
            {"type": "plain_text_input", "action_id": COMMENT, "multiline": True, "max_length": _COMMENT},
            optional=True,
        ),
    ]
    about = {
        "task": task.task_id,
        "alert": task.alert_id or "",
        "room": room,
        "ts": ts,
        "language": language,
        "owner": task.owner,
        "due_at": str(int(task.due_at.timestamp())) if task.due_at else "",
        "state": task.status.value,
    }
    return _form(TASK_FORM, word("task_title", language), word("save", language), about, fields, language)


def _form(
    name: str, title: str, send: str, about: dict[str, str], fields: list[Block], language: Language
) -> dict[str, Any]:
    return {
        "type": "modal",
        "callback_id": name,
        "private_metadata": json.dumps(about),
        "title": _words(title[:_TITLE]),
        "submit": _words(send),
        "close": _words(word("cancel", language)),
        "blocks": fields,
    }


def _input(name: str, label: str, element: Block, *, optional: bool = False, hint: str = "") -> Block:
    block: Block = {
        "type": "input",
        "block_id": name,
        "label": _words(label),
        "element": element,
        "optional": optional,
    }
    return {**block, "hint": _words(hint)} if hint else block


def _choice(label: str, value: str) -> Block:
    return {"text": _words(label), "value": value}


def _button(label: str, action: str, value: str, style: str = "") -> Block:
    button: Block = {"type": "button", "action_id": action, "text": _words(label), "value": value}
    return {**button, "style": style} if style else button


def _words(text: str) -> Block:
    return {"type": "plain_text", "text": text, "emoji": False}


def _place(draft_id: str) -> str:
    return f"draft-{draft_id}"[:255]
