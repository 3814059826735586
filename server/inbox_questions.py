"""Answers questions from outside, each in the conversation of its thread, within its asker's scope."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple, Protocol
from weakref import WeakValueDictionary

from starlette.concurrency import run_in_threadpool

from agent.ask import MAX_QUESTION_CHARACTERS, Turn
from agent.ask_events import Answer, StepStarted
from agent.language import language_of
from agent.thread_store import NoThread
from server.api_problems import Conflict
from server.api_state import ServerState
from server.inbox_desk import Later
from server.inbox_words import Language, tool_words, word
from store.errors import NotPermitted, ToolInputError
from store.inbox import Incoming, Source, ThreadLink
from tools.context import Asker

_AT_ONCE: Final = 8
_STEP_S: Final = 1.0
_FOLLOW_S: Final = 5.0


class Question(NamedTuple):
    """What somebody asked and where. `thread`: of the room, empty for a conversation without threads.

    `direct`: nobody reads along. `address`: where alone an answer can go, for a command.
    """

    user: str
    room: str
    thread: str
    text: str
    direct: bool = True
    address: str = ""
    style: str = ""

    @property
    def language(self) -> Language:
        """The one it is asked in."""
        return language_of(self.text)

    def payload(self) -> dict[str, str]:
        """What the inbox keeps of it."""
        return {**self._asdict(), "direct": "yes" if self.direct else ""}


def question_of(payload: Mapping[str, str]) -> Question:
    """A question as the inbox kept it."""
    return Question(**{**payload, "direct": bool(payload["direct"])})  # type: ignore[arg-type]


class Reply(NamedTuple):
    """Where an answer is written. `room` and `thread` name the conversation; `said` parts of it are there."""

    room: str
    thread: str
    place: str = ""
    said: str = "0"

    def noted(self) -> dict[str, str]:
        """What the inbox keeps of it."""
        return self._asdict()


class Postman(Protocol):
    """Brings answers to where questions come from."""

    source: Source

    async def asker(self, user: str) -> Asker | None:
        """On whose behalf they ask; None where nobody knows them."""
        ...

    async def say(self, question: Question, words: str) -> None:
        """Tell the asker something that is no answer, so that others need not read it."""
        ...

    async def open(self, question: Question, asker: Asker) -> Reply:
        """Say that the answer is on its way, there where it will be."""
        ...

    async def doing(self, reply: Reply, question: Question, words: str) -> None:
        """Say what is being done, where that leaves nothing behind."""
        ...

    async def tell(self, reply: Reply, question: Question, words: str) -> None:
        """Say why there is no answer, where it would have been."""
        ...

    async def close(self, reply: Reply, question: Question, answer: Answer, incoming: Incoming) -> None:
        """Give the answer; what of it is there already, from an attempt before, is not given again."""
        ...


class Questions:
    """The handler of questions of one source."""

    def __init__(self, state: ServerState, postman: Postman) -> None:
        self._state = state
        self._postman = postman
        # Those beyond wait here with their placeholder, and leave room for people on the web page.
        self._at_once = asyncio.Semaphore(_AT_ONCE)
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def handle(self, incoming: Incoming) -> None:
        """Answer one question, or go on with it where an earlier attempt ended."""
        question = question_of(incoming.payload)
        language = question.language
        asker = await self._postman.asker(question.user)
        if asker is None:
            await self._postman.say(question, word("unknown", language, user=question.user))
            return
        if len(question.text) > MAX_QUESTION_CHARACTERS:
            words = word("too_long", language, count=len(question.text), most=MAX_QUESTION_CHARACTERS)
            await self._postman.say(question, words)
            return
        reply = Reply(**incoming.reply) if incoming.reply else await self._open(incoming, question, asker)
        lock = self._locks.setdefault(f"{reply.room}/{reply.thread}", asyncio.Lock())
        async with lock, self._at_once:
            try:
                answer = await self._answer(incoming, question, reply, asker)
            except (ToolInputError, NotPermitted) as refused:
                if isinstance(refused, Conflict):
                    raise Later from refused
                await self._postman.tell(reply, question, _refusal(refused))
                return
            await self._postman.close(reply, question, answer, incoming)

    async def give_up(self, incoming: Incoming) -> None:
        """Say that there is no answer."""
        question = question_of(incoming.payload)
        words = word("failed", question.language)
        if incoming.reply:
            await self._postman.tell(Reply(**incoming.reply), question, words)
        else:
            await self._postman.say(question, words)

    async def _open(self, incoming: Incoming, question: Question, asker: Asker) -> Reply:
        reply = await self._postman.open(question, asker)
        inbox = self._state.app.inbox
        await run_in_threadpool(inbox.note, incoming.source, incoming.event_id, reply=reply.noted())
        return reply

    async def _answer(self, incoming: Incoming, question: Question, reply: Reply, asker: Asker) -> Answer:
        thread_id = thread_name(self._postman.source, reply)
        turns = await self._turns(thread_id, asker)
        inbox = self._state.app.inbox
        if incoming.turns_before is None:
            await run_in_threadpool(inbox.note, incoming.source, incoming.event_id, turns_before=len(turns))
        elif len(turns) > incoming.turns_before and turns[-1].question == question.text.strip():
            # Asked before the process ended; where the answer is there too, only the telling is left.
            last = await self._state.assistant.last(thread_id, asker)
            if last is not None:
                return last
        earlier = () if turns else await self._told_to_others(reply, asker)
        await self._link(reply, thread_id, asker)
        self._state.audit.add(asker.user, "chat.ask", thread_id, {"by": self._postman.source})
        return await self._followed(question, reply, thread_id, asker, earlier)

    async def _followed(
        self, question: Question, reply: Reply, thread_id: str, asker: Asker, earlier: Sequence[Turn]
    ) -> Answer:
        turn = self._state.turns.ask(
            question.text, thread_id=thread_id, asker=asker, streamed=True, earlier=earlier
        )
        told = time.monotonic()
        async for logged in turn.log.follow(0, pause_s=_FOLLOW_S, closing=self._state.closing):
            if logged is None or not isinstance(logged.event, StepStarted):
                continue
            if time.monotonic() - told >= _STEP_S:
                told = time.monotonic()
                doing = tool_words(logged.event.name, question.language)
                await self._postman.doing(reply, question, word("step", question.language, tool=doing))
        return await turn.answer()

    async def _turns(self, thread_id: str, asker: Asker) -> list[Turn]:
        try:
            return await self._state.assistant.turns(thread_id, asker)
        except NoThread:
            return []

    async def _told_to_others(self, reply: Reply, asker: Asker) -> list[Turn]:
        """What somebody with the very same scope asked in this thread before, to go on from."""
        for link in await self._links(reply):
            if link.user != asker.user and link.scope == asker.scope:
                return await self._turns(link.thread_id, Asker(link.user, link.role, link.scope))
        return []

    async def _link(self, reply: Reply, thread_id: str, asker: Asker) -> None:
        link = ThreadLink(
            source=self._postman.source,
            room=reply.room,
            thread=reply.thread,
            user=asker.user,
            role=asker.role,
            scope=asker.scope,
            thread_id=thread_id,
            linked_at=self._state.app.clock.now(),
        )
        await run_in_threadpool(self._state.app.inbox.link, link)

    async def _links(self, reply: Reply) -> Sequence[ThreadLink]:
        inbox = self._state.app.inbox
        return await run_in_threadpool(inbox.links, self._postman.source, reply.room, reply.thread)


def thread_name(source: Source, reply: Reply) -> str:
    """What the agent calls the conversation of a thread."""
    return f"{source}-{reply.room}-{reply.thread}"


def _refusal(refused: ToolInputError | NotPermitted) -> str:
    return f"{refused.message}\n{refused.hint}" if refused.hint else refused.message
