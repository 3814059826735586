"""Opt-outs, coupons and messages on their way, on SQLite: decided about under the write lock."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, TypeVar

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.orm import Session

from store.alert_models import AlertRow
from store.alerts import Alert
from store.care_models import CompensationRow
from store.compensations import Compensation
from store.contacts import ContactFile, Coupon, DecideMessages, OptOut, SendingBoard
from store.errors import StoreError
from store.message_models import CouponRow, MessageRow, OptOutRow
from store.messages import Message, MessageStatus
from store.models import Model
from store.record import Record
from store.sqlite_audit import append
from store.sqlite_rows import record_of, values_of
from store.sqlite_writer import SqliteWriter

_R = TypeVar("_R", bound=Record)
_SENDING: Final = MessageStatus.SENDING.value
# Nothing the policy counts reaches further back.
_HISTORY: Final = timedelta(days=366)
_BUDGET: Final = timedelta(days=30)


class SqliteContacts(SqliteWriter):
    """A ContactStore in the file of the operation store. Errors as SqliteFile."""

    def opt_out(self, wishes: Sequence[OptOut]) -> int:
        """Keep those that are not kept yet."""
        if not wishes:
            return 0
        statement = insert(OptOutRow).on_conflict_do_nothing().returning(OptOutRow)
        with self._file.writing() as session:
            rows = session.scalars(statement, [values_of(one) for one in wishes]).all()
            told = [
                self._entry("contact.opt_out", row.customer_id, row.by, {"channel": row.channel} | _from(row))
                for row in rows
            ]
            append(session, told)
            return len(rows)

    def opt_in(self, customer_id: str, channel: str, *, actor: str) -> bool:
        """Take an opt-out back."""
        with self._file.writing() as session:
            row = session.get(OptOutRow, (customer_id, channel))
            if row is None:
                return False
            session.delete(row)
            self._tell(session, "contact.opt_in", customer_id, actor, {"channel": channel})
            return True

    def opt_outs(self, customer_id: str | None = None) -> list[OptOut]:
        """List opt-outs, by customer and channel."""
        query = select(OptOutRow).order_by(OptOutRow.customer_id, OptOutRow.channel)
        if customer_id is not None:
            query = query.where(OptOutRow.customer_id == customer_id)
        with self._file.reading() as session:
            return [record_of(OptOut, row) for row in session.scalars(query)]

    def add_coupons(self, coupons: Sequence[Coupon], *, actor: str) -> int:
        """Keep those whose code is not kept yet."""
        if not coupons:
            return 0
        statement = insert(CouponRow).on_conflict_do_nothing().returning(CouponRow.code)
        with self._file.writing() as session:
            added = len(session.scalars(statement, [values_of(one) for one in coupons]).all())
            if added:
                self._tell(session, "coupon.add", "coupons", actor, {"n": str(added)})
            return added

    def coupons(self, *, given: bool | None = None) -> list[Coupon]:
        """List coupons, the first to end first."""
        query = select(CouponRow).order_by(CouponRow.valid_until, CouponRow.code)
        if given is not None:
            query = query.where(CouponRow.given_at.is_not(None) if given else CouponRow.given_at.is_(None))
        with self._file.reading() as session:
            return [record_of(Coupon, row) for row in session.scalars(query)]

    def due(self, now: datetime, *, limit: int = 100) -> list[Message]:
        """What may be looked at by now, oldest first."""
        query = select(MessageRow).where(_is_due(now)).order_by(MessageRow.created_at, MessageRow.message_id)
        with self._file.reading() as session:
            return [record_of(Message, row) for row in session.scalars(query.limit(limit))]

    def revise_messages(
        self, message_ids: Sequence[str], decide: DecideMessages, *, now: datetime, actor: str
    ) -> list[Message]:
        """Let `decide` see those that are still due and keep what it returns, under one write lock."""
        query = select(MessageRow).where(MessageRow.message_id.in_(message_ids), _is_due(now))
        with self._file.writing() as session:
            rows = {row.message_id: row for row in session.scalars(query.order_by(*_OLDEST))}
            if not rows:
                return []
            due = tuple(record_of(Message, row) for row in rows.values())
            moves = decide(_board(session, due, now))
            told = []
            for message, code in moves:
                before = rows[message.message_id].status
                session.merge(MessageRow(**values_of(message)))
                detail = {"from": before, "to": message.status.value, "reason": message.reason}
                detail |= {"channel": message.channel} if message.status is MessageStatus.SENDING else {}
                if before != message.status.value or message.status is MessageStatus.SENDING:
                    told.append(self._entry("message.status", message.message_id, actor, detail))
                if code:
                    coupon = session.get_one(CouponRow, code)
                    coupon.message_id, coupon.customer_id = message.message_id, message.customer_id
                    coupon.given_at = now
                    said = {"message_id": message.message_id, "customer_id": message.customer_id}
                    told.append(self._entry("coupon.give", "coupons", actor, said))
            append(session, told)
        return [message for message, _ in moves]

    def settle(
        self,
        message: Message,
        status: MessageStatus,
        *,
        at: datetime,
        reason: str = "",
        detail: str = "",
        next_at: datetime | None = None,
    ) -> Message:
        """Say what became of a message that was lent; nothing changes where it was lent anew meanwhile."""
        with self._file.writing() as session:
            row = session.get(MessageRow, message.message_id)
            if row is None:
                raise StoreError(f"the message {message.message_id!r} was never kept")
            if (row.status, row.attempts) == (_SENDING, message.attempts):
                row.status, row.reason, row.detail, row.next_at = status.value, reason, detail, next_at
                row.sent_at = at if status is MessageStatus.SENT else row.sent_at
                moved = {"from": _SENDING, "to": status.value, "channel": row.channel, "reason": reason}
                self._tell(session, "message.status", message.message_id, "sender", moved)
            return record_of(Message, row)


_OLDEST: Final = (MessageRow.created_at, MessageRow.message_id)


def _is_due(now: datetime) -> ColumnElement[bool]:
    ripe = or_(MessageRow.next_at.is_(None), MessageRow.next_at <= now)
    return and_(MessageRow.status.in_((MessageStatus.PREPARED.value, _SENDING)), ripe)


def _went() -> ColumnElement[bool]:
    """Whether a message went, or may have."""
    return or_(
        MessageRow.status.in_((MessageStatus.SENT.value, _SENDING)),
        and_(MessageRow.status == MessageStatus.FAILED.value, MessageRow.reason == "unsure"),
    )


def _board(session: Session, due: tuple[Message, ...], now: datetime) -> SendingBoard:
    ids = sorted({one.customer_id for one in due})
    of_due = [one.alert_id for one in due if one.alert_id]
    wanted = or_(
        and_(AlertRow.customer_id.in_(ids), AlertRow.status == "open"), AlertRow.alert_id.in_(of_due)
    )
    out = defaultdict(set)
    for one in session.scalars(select(OptOutRow).where(OptOutRow.customer_id.in_(ids))):
        out[one.customer_id].add(one.channel)
    since = now - _HISTORY
    went = _by_customer(session, Message, MessageRow, _went(), MessageRow.prepared_at >= since, ids=ids)
    alerts = _by_customer(session, Alert, AlertRow, wanted, ids=ids)
    owed = _by_customer(session, Compensation, CompensationRow, ids=ids)
    given = _by_customer(session, Coupon, CouponRow, CouponRow.given_at >= since, ids=ids)
    files = {
        one: ContactFile(
            frozenset(out[one]),
            tuple(sorted(went[one], key=lambda message: message.created_at, reverse=True)),
            tuple(alerts[one]),
            tuple(owed[one]),
            tuple(given[one]),
        )
        for one in ids
    }
    yesterday = now - timedelta(days=1)
    day = select(func.count()).select_from(MessageRow).where(_went())
    recent = select(CouponRow).where(CouponRow.given_at >= now - _BUDGET)
    free = select(CouponRow).where(CouponRow.given_at.is_(None), CouponRow.valid_until > now)
    return SendingBoard(
        due,
        files,
        session.scalar(day.where(or_(MessageRow.sent_at >= yesterday, MessageRow.status == _SENDING))) or 0,
        tuple(record_of(Coupon, row) for row in session.scalars(recent)),
        tuple(
            record_of(Coupon, row)
            for row in session.scalars(free.order_by(CouponRow.valid_until, CouponRow.code).limit(1000))
        ),
    )


def _by_customer(
    session: Session, kind: type[_R], table: type[Model], *only: ColumnElement[bool], ids: Sequence[str]
) -> dict[str, list[_R]]:
    customer: ColumnElement[str] = table.__table__.c.customer_id
    found: dict[str, list[_R]] = defaultdict(list)
    for row in session.scalars(select(table).where(customer.in_(ids), *only)):
        found[getattr(row, "customer_id")].append(record_of(kind, row))  # noqa: B009
    return found


def _from(row: OptOutRow) -> dict[str, str]:
    return {"source": row.source} if row.source else {}
