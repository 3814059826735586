"""Brings answers to Feishu as cards: one that says what is being done and becomes the answer."""

import hashlib
import json
from collections.abc import Sequence
from datetime import datetime, tzinfo
from typing import Any, Final

from starlette.concurrency import run_in_threadpool

from agent.approvals import Draft
from agent.ask_events import Answer
from agent.wiring import App
from server.feishu_client import FeishuClient
from server.inbox_people import People, asker_of
from server.inbox_questions import Question, Reply
from server.inbox_words import Language, word
from server.slack_blocks import pieces
from store.inbox import Incoming, Source
from tools.context import Asker

# A card holds 30 KB; a Chinese character takes three bytes, and six once it is escaped.
_PIECE: Final = 4_000
_DRAFTS: Final = 8
_DIRECT: Final = "direct"


class FeishuPostman:
    """A Postman for Feishu. `address` of a question is the id of its message, which is replied to."""

    source: Source = "feishu"

    def __init__(self, app: App, client: FeishuClient, people: People) -> None:
        self._app = app
        self._client = client
        self.people = people

    async def asker(self, user: str) -> Asker | None:
        """On whose behalf they ask."""
        person = self.people.users.get(user) or self.people.others
        return asker_of(person, "feishu", user) if person else None

    async def say(self, question: Question, words: str) -> None:
        """Tell the asker alone: by direct message, for Feishu shows a reply in a group to all of it."""
        await self._client.send(question.user, "interactive", card([words]), _once(question.address, "say"))

    async def open(self, question: Question, asker: Asker) -> Reply:
        """Say that the answer is on its way; by direct message where not everybody here may read it."""
        words, once = word("working", question.language), _once(question.address, "open")
        if question.direct or self.people.may_read_along(question.room, asker):
            place = await self._client.reply(question.address, "interactive", card([words]), once)
            return Reply(question.room, question.thread or _DIRECT, place)
        await self._client.reply(
            question.address,
            "interactive",
            card([word("others_read", question.language)]),
            f"{once[:40]}-aside",
        )
        place = await self._client.send(question.user, "interactive", card([words]), once)
        return Reply(question.user, place, place)

    async def doing(self, reply: Reply, question: Question, words: str) -> None:
        """Say what is being done."""
        await self._client.update(reply.place, card([words]))

    async def tell(self, reply: Reply, question: Question, words: str) -> None:
        """Say why there is no answer."""
        await self._client.update(reply.place, card([words]))

    async def close(self, reply: Reply, question: Question, answer: Answer, incoming: Incoming) -> None:
        """Give the answer; further parts are replies with ids of their own, so that none is posted twice."""
        [text] = await run_in_threadpool(self._app.mask, [answer.answer])
        parts = list(pieces(text, _PIECE)) or [""]
        drafts = answer.pending_approvals
        zone = self._app.settings.zone
        await self._client.update(
            reply.place, answer_card(parts[0], drafts if len(parts) == 1 else (), answer.language, zone)
        )
        for at, part in enumerate(parts[1:], start=1):
            shown = drafts if at == len(parts) - 1 else ()
            content = answer_card(part, shown, answer.language, zone)
            await self._client.reply(reply.place, "interactive", content, _once(reply.place, str(at)))


def card(texts: Sequence[str], buttons: Sequence[dict[str, Any]] = ()) -> dict[str, Any]:
    """A card of Markdown, with buttons below; one that may be put in the place of another."""
    elements: list[dict[str, Any]] = [{"tag": "markdown", "content": text} for text in texts]
    if buttons:
        elements.append({"tag": "action", "actions": list(buttons)})
    return {"config": {"wide_screen_mode": True, "update_multi": True}, "elements": elements}


def answer_card(text: str, drafts: Sequence[Draft], language: Language, zone: tzinfo) -> dict[str, Any]:
    """An answer, and below it each draft with what decides about it."""
    shown = card([safe(text)])
    for draft in drafts[:_DRAFTS]:
        lines = [word(f"draft_{draft.kind}", language, summary=safe(draft.summary)).replace("*", "**")]
        if draft.owner:
            lines.append(word("draft_owner", language, owner=safe(draft.owner)))
        if draft.due_at:
            due = datetime.fromisoformat(draft.due_at).astimezone(zone)
            lines.append(word("draft_due", language, due=f"{due:%Y-%m-%d %H:%M}"))
        about = {"kind": draft.kind, "id": draft.id, "digest": draft.digest, "language": language}
        buttons = [
            _button(word("approve", language), "primary", {**about, "decision": "approve"}),
            _button(word("reject", language), "danger", {**about, "decision": "reject"}),
        ]
        shown["elements"] += card(["\n".join(lines)], buttons)["elements"]
    if len(drafts) > _DRAFTS:
        shown["elements"] += card([word("more_drafts", language, count=len(drafts) - _DRAFTS)])["elements"]
    return shown


def safe(text: str) -> str:
    """Text in which nothing mentions anybody: Feishu reads <at id=all></at> in Markdown."""
    return text.replace("<", "&#60;")


def said(content: str, mentions: Sequence[dict[str, Any]]) -> str:
    """The words of a text message without the places of mentions."""
    try:
        text = str(json.loads(content).get("text", ""))
    except (ValueError, AttributeError):
        return ""
    for mention in mentions:
        text = text.replace(str(mention.get("key", "")), "")
    return text.strip()


def _button(label: str, kind: str, value: dict[str, str]) -> dict[str, Any]:
    return {"tag": "button", "text": {"tag": "plain_text", "content": label}, "type": kind, "value": value}


def _once(*parts: str) -> str:
    """At most 50 characters that stand for this very message."""
    return hashlib.sha256(":".join(parts).encode()).hexdigest()[:40]
