"""The facts as they were known at a moment: every question about the rows of then, and no write."""

from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from store.dialect import Dialect
from store.errors import NotPermitted
from store.facts import FactStore, Horizon
from store.past import PastTables
from store.query import KnownNames, Statement
from store.read_only_facts import ReadOnlyFacts
from store.sql_facts import SqlFactStore
from store.units import Scope

if TYPE_CHECKING:
    from store.customer_features import CustomerQuestion, CustomerTable


class PastFacts(ReadOnlyFacts):
    """A FactStore as it stood at a horizon.

    Themes, near duplicates and industry rates are those of today: no alert rests on them.
    """

    refusal = "the past is not written"

    def __init__(self, whole: SqlFactStore, horizon: Horizon, dialect: Dialect, zone: ZoneInfo) -> None:
        super().__init__(whole, dialect, zone)
        self._horizon = horizon
        self._tables = PastTables(dialect, horizon)
        # What is past stays as it is: the last answers are kept.
        self._table: tuple[CustomerQuestion, CustomerTable] | None = None
        self._last_at: tuple[datetime | None] | None = None

    def restrict(self, statement: Statement) -> Statement:
        """The same statement over the rows as they were."""
        return self._tables.restrict(statement)

    def mark(self) -> int:
        """That of its horizon; 0 where the horizon is a time."""
        return self._horizon.mark or 0

    def as_of(self, horizon: Horizon) -> FactStore:
        """Itself at its own mark; NotPermitted for another."""
        if horizon in (self._horizon, Horizon(self.mark())):
            return self
        raise NotPermitted("not permitted: the facts of one moment do not know another")

    def scoped(self, scope: Scope) -> FactStore:
        """Itself without a scope; NotPermitted within one: the past is asked about as a whole."""
        if scope:
            raise NotPermitted("not permitted: the past is not asked about within a scope")
        return self

    def customer_features(self, question: "CustomerQuestion") -> "CustomerTable":
        """Many figures of each customer; the same question again is answered from memory."""
        kept = self._table
        if kept is None or kept[0] != question:
            kept = self._table = (question, super().customer_features(question))
        return kept[1]

    def last_at(self) -> datetime | None:
        """When the last of customers' items was."""
        if self._last_at is None:
            self._last_at = (super().last_at(),)
        return self._last_at[0]

    def _names(self) -> KnownNames:
        # Those of today: a name that nothing carried yet adds nothing.
        return self._whole._names()
