"""What people write in Slack or Feishu: each event once, taken up again where a process ended midway."""

from collections.abc import Mapping, Sequence
from typing import Literal, Protocol

from pydantic import AwareDatetime

from store.keys import Role
from store.record import Record
from store.units import Scope

Source = Literal["slack", "feishu"]
IncomingState = Literal["waiting", "done", "failed"]


class Incoming(Record):
    """One event from outside. `event_id` is the sender's: a repetition has the same.

    `payload` is what is needed to deal with it, and is emptied once that is done. `turns_before` is how many
    turns its conversation had when it was asked, `reply` where its answer is being written.
    """

    source: Source
    event_id: str
    kind: str
    payload: Mapping[str, str]
    received_at: AwareDatetime
    state: IncomingState = "waiting"
    turns_before: int | None = None
    reply: Mapping[str, str] = {}
    attempts: int = 0


class ThreadLink(Record):
    """One person's part in a thread out there, and the conversation with the agent that stands for it."""

    source: Source
    room: str
    thread: str
    user: str
    role: Role
    scope: Scope
    thread_id: str
    linked_at: AwareDatetime


class Inbox(Protocol):
    """Events and threads. Every write is one durable transaction."""

    def take(self, incoming: Incoming) -> bool:
        """Keep an event; False, and nothing changed, where it was kept before. Forgets what is long done."""
        ...

    def begin(self, source: Source, event_id: str) -> int:
        """Count one more attempt at an event; how many that makes."""
        ...

    def note(
        self,
        source: Source,
        event_id: str,
        *,
        turns_before: int | None = None,
        reply: Mapping[str, str] | None = None,
    ) -> None:
        """Remember how far an event has come; what is None stays."""
        ...

    def settle(self, source: Source, event_id: str, state: IncomingState) -> None:
        """The event is dealt with: its payload is forgotten, its id is not."""
        ...

    def waiting(self, source: Source) -> Sequence[Incoming]:
        """What is not dealt with yet, oldest first."""
        ...

    def link(self, link: ThreadLink) -> None:
        """Remember a person's conversation in a thread; the same again changes nothing."""
        ...

    def links(self, source: Source, room: str, thread: str) -> Sequence[ThreadLink]:
        """Who talks with the agent in a thread, the first one first."""
        ...

    def close(self) -> None:
        """Release connections."""
        ...
