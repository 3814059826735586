"""Brings answers to Slack: a message that says what is being done and becomes the answer."""

from collections.abc import Sequence
from datetime import tzinfo
from typing import TYPE_CHECKING, Any, Final

from starlette.concurrency import run_in_threadpool

from agent.ask_events import Answer
from agent.wiring import App
from server.inbox_questions import Question, Reply
from server.inbox_words import word
from server.slack_blocks import Block, context, escaped, plain
from server.slack_messages import answer_messages
from server.slack_people import SlackPeople
from store.inbox import Incoming, Source
from tools.context import Asker

if TYPE_CHECKING:
    from slack_sdk.web.async_client import AsyncWebClient

ASSISTANT: Final = "assistant"
COMMAND: Final = "command"
_PICTURES: Final = 2
_DIRECT: Final = "direct"


class SlackPostman:
    """A Postman for Slack. `place` of a reply is the message that becomes the answer.

    In an assistant's thread Slack shows a status of its own until the answer is posted; a command is answered
    to whoever gave it alone.
    """

    source: Source = "slack"

    def __init__(self, app: App, client: "AsyncWebClient", people: SlackPeople) -> None:
        self._app = app
        self._client = client
        self._people = people

    async def asker(self, user: str) -> Asker | None:
        """On whose behalf they ask."""
        return await self._people.asker(user)

    async def say(self, question: Question, words: str) -> None:
        """Tell the asker alone."""
        if question.address:
            await self._respond(question.address, words, [])
        elif question.direct:
            await self._client.chat_postMessage(
                channel=question.room, thread_ts=question.thread or None, text=words
            )
        else:
            await self._client.chat_postEphemeral(
                channel=question.room, user=question.user, thread_ts=question.thread or None, text=words
            )

    async def open(self, question: Question, asker: Asker) -> Reply:
        """Say that the answer is on its way; by direct message where not everybody here may read it."""
        words = word("working", question.language)
        if question.style == COMMAND:
            return Reply(question.room, question.thread)
        if question.style == ASSISTANT and await self._status(question.room, question.thread, words):
            return Reply(question.room, question.thread)
        if not question.direct and not self._people.people.may_read_along(question.room, asker):
            return await self._open_aside(question)
        posted = await self._client.chat_postMessage(
            channel=question.room, thread_ts=question.thread or None, text=words
        )
        return Reply(question.room, question.thread or _DIRECT, str(posted["ts"]))

    async def doing(self, reply: Reply, question: Question, words: str) -> None:
        """Say what is being done, where that leaves nothing behind."""
        if reply.place:
            await self._client.chat_update(channel=reply.room, ts=reply.place, text=words)
        elif question.style == ASSISTANT:
            await self._status(reply.room, reply.thread, words)

    async def tell(self, reply: Reply, question: Question, words: str) -> None:
        """Say why there is no answer, where it would have been."""
        await self._give(reply, question, escaped(words), (), first=True)

    async def close(self, reply: Reply, question: Question, answer: Answer, incoming: Incoming) -> None:
        """Give the answer; what of it is there already, from an attempt before, is not given again."""
        zone = self._app.settings.zone
        [text] = await run_in_threadpool(self._app.mask, [answer.answer])
        messages = _messages(text, answer, zone)
        shown = escaped(plain(text))
        for at, blocks in enumerate(messages):
            if at < int(reply.said):
                continue
            await self._give(reply, question, shown if at == 0 else "…", blocks, first=at == 0)
            reply = reply._replace(said=str(at + 1))
            await run_in_threadpool(
                self._app.inbox.note, incoming.source, incoming.event_id, reply=reply.noted()
            )
        if question.style != COMMAND and int(reply.said) == len(messages):
            await self._show_charts(reply, question, answer)
            reply = reply._replace(said=str(len(messages) + 1))
            await run_in_threadpool(
                self._app.inbox.note, incoming.source, incoming.event_id, reply=reply.noted()
            )

    async def _give(
        self, reply: Reply, question: Question, text: str, blocks: Sequence[Block], *, first: bool
    ) -> None:
        if question.style == COMMAND:
            await self._respond(question.address, text, blocks)
        elif first and reply.place:
            await self._client.chat_update(
                channel=reply.room, ts=reply.place, text=text, blocks=list(blocks) or None
            )
        else:
            await self._client.chat_postMessage(
                channel=reply.room,
                thread_ts=_thread(reply),
                text=text,
                blocks=list(blocks) or None,
                unfurl_links=False,
            )

    async def _open_aside(self, question: Question) -> Reply:
        """A thread in the direct messages with the asker, who is told so where they asked."""
        language = question.language
        opened = await self._client.conversations_open(users=question.user)
        room = str(opened["channel"]["id"])
        asked = word("asked_in", language, room=f"<#{question.room}>", question=escaped(question.text[:500]))
        root = await self._client.chat_postMessage(channel=room, text=asked, blocks=[context(asked)])
        thread = str(root["ts"])
        posted = await self._client.chat_postMessage(
            channel=room, thread_ts=thread, text=word("working", language)
        )
        await self._client.chat_postEphemeral(
            channel=question.room,
            user=question.user,
            thread_ts=question.thread or None,
            text=word("others_read", language),
        )
        return Reply(room, thread, str(posted["ts"]))

    async def _show_charts(self, reply: Reply, question: Question, answer: Answer) -> None:
        from agent.chart_pictures import picture

        charts = [call.result.get("chart") for call in answer.tool_calls]
        for chart in [one for one in charts if one][-_PICTURES:]:
            drawn = await run_in_threadpool(picture, chart)
            if drawn is None:
                continue
            await self._client.files_upload_v2(
                channel=reply.room,
                thread_ts=_thread(reply) or (reply.place if not question.direct else None),
                filename="chart.png",
                content=drawn,
                title=_title(chart),
                alt_txt=_title(chart),
            )

    async def _status(self, room: str, thread: str, words: str) -> bool:
        """Set the status of an assistant's thread; False where the thread is none."""
        from slack_sdk.errors import SlackApiError

        try:
            await self._client.assistant_threads_setStatus(channel_id=room, thread_ts=thread, status=words)
        except SlackApiError:
            return False
        return True

    async def _respond(self, address: str, text: str, blocks: Sequence[Block]) -> None:
        """Answer a command: only whoever gave it sees that."""
        from slack_sdk.webhook.async_client import AsyncWebhookClient

        sent = await AsyncWebhookClient(address).send(
            text=text, blocks=list(blocks) or None, response_type="ephemeral", replace_original=False
        )
        if sent.status_code != 200:
            raise ConnectionError(f"Slack answered {sent.status_code} to a command's address")


def _messages(text: str, answer: Answer, zone: tzinfo) -> list[list[Block]]:
    return answer_messages(text, answer.pending_approvals, answer.language, zone)


def _thread(reply: Reply) -> str | None:
    """The thread to post in; none in direct messages without threads."""
    return None if reply.thread == _DIRECT else reply.thread


def _title(chart: dict[str, Any]) -> str:
    title = chart.get("title")
    return str(title.get("text", "")) if isinstance(title, dict) and title.get("text") else "VoiceLoop"
