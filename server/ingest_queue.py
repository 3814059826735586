"""Items from requests to facts: requests that arrive together are written together, and each is answered.

DuckDB commits a row as slowly as a thousand, so one thread writes for all who wait. A request is answered
once its items are on the disk; what is answered survives any end of the process. The room is bounded: who
comes when it is full is told to come back.
"""

import secrets
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
from server.api_problems import Busy, TooMany
from store.errors import VoiceLoopError
from store.records import Batch

_LOG = structlog.get_logger()
ROOM: Final = 20_000
_AT_ONCE: Final = 2_000
# After so many items the writer's memory of near duplicates is begun anew: it would grow without end.
_REMEMBERED: Final = 50_000
# Embedding waits for a quiet moment: it needs the same cores. But not for longer than this.
_QUIET_S: Final = 3.0
_LATEST_S: Final = 300.0
_NEWEST: Final = 0.2
_FIRST_GUESS: Final = 1_000.0


@dataclass
class _Waiting:
    drafts: Sequence[Draft]
    new: Future[frozenset[str]] = field(default_factory=Future)


class IngestQueue:
    """The one writer of items. `index` is called when stored texts are to be embedded."""

    def __init__(self, app: App, index: Callable[[], None], *, room: int = ROOM) -> None:
        self._app = app
        self._index = index
        self._room = room
        self._changed = threading.Condition()
        self._waiting: deque[_Waiting] = deque()
        self._items = 0
        self._closing = False
        self._per_s = _FIRST_GUESS
        self._unindexed_since: float | None = None
        self._written_at = 0.0
        self._writer: FeedbackWriter | None = None
        self._remembered = 0
        self._batch: Batch | None = None
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

    def put(self, drafts: Sequence[Draft]) -> "Future[frozenset[str]]":
        """Queue the drafts of a request; the ids that were new once they are stored.

        Raises TooMany where the queue has no room for them now, Busy where the server ends.
        """
        waiting = _Waiting(drafts)
        if not drafts:
            waiting.new.set_result(frozenset())
            return waiting.new
        with self._changed:
            if self._closing:
                raise Busy("the server is ending", hint="send it again to the next one")
            if self._items and self._items + len(drafts) > self._room:
                raise TooMany(
                    f"{self._items:,} items wait to be stored: there is no room for {len(drafts):,} more now",
                    retry_after_s=max(1.0, self._items / self._per_s),
                    hint="nothing of this request was stored: send it again after that time",
                )
            self._waiting.append(waiting)
            self._items += len(drafts)
            self._changed.notify_all()
        return waiting.new

    def renew(self) -> None:
        """Label by new topics and words from the next items on."""
        self._writer = None

    def close(self, timeout_s: float = 30.0) -> None:
        """Write what waits, then end."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._thread.join(timeout_s)

    def _run(self) -> None:
        while (group := self._next_group()) is not None:
            if group:
                self._write(group)
            self._index_if_quiet()

    def _next_group(self) -> list[_Waiting] | None:
        """Those that are written together; empty after a while without any, None at the end."""
        with self._changed:
            if not self._waiting and not self._closing:
                self._changed.wait(1.0)
            group: list[_Waiting] = []
            size = 0
            while self._waiting and (not group or size + len(self._waiting[0].drafts) <= _AT_ONCE):
                group.append(self._waiting.popleft())
                size += len(group[-1].drafts)
            return None if self._closing and not group else group

    def _write(self, group: Sequence[_Waiting]) -> None:
        started, drafts = time.monotonic(), [draft for one in group for draft in one.drafts]
        try:
            batch = self._opened_batch()
            written = self._fresh_writer(len(drafts)).write(drafts, batch.batch_id)
            self._count(batch, len(drafts), written.stored)
        except VoiceLoopError as error:
            self._fail(group, error)
        except Exception as error:  # noqa: BLE001 - the edge: logged once, the writer goes on
            _LOG.error("ingest_broke", error=causes(error), at=places(error.__traceback__))
            self._fail(group, VoiceLoopError("the items could not be stored"))
        else:
            self._answer(group, written.new)
            per_s = len(drafts) / max(time.monotonic() - started, 1e-3)
            self._per_s += _NEWEST * (per_s - self._per_s)
            self._written_at = time.monotonic()
            if written.new and self._unindexed_since is None:
                self._unindexed_since = self._written_at
        finally:
            with self._changed:
                self._items -= len(drafts)

    def _answer(self, group: Sequence[_Waiting], new: frozenset[str]) -> None:
        left = set(new)
        for one in group:
            # Of two requests with the same item the first has stored it.
            own = left & {draft.fields["feedback_id"] for draft in one.drafts}
            left -= own
            one.new.set_result(frozenset(own))

    def _fail(self, group: Sequence[_Waiting], error: VoiceLoopError) -> None:
        self._writer = None
        for one in group:
            one.new.set_exception(error)

    def _fresh_writer(self, items: int) -> FeedbackWriter:
        writer = self._writer
        if writer is None or self._remembered > _REMEMBERED:
            writer, self._remembered = self._app.feedback_writer(), 0
            self._writer = writer
        self._remembered += items
        return writer

    def _opened_batch(self) -> Batch:
        """The batch of this minute, kept before its first item is."""
        now = self._app.clock.now()
        if self._batch is None or f"{now:%Y%m%dT%H%M}" not in self._batch.batch_id:
            self._batch = Batch(
                batch_id=f"api-{now:%Y%m%dT%H%M}-{secrets.token_hex(3)}",
                source="api",
                path="",
                kind="feedback",
                stage="received",
                started_at=now,
            )
            self._app.operations.save_batch(self._batch)
        return self._batch

    def _count(self, batch: Batch, read: int, stored: int) -> None:
        """Whatever indexed the batch meanwhile: with new items it is to be indexed again."""
        self._batch = batch.model_copy(
            update={
                "stage": "stored",
                "read": batch.read + read,
                "stored": batch.stored + stored,
                "duplicates": batch.duplicates + read - stored,
            }
        )
        self._app.operations.save_batch(self._batch)

    def _index_if_quiet(self) -> None:
        if self._unindexed_since is None:
            return
        quiet = time.monotonic() - self._written_at >= _QUIET_S and not self._waiting
        if quiet or self.lag_s >= _LATEST_S or self._closing:
            self._unindexed_since, self._batch = None, None
            try:
                self._index()
            except VoiceLoopError as error:
                # Batches that are not indexed are found by the next run.
                _LOG.warning("indexing_not_begun", reason=error.kind)
