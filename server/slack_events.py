"""What people write in Slack, as questions: mentions, direct messages, assistant threads, commands."""

import re
from collections.abc import Awaitable, Callable, Mapping
from html import unescape
from typing import TYPE_CHECKING, Any, Final

from starlette.concurrency import run_in_threadpool

from server.inbox_desk import Desk
from server.inbox_questions import Question
from server.inbox_words import Language, word
from server.slack_postman import ASSISTANT, COMMAND
from store.inbox import Inbox

if TYPE_CHECKING:
    from slack_bolt.async_app import AsyncApp
    from slack_sdk.web.async_client import AsyncWebClient

COMMAND_NAME: Final = "/voice"
EVENTS: Final = ("app_mention", "assistant_thread_started", "message")
_LINK: Final = re.compile(r"<(?:https?://|mailto:)[^|>]*\|([^>]*)>|<((?:https?://|mailto:)[^>]*)>")
_MENTION: Final = re.compile(r"<@([A-Z0-9]+)(?:\|[^>]*)?>")
# Of messages that a person wrote; all others tell of joins, edits, deletions, bots.
_WRITTEN: Final = (None, "file_share", "thread_broadcast")
_HELP: Final = ("", "help", "帮助")


class SlackEvents:
    """The listeners of messages. Each only takes the question: it is answered in the background."""

    def __init__(
        self,
        desk: Desk,
        inbox: Inbox,
        client: "AsyncWebClient",
        language: Language,
        known: Callable[[str], Awaitable[object]],
    ) -> None:
        """`known`: who a user is, None for a stranger. `language` greets."""
        self._desk = desk
        self._inbox = inbox
        self._client = client
        self._language = language
        self._known = known

    def listen(self, bolt: "AsyncApp") -> None:
        """Register all of them."""
        from slack_bolt.middleware.assistant.async_assistant import AsyncAssistant

        assistant = AsyncAssistant()
        assistant.thread_started(self.thread_started)
        assistant.user_message(self.assistant_message)
        bolt.use(assistant)
        bolt.event("app_mention")(self.mention)
        bolt.event("message")(self.message)
        bolt.command(COMMAND_NAME)(self.command)
        # Whatever else the manifest subscribes to one day is not an error.
        bolt.event(re.compile(".*"))(self.other)

    async def mention(self, event: dict[str, Any]) -> None:
        """Somebody mentions us in a channel."""
        await self._take(event, direct=False)

    async def message(self, event: dict[str, Any], context: dict[str, Any]) -> None:
        """A message in a channel that we are in, or a direct one; most are none of our business."""
        if event.get("subtype") not in _WRITTEN or event.get("bot_id") or not event.get("user"):
            return
        if event.get("channel_type") == "im":
            await self._take(event, direct=True)
            return
        mentioned = _MENTION.findall(event.get("text", ""))
        if context.get("bot_user_id") in mentioned:
            # It comes as a mention as well, where only that is subscribed to; whichever is first counts.
            await self._take(event, direct=False)
        elif event.get("thread_ts") and not mentioned and await self._is_ours(event):
            await self._take(event, direct=False)

    async def assistant_message(self, payload: dict[str, Any]) -> None:
        """A message in a thread with the assistant, or in any thread of direct messages."""
        await self._take(payload, direct=True, style=ASSISTANT)

    async def thread_started(self, payload: dict[str, Any]) -> None:
        """Somebody opens a thread with the assistant: say what can be asked."""
        thread = payload["assistant_thread"]
        room, ts, language = thread["channel_id"], thread["thread_ts"], self._language

        async def greet() -> None:
            await self._client.chat_postMessage(channel=room, thread_ts=ts, text=word("greeting", language))
            prompts = [word(f"prompt_{at}", language) for at in (1, 2, 3)]
            await self._client.assistant_threads_setSuggestedPrompts(
                channel_id=room,
                thread_ts=ts,
                title=word("prompts_title", language),
                prompts=[{"title": one, "message": one} for one in prompts],
            )

        self._desk.aside(greet())

    async def command(self, ack: Callable[..., Awaitable[Any]], command: Mapping[str, str]) -> Any:
        """`/voice question`: answered to whoever asks alone."""
        text = said(command.get("text", ""))
        if text.lower() in _HELP:
            return await ack(text=word("help", self._language), response_type="ephemeral")
        question = Question(
            user=command["user_id"],
            room=command["channel_id"],
            thread=f"command-{command['trigger_id']}",
            text=text,
            address=command["response_url"],
            style=COMMAND,
        )
        await self._desk.take(f"command:{command['trigger_id']}", "question", question.payload())
        return await ack(text=word("working", question.language), response_type="ephemeral")

    async def other(self, event: dict[str, Any]) -> None:
        """Nothing to do."""

    async def _take(self, event: Mapping[str, Any], *, direct: bool, style: str = "") -> None:
        text = said(event.get("text", ""))
        if not text or event.get("bot_id") or event.get("subtype") not in _WRITTEN:
            return
        ts = str(event["ts"])
        question = Question(
            user=event["user"],
            room=event["channel"],
            thread=str(event.get("thread_ts") or ("" if direct else ts)),
            text=text,
            direct=direct,
            style=style,
        )
        # By the message and not by the event: a mention is told twice, as such and as a message.
        await self._desk.take(f"message:{question.room}:{ts}", "question", question.payload())

    async def _is_ours(self, event: Mapping[str, Any]) -> bool:
        """Whether we have answered in that thread before, and know who goes on in it."""
        links = await run_in_threadpool(self._inbox.links, "slack", event["channel"], str(event["thread_ts"]))
        return bool(links) and await self._known(event["user"]) is not None


def said(text: str) -> str:
    """What somebody wrote, without mentions of anybody at its beginning and without Slack's markup."""
    bare = _LINK.sub(lambda link: link.group(1) or link.group(2), text)
    while found := _MENTION.match(bare.lstrip()):
        bare = bare.lstrip()[found.end() :]
    return unescape(bare).strip()
