"""Audit entries on their way to the chain, in two files that outlive the process.

Each entry is handed to the system before its request goes on, without waiting for the disk: a killed process
loses none, a power cut at most those of the last moment.
"""

import os
from contextlib import suppress
from pathlib import Path
from typing import Final

import structlog
from pydantic import ValidationError

from store.operations import OperationStore
from store.records import AuditEntry

_LOG = structlog.get_logger()
# How far behind the newest entries of the chain a batch may lie that was written as the process ended.
_LATER: Final = 5_000


class AuditJournal:
    """Entries since the last `turn`, and those before it until they are `done`. Not for several threads."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._now, self._before = folder / "audit.pending", folder / "audit.writing"
        self._file: int | None = None

    def recover(self, operations: OperationStore) -> int:
        """Bring into the chain what a killed process left; return how many entries that were."""
        brought = 0
        for path in (self._before, self._now):
            left = _read(path)
            # A batch is written in one transaction: its first entry is there with all others or not at all.
            if left:
                page = operations.audit_page(limit=len(left) + _LATER)
                if all(entry != left[0] for _, entry in page):
                    operations.audit_all(left)
                    brought += len(left)
            path.unlink(missing_ok=True)
        return brought

    def add(self, entry: AuditEntry) -> None:
        """Keep one entry."""
        if self._file is None:
            self._file = os.open(self._now, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.write(self._file, entry.model_dump_json().encode() + b"\n")

    def turn(self) -> None:
        """What was added so far is a batch that is being written from now on."""
        self.close()
        with suppress(FileNotFoundError):
            self._now.replace(self._before)

    def done(self) -> None:
        """The batch is in the chain."""
        self._before.unlink(missing_ok=True)

    def close(self) -> None:
        """Release the file."""
        if self._file is not None:
            os.close(self._file)
            self._file = None


def _read(path: Path) -> list[AuditEntry]:
    entries = []
    try:
        lines = path.read_bytes().splitlines()
    except FileNotFoundError:
        return []
    for line in lines:
        try:
            entries.append(AuditEntry.model_validate_json(line))
        except ValidationError:
            # Only the last line can be half there, where the machine itself went down.
            _LOG.error("audit_entry_unreadable", file=path.name)
    return entries
