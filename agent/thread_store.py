"""The conversations of one data folder, beside the graph that writes them: list, rename, delete, prune."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Final, NamedTuple

from agent.thread_keys import owner_prefix, thread_key, thread_name
from store.errors import StoreError, ToolInputError
from tools.context import Asker

_BUSY_S: Final = 10.0
# What `Assistant` notes beside each checkpoint, so that a list reads no conversation.
ASKED: Final = "asked"
ASKED_AT: Final = "asked_at"
TURNS: Final = "turns"
_NEWEST: Final = """
    SELECT c.thread_id, c.metadata, w.type, w.value FROM checkpoints c
    LEFT JOIN writes w ON w.thread_id = c.thread_id AND w.checkpoint_ns = c.checkpoint_ns
        AND w.checkpoint_id = c.checkpoint_id AND w.channel = '__interrupt__'
    WHERE c.checkpoint_ns = '' AND substr(c.thread_id, 1, ?) = ? AND c.checkpoint_id = (
        SELECT max(d.checkpoint_id) FROM checkpoints d
        WHERE d.thread_id = c.thread_id AND d.checkpoint_ns = '')
"""


class NoThread(ToolInputError):
    """The asker has no thread of that name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"you have no thread {name!r}", hint="voiceloop threads list")


class ThreadEntry(NamedTuple):
    """A thread as a list shows it: its last question, when it was asked, and the drafts it stopped for."""

    name: str
    asked: str
    asked_at: datetime | None
    turns: int
    drafts: tuple[str, ...]


class ThreadStore:
    """Reads and tends the checkpoint file. Every call opens it anew: other processes write to it too."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def entries(self, asker: Asker) -> list[ThreadEntry]:
        """The asker's threads, the one asked last first."""
        prefix = owner_prefix(asker)
        with self._open() as file:
            rows = file.execute(_NEWEST, (len(prefix), prefix)).fetchall() if _is_set_up(file) else []
        found = []
        for key, noted, kind, stop in rows:
            name = thread_name(key, asker)
            if name is None:
                continue
            about = json.loads(noted or b"{}")
            at = about.get(ASKED_AT)
            found.append(
                ThreadEntry(
                    name,
                    about.get(ASKED, ""),
                    datetime.fromisoformat(at) if at else None,
                    int(about.get(TURNS, 0)),
                    _drafts(kind, stop) if stop else (),
                )
            )
        found.sort(
            key=lambda one: (one.asked_at.timestamp() if one.asked_at else 0.0, one.name), reverse=True
        )
        return found

    def rename(self, name: str, new: str, asker: Asker) -> None:
        """Call a thread otherwise. Raises ToolInputError where there is none or the new name is taken."""
        old_key, new_key = thread_key(asker, name), thread_key(asker, new)
        with self._writing() as file:
            self._require(file, old_key, name)
            if old_key == new_key:
                return
            if _exists(file, new_key):
                raise ToolInputError(f"there is a thread {new!r} already", hint="choose another name")
            for table in ("checkpoints", "writes"):
                file.execute(f"UPDATE {table} SET thread_id = ? WHERE thread_id = ?", (new_key, old_key))

    def delete(self, name: str, asker: Asker) -> None:
        """Forget a thread. What it drafted stays. Raises ToolInputError where there is none."""
        key = thread_key(asker, name)
        with self._writing() as file:
            self._require(file, key, name)
            for table in ("checkpoints", "writes"):
                file.execute(f"DELETE FROM {table} WHERE thread_id = ?", (key,))

    def prune(self, key: str) -> None:
        """Drop all but the newest checkpoint of a thread, and what was written towards those before.

        Ids of checkpoints grow with time. What belongs to the newest stays: it holds the interrupts.
        """
        newest = "(SELECT max(checkpoint_id) FROM checkpoints WHERE thread_id = :key AND checkpoint_ns = '')"
        with self._writing() as file:
            for table in ("writes", "checkpoints"):
                where = f"thread_id = :key AND checkpoint_ns = '' AND checkpoint_id < {newest}"
                file.execute(f"DELETE FROM {table} WHERE {where}", {"key": key})

    def _require(self, file: sqlite3.Connection, key: str, name: str) -> None:
        if not _exists(file, key):
            raise NoThread(name)

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._open() as file:
            file.execute("BEGIN IMMEDIATE")
            try:
                yield file
            except BaseException:
                file.execute("ROLLBACK")
                raise
            file.execute("COMMIT")

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        try:
            with closing(sqlite3.connect(self._path, timeout=_BUSY_S, isolation_level=None)) as file:
                yield file
        except sqlite3.DatabaseError as error:
            raise StoreError(f"the conversation store {self._path} cannot be used: {error}") from error


def _is_set_up(file: sqlite3.Connection) -> bool:
    """Whether anybody has asked yet: the graph's checkpointer makes the tables."""
    return file.execute("SELECT 1 FROM sqlite_master WHERE name = 'checkpoints'").fetchone() is not None


def _drafts(kind: str, stop: bytes) -> tuple[str, ...]:
    """The ids that an interrupt waits for, as the checkpointer has written it."""
    from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

    stops = JsonPlusSerializer().loads_typed((kind, stop))
    return tuple(draft["id"] for one in stops for draft in one.value["pending_approvals"])


def _exists(file: sqlite3.Connection, key: str) -> bool:
    if not _is_set_up(file):
        return False
    return (
        file.execute("SELECT 1 FROM checkpoints WHERE thread_id = ? LIMIT 1", (key,)).fetchone() is not None
    )
