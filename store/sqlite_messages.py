"""Messages to customers on SQLite: drafted, approved, cancelled by people; sent by sqlite_contacts.py."""

from collections.abc import Mapping
from typing import Final

from sqlalchemy import select

from store.errors import ToolInputError
from store.message_models import MessageRow
from store.messages import Message, MessageStatus
from store.records import AuditEntry
from store.sqlite_audit import append
from store.sqlite_rows import record_of, values_of
from store.sqlite_writer import SqliteWriter, require_move

_PENDING: Final = MessageStatus.PENDING_APPROVAL
_PREPARED: Final = MessageStatus.PREPARED
# What a person may make of a message. One that is on its way is its sender's.
_MOVES: Final[Mapping[MessageStatus, frozenset[MessageStatus]]] = {
    _PENDING: frozenset({_PREPARED, MessageStatus.REJECTED, MessageStatus.CANCELLED}),
    _PREPARED: frozenset({MessageStatus.CANCELLED}),
    MessageStatus.SENDING: frozenset(),
    MessageStatus.FAILED: frozenset({_PREPARED, MessageStatus.CANCELLED}),
    MessageStatus.SENT: frozenset(),
    MessageStatus.REJECTED: frozenset(),
    MessageStatus.CANCELLED: frozenset(),
}


class SqliteMessages(SqliteWriter):
    """The messages of TaskOperations."""

    def propose_message(self, message: Message, entry: AuditEntry | None = None) -> Message:
        """Insert a message and audit that by `entry`; if its id exists, change nothing and return it."""
        with self._file.writing() as session:
            stored = session.get(MessageRow, message.message_id)
            if stored is not None:
                return record_of(Message, stored)
            session.add(MessageRow(**values_of(message)))
            if entry is not None:
                append(session, [entry])
        return message

    def set_message_status(
        self, message_id: str, status: MessageStatus, *, actor: str, reason: str = ""
    ) -> Message:
        """Move a message on and audit it; a move to where it stands changes nothing."""
        with self._file.writing() as session:
            row = session.get(MessageRow, message_id)
            if row is None:
                raise ToolInputError(f"no message {message_id!r}")
            before = MessageStatus(row.status)
            if before is not status:
                require_move("message", message_id, before, status, _MOVES)
                row.status, row.reason, row.next_at = status.value, reason, None
                if status is _PREPARED:
                    row.prepared_at, row.approved_by = self._clock.now(), actor
                moved = {"from": before.value, "to": status.value} | ({"reason": reason} if reason else {})
                self._tell(session, "message.status", message_id, actor, moved)
            return record_of(Message, row)

    def messages(
        self, *, status: MessageStatus | None = None, customer_id: str | None = None
    ) -> list[Message]:
        """List messages, newest first."""
        query = select(MessageRow).order_by(MessageRow.created_at.desc(), MessageRow.message_id)
        if status is not None:
            query = query.where(MessageRow.status == status.value)
        if customer_id is not None:
            query = query.where(MessageRow.customer_id == customer_id)
        with self._file.reading() as session:
            return [record_of(Message, row) for row in session.scalars(query)]
