"""The audit log of requests: entries go to the hash chain in batches, off the request's path.

Only reads are batched: an action is audited by the store in the transaction of the action itself.
"""

import threading
from typing import TYPE_CHECKING, Final

import structlog

from server.audit_journal import AuditJournal
from store.clock import Clock
from store.errors import StoreError
from store.operations import OperationStore
from store.records import AuditEntry

if TYPE_CHECKING:
    from server.api_access import Caller
    from server.api_state import ServerState

_LOG = structlog.get_logger()
# So many entries may wait for the chain; beyond that a request waits too, for none may be dropped.
_WAITING: Final = 5_000
# Enough for a batch at once.
_BATCH: Final = 500
_PAUSE_S: Final = 0.2
_RETRY_S: Final = 1.0


class AuditTrail:
    """Takes entries from any thread and appends them in order, by one thread of its own.

    Entries are in the journal at once and in the chain after about 0.2 s. `close` writes what waits.
    """

    def __init__(self, operations: OperationStore, clock: Clock, journal: AuditJournal) -> None:
        self._operations = operations
        self._clock = clock
        self._journal = journal
        self._changed = threading.Condition()
        self._waiting: list[AuditEntry] = []
        self._writing: list[AuditEntry] = []
        self._closing = False
        self._failing = False
        journal.recover(operations)
        self._thread = threading.Thread(target=self._run, name="audit", daemon=True)
        self._thread.start()

    def add(self, actor: str, action: str, subject: str, detail: dict[str, str]) -> None:
        """Take one entry; waits only where the chain is far behind. StoreError where none can be kept."""
        entry = AuditEntry(
            occurred_at=self._clock.now(), actor=actor, action=action, subject=subject, detail=detail
        )
        with self._changed:
            self._changed.wait_for(lambda: len(self._waiting) < _WAITING or self._closing)
            try:
                self._journal.add(entry)
            except OSError as error:
                raise StoreError(f"the audit log cannot be written: {error.strerror}") from error
            self._waiting.append(entry)
            self._changed.notify_all()

    @property
    def waiting(self) -> int:
        """How many entries are not in the chain yet."""
        return len(self._waiting) + len(self._writing)

    @property
    def failing(self) -> bool:
        """Whether the last attempt to write failed."""
        return self._failing

    def flush(self, patience_s: float = 10.0) -> None:
        """Wait until everything taken so far is in the chain, or for so long."""
        with self._changed:
            self._changed.wait_for(lambda: not self.waiting, patience_s)

    def close(self, patience_s: float = 10.0) -> None:
        """Write what waits and end. StoreError where that takes longer: the journal keeps it for the next."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._thread.join(patience_s)
        if self.waiting:
            raise StoreError(f"{self.waiting} entries of the audit log wait for the next start")

    def _run(self) -> None:
        while self._next_batch():
            while not self._written():
                with self._changed:
                    self._changed.wait(_RETRY_S)
        self._journal.close()

    def _next_batch(self) -> bool:
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closing)
            if len(self._waiting) < _BATCH and not self._closing:
                # More often comes right behind.
                self._changed.wait_for(lambda: self._closing, _PAUSE_S)
            if not self._waiting:
                return False
            self._writing, self._waiting = self._waiting, []
            self._journal.turn()
            self._changed.notify_all()
        return True

    def _written(self) -> bool:
        try:
            self._operations.audit_all(self._writing)
        except StoreError as error:
            _LOG.error("audit_behind", waiting=self.waiting, reason=error.kind)
            self._failing = True
            return False
        with self._changed:
            self._failing = False
            self._writing = []
            self._journal.done()
            self._changed.notify_all()
        return True


def record(state: "ServerState", caller: "Caller", action: str, subject: str, /, **detail: object) -> None:
    """Audit that this caller did this to that, e.g. `feedback.read` of an id. No texts in `detail`."""
    said = {name: str(value) for name, value in detail.items() if value is not None}
    if caller.key_id is not None:
        said["key"] = caller.key_id
    state.audit.add(caller.asker.user, action, subject, said)
