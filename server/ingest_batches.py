"""The accounts of what comes in item by item: a batch a minute, so that what is not embedded yet is known."""

import secrets
from typing import Final

from store.clock import Clock
from store.operations import OperationStore
from store.records import Batch

_SOURCE: Final = "api"


class IngestBatches:
    """Opens, counts and closes batches; for one thread.

    A batch is `received` while items may still come to it, so that nobody who embeds meanwhile takes it for
    finished, and `stored` from then on.
    """

    def __init__(self, operations: OperationStore, clock: Clock) -> None:
        self._operations = operations
        self._clock = clock
        self._open: Batch | None = None

    def recover(self) -> bool:
        """Close what a killed process left open; whether anything is left to be embedded."""
        left = [
            one for one in self._operations.batches(unfinished=True) if one.batch_id.startswith(f"{_SOURCE}-")
        ]
        for one in left:
            if one.stage == "received":
                self._operations.save_batch(one.model_copy(update={"stage": "stored"}))
        return bool(left)

    def current(self) -> Batch:
        """The batch of this minute, kept before its first item is."""
        now = self._clock.now()
        if self._open is not None and self._open.batch_id.split("-")[1] != f"{now:%Y%m%dT%H%M}":
            self.close()
        if self._open is None:
            self._open = Batch(
                batch_id=f"{_SOURCE}-{now:%Y%m%dT%H%M}-{secrets.token_hex(3)}",
                source=_SOURCE,
                path="",
                kind="feedback",
                stage="received",
                started_at=now,
            )
            self._operations.save_batch(self._open)
        return self._open

    def count(self, *, read: int, stored: int) -> None:
        """Add to the current batch."""
        batch = self.current()
        counts = {
            "read": batch.read + read,
            "stored": batch.stored + stored,
            "duplicates": batch.duplicates + read - stored,
        }
        self._open = batch.model_copy(update=counts)
        self._operations.save_batch(self._open)

    def close(self) -> None:
        """Nothing more comes to the current batch."""
        if self._open is not None:
            self._operations.save_batch(self._open.model_copy(update={"stage": "stored"}))
            self._open = None
