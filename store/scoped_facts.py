"""The facts from within a scope of org units: every question about the rows within, and no write."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NoReturn
from zoneinfo import ZoneInfo

from store.dialect import Dialect
from store.errors import NotPermitted
from store.facts import Catalogue, FactStore
from store.query import Statement
from store.records import BehaviourEvent, Customer, IndustryRate, LabelledFeedback, Labels, Outcome, Theme
from store.scope import ScopedTables
from store.scoped_themes import themes_within
from store.sql_facts import SqlFactStore
from store.units import Scope, require_within

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from store.leaves import Coder


class ScopedFacts(SqlFactStore):
    """A FactStore over part of another one's rows; the names, catalogue and themes it keeps are its own."""

    def __init__(self, whole: SqlFactStore, scope: Scope, dialect: Dialect, zone: ZoneInfo) -> None:
        super().__init__(dialect, zone)
        self._whole = whole
        self._scope = scope
        self._tables = ScopedTables(dialect, scope)
        self._themes: tuple[object, list[Theme]] | None = None

    @property
    def scope(self) -> Scope:
        """The org units whose rows this store holds."""
        return self._scope

    def scoped(self, scope: Scope) -> FactStore:
        """A narrower scope; NotPermitted for a wider one."""
        if not scope:
            raise NotPermitted("not permitted: a scope cannot be left")
        require_within(scope, self._scope)
        return self._whole.scoped(scope)

    def rows(self, statement: Statement) -> list[tuple[Any, ...]]:
        """Run one statement over the rows within the scope."""
        return self._whole.rows(self._tables.restrict(statement))

    def coded(self, statement: Statement, width: int) -> "list[Coder]":
        """Run one statement over the rows within the scope and give its columns as codes."""
        return self._whole.coded(self._tables.restrict(statement), width)

    def columns(self, statement: Statement) -> "list[NDArray[Any]]":
        """Run one statement over the rows within the scope and give its columns."""
        return self._whole.columns(self._tables.restrict(statement))

    def version(self) -> object:
        """That of the whole store."""
        return self._whole.version()

    def _remembered(self) -> Catalogue | None:
        return None

    def _remember(self, described: Catalogue, version: object) -> None:
        # What is left to other processes describes everything.
        pass

    def themes(self) -> list[Theme]:
        """The themes that hold a text of the scope, as far as its texts tell of them."""
        version = self.version()
        kept = self._themes
        if kept is None or kept[0] != version:
            kept = (version, themes_within(super().themes(), self))
            self._themes = kept
        return kept[1]

    def close(self) -> None:
        """Nothing: the engine belongs to the whole store."""

    def add_feedback(self, items: Sequence[LabelledFeedback]) -> frozenset[str]:
        """Refused, as all writing is."""
        self._refuse()

    def replace_labels(self, labels: Mapping[str, Labels]) -> None:
        """Refused."""
        self._refuse()

    def mark_near_duplicates(self, groups: Mapping[str, str]) -> None:
        """Refused."""
        self._refuse()

    def add_customers(self, customers: Sequence[Customer]) -> int:
        """Refused."""
        self._refuse()

    def add_events(self, events: Sequence[BehaviourEvent]) -> int:
        """Refused."""
        self._refuse()

    def add_outcomes(self, outcomes: Sequence[Outcome]) -> int:
        """Refused."""
        self._refuse()

    def add_rates(self, rates: Sequence[IndustryRate]) -> int:
        """Refused."""
        self._refuse()

    def save_themes(self, themes: Sequence[Theme], assignment: Mapping[str, str]) -> None:
        """Refused."""
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise NotPermitted("not permitted: facts are not written from within a scope")
