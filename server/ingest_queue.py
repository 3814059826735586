"""Items from requests to facts: requests that arrive together are written together, and each is answered.

DuckDB commits a row as slowly as a thousand, so one thread writes for all who wait. A request is answered
once its items are on the disk; what is answered survives any end of the process. The room is bounded: who
comes when it is full is told to come back.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Final

import structlog

from agent.wiring import App
from pipeline.rows import Draft
from pipeline.writing import FeedbackWriter
from server.api_logs import causes, places
from server.api_problems import Busy, Conflict, TooMany
from server.ingest_batches import IngestBatches
from server.ingest_promises import Outcomes, Promise, Promises, outcomes_of
from store.errors import StoreError, VoiceLoopError

_LOG = structlog.get_logger()
ROOM: Final = 20_000
_AT_ONCE: Final = 2_000
# Embedding waits for a quiet moment: it needs the same cores. But not for longer than this.
QUIET_S: Final = 3.0
_LATEST_S: Final = 300.0
_NEWEST: Final = 0.2
_FIRST_GUESS: Final = 1_000.0


@dataclass
class _Waiting:
    """The items of one request: drafts, and why others are rejected. `outcomes`: once they are settled."""

    items: Sequence[Draft | str]
    promise: Promise | None
    outcomes: Outcomes | None = None
    answer: Future[Outcomes] = field(default_factory=Future)

    def drafts(self) -> list[Draft]:
        """What is to be stored: what was rejected once stays so."""
        told = self.outcomes or ("stored",) * len(self.items)
        return [
            item
            for item, outcome in zip(self.items, told, strict=True)
            if isinstance(item, Draft) and outcome != "rejected"
        ]


class IngestQueue:
    """The one writer of items.

    `index` is called when stored texts are to be embedded: once nothing came for `quiet_s` seconds, or after
    five minutes. What a process that ends leaves to be embedded, the next one has embedded.
    """

    def __init__(
        self, app: App, index: Callable[[], None], *, room: int = ROOM, quiet_s: float = QUIET_S
    ) -> None:
        self._app = app
        self._index = index
        self._room = room
        self._quiet_s = quiet_s
        self._changed = threading.Condition()
        self._waiting: deque[_Waiting] = deque()
        self._items = 0
        self._closing = False
        self._per_s = _FIRST_GUESS
        self._unindexed_since: float | None = None
        self._written_at = 0.0
        self._writer: FeedbackWriter | None = None
        self._renewed = threading.Event()
        self._promises = Promises(app.replies, app.clock)
        self._batches = IngestBatches(app.operations, app.clock)
        if self._batches.recover():
            self._unindexed_since = time.monotonic()
        self._thread = threading.Thread(target=self._run, name="ingest", daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> int:
        """Items that wait for the disk."""
        return self._items

    @property
    def lag_s(self) -> float:
        """For how long stored texts have waited to be embedded."""
        since = self._unindexed_since
        return 0.0 if since is None else time.monotonic() - since

    def put(self, items: Sequence[Draft | str], promise: Promise | None = None) -> "Future[Outcomes]":
        """Queue the items of a request; what became of each, once that is on the disk.

        Under a `promise` the same request gets the same outcomes, and another one Conflict. Raises TooMany
        where the queue has no room for the items now, Busy where the server ends.
        """
        waiting = _Waiting(items, promise)
        with self._changed:
            if self._closing:
                raise Busy("the server is ending", hint="send it again to the next one")
            if self._items and self._items + len(items) > self._room:
                raise TooMany(
                    f"{self._items:,} items wait to be stored: there is no room for {len(items):,} more now",
                    retry_after_s=max(1.0, self._items / self._per_s),
                    hint="nothing of this request was stored: send it again after that time",
                )
            self._waiting.append(waiting)
            self._items += len(items)
            self._changed.notify_all()
        return waiting.answer

    def renew(self) -> None:
        """Label by new topics and words from the next items on."""
        self._renewed.set()

    def close(self, timeout_s: float = 30.0) -> None:
        """Write what waits, then end."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._thread.join(timeout_s)

    def _run(self) -> None:
        while (group := self._next_group()) is not None:
            if group:
                self._serve(group)
            self._index_if_quiet()
        self._batches.close()

    def _next_group(self) -> list[_Waiting] | None:
        """Those that are written together; empty after a while without any, None at the end."""
        with self._changed:
            if not self._waiting and not self._closing:
                self._changed.wait(1.0)
            group: list[_Waiting] = []
            size, promised = 0, set[tuple[str, str]]()
            while self._waiting and (not group or size + len(self._waiting[0].items) <= _AT_ONCE):
                if (promise := self._waiting[0].promise) is not None:
                    if promise.name in promised:
                        # The next group finds what this one promises.
                        break
                    promised.add(promise.name)
                group.append(self._waiting.popleft())
                size += len(group[-1].items)
            return None if self._closing and not group else group

    def _serve(self, group: Sequence[_Waiting]) -> None:
        """Write a group; where that breaks for another reason than the store, each request by itself."""
        started, count = time.monotonic(), sum(len(one.items) for one in group)
        try:
            self._write(group)
        except StoreError as error:
            self._fail(group, error)
        except Exception as error:  # noqa: BLE001 - the edge: told and logged, the writer goes on
            self._writer = None
            if len(group) > 1:
                for one in group:
                    one.outcomes = None
                    self._serve([one])
                return
            self._fail(group, error)
        else:
            per_s = count / max(time.monotonic() - started, 1e-3)
            self._per_s += _NEWEST * (per_s - self._per_s)
        with self._changed:
            self._items -= count

    def _write(self, group: Sequence[_Waiting]) -> None:
        """Store what is new, then answer. What is promised is promised before it is stored.

        After a kill between the two the same request finds its promise, and completes what is missing.
        """
        self._recall(group)
        served = [one for one in group if not one.answer.done()]
        drafts = [draft for one in served for draft in one.drafts()]
        if self._writer is None or self._renewed.is_set():
            self._renewed.clear()
            self._writer = self._app.feedback_writer()
        if any(one.promise and one.outcomes is None for one in served):
            _settle(served, {draft.fields["feedback_id"] for draft in self._writer.fresh(drafts)})
            self._promises.keep({one.promise: one.outcomes for one in served if one.promise and one.outcomes})
        new: frozenset[str] = frozenset()
        if drafts:
            written = self._writer.write(drafts, self._batches.current().batch_id)
            self._batches.count(read=len(drafts), stored=written.stored)
            new, self._written_at = written.new, time.monotonic()
            if new and self._unindexed_since is None:
                self._unindexed_since = self._written_at
        _settle(served, set(new))
        for one in served:
            assert one.outcomes is not None
            one.answer.set_result(one.outcomes)

    def _recall(self, group: Sequence[_Waiting]) -> None:
        """Outcomes that were promised before; whose key is another request's is answered so."""
        if not (promises := [one.promise for one in group if one.promise]):
            return
        recalled = self._promises.recall(promises)
        for one in group:
            kept = recalled.get(one.promise) if one.promise else None
            if isinstance(kept, Conflict):
                one.answer.set_exception(kept)
            else:
                one.outcomes = kept

    def _fail(self, group: Sequence[_Waiting], error: Exception) -> None:
        """What the writer remembers of texts that were not stored is forgotten with it."""
        self._writer = None
        if not isinstance(error, VoiceLoopError):
            _LOG.error("ingest_broke", error=causes(error), at=places(error.__traceback__))
            error = VoiceLoopError("the items could not be stored")
        for one in group:
            if not one.answer.done():
                one.answer.set_exception(error)

    def _index_if_quiet(self) -> None:
        if self._unindexed_since is None or self._closing:
            return
        quiet = time.monotonic() - self._written_at >= self._quiet_s and not self._waiting
        if quiet or self.lag_s >= _LATEST_S:
            self._unindexed_since = None
            try:
                self._batches.close()
                self._index()
            except VoiceLoopError as error:
                # Batches that are not indexed are found by the next run.
                _LOG.warning("indexing_not_begun", reason=error.kind)


def _settle(served: Sequence[_Waiting], new: set[str]) -> None:
    """Say what becomes of those that nothing is promised to, where `new` are the ids not known before."""
    for one in served:
        if one.outcomes is None:
            one.outcomes = outcomes_of(one.items, new)
