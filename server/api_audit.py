"""The audit log of requests: entries go to the hash chain in batches, off the request's path.

Only reads are batched: an action is audited by the store in the transaction of the action itself.
"""

import threading
from typing import TYPE_CHECKING, Final

import structlog

from store.clock import Clock
from store.errors import StoreError
from store.operations import OperationStore
from store.records import AuditEntry

if TYPE_CHECKING:
    from server.api_access import Caller
    from server.api_state import ServerState

_LOG = structlog.get_logger()
# So many entries may wait for the disk; beyond that a request waits for it too, for none may be dropped.
_WAITING: Final = 5_000
# So many go into one transaction.
_BATCH: Final = 500
_PAUSE_S: Final = 0.2
_RETRY_S: Final = 1.0


class AuditTrail:
    """Takes entries from any thread and appends them in order, by one thread of its own.

    Entries wait at most about 0.2 s. `close` writes what waits.
    """

    def __init__(self, operations: OperationStore, clock: Clock) -> None:
        self._operations = operations
        self._clock = clock
        self._changed = threading.Condition()
        self._waiting: list[AuditEntry] = []
        self._closing = False
        self._failing = False
        self._thread = threading.Thread(target=self._run, name="audit", daemon=True)
        self._thread.start()

    def add(self, actor: str, action: str, subject: str, detail: dict[str, str]) -> None:
        """Take one entry; waits only where the disk is far behind."""
        entry = AuditEntry(
            occurred_at=self._clock.now(), actor=actor, action=action, subject=subject, detail=detail
        )
        with self._changed:
            self._changed.wait_for(lambda: len(self._waiting) < _WAITING or self._closing)
            self._waiting.append(entry)
            self._changed.notify_all()

    @property
    def waiting(self) -> int:
        """How many entries are not on the disk yet."""
        return len(self._waiting)

    @property
    def failing(self) -> bool:
        """Whether the last attempt to write failed."""
        return self._failing

    def flush(self) -> None:
        """Wait until everything taken so far is in the chain."""
        with self._changed:
            self._changed.wait_for(lambda: not self._waiting)

    def close(self, patience_s: float = 10.0) -> None:
        """Write what waits and end; StoreError where that cannot be done within that time."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._thread.join(patience_s)
        if self._waiting:
            raise StoreError(f"{len(self._waiting)} entries of the audit log could not be written")

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._closing)
                if not self._waiting:
                    return
                if len(self._waiting) < _BATCH and not self._closing:
                    # More often comes right behind.
                    self._changed.wait_for(lambda: self._closing, _PAUSE_S)
                batch = self._waiting[:_BATCH]
            try:
                self._operations.audit_all(batch)
            except StoreError as error:
                _LOG.error("audit_behind", waiting=len(self._waiting), reason=error.message)
                self._failing = True
                with self._changed:
                    self._changed.wait(_RETRY_S)
                continue
            self._failing = False
            with self._changed:
                del self._waiting[: len(batch)]
                self._changed.notify_all()


def record(state: "ServerState", caller: "Caller", action: str, subject: str, /, **detail: object) -> None:
    """Audit that this caller did this to that, e.g. `feedback.read` of an id. No texts in `detail`."""
    said = {name: str(value) for name, value in detail.items() if value is not None}
    if caller.key_id is not None:
        said["key"] = caller.key_id
    state.audit.add(caller.asker.user, action, subject, said)
