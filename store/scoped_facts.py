"""The facts from within a scope of org units: every question about the rows within, and no write."""

from zoneinfo import ZoneInfo

from store.dialect import Dialect
from store.errors import NotPermitted
from store.facts import FactStore, Horizon
from store.query import Statement
from store.read_only_facts import ReadOnlyFacts
from store.records import Theme
from store.scope import ScopedTables
from store.scoped_themes import themes_within
from store.sql_facts import SqlFactStore
from store.units import Scope, require_within


class ScopedFacts(ReadOnlyFacts):
    """A FactStore over part of another one's rows; the names, catalogue and themes it keeps are its own."""

    refusal = "facts are not written from within a scope"

    def __init__(self, whole: SqlFactStore, scope: Scope, dialect: Dialect, zone: ZoneInfo) -> None:
        super().__init__(whole, dialect, zone)
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

    def restrict(self, statement: Statement) -> Statement:
        """The same statement over the rows within the scope."""
        return self._tables.restrict(statement)

    def mark(self) -> int:
        """That of the whole store."""
        return self._whole.mark()

    def as_of(self, horizon: Horizon) -> FactStore:
        """Refused: the past is asked about as a whole."""
        raise NotPermitted("not permitted: the past is not asked about within a scope")

    def themes(self) -> list[Theme]:
        """The themes that hold a text of the scope, as far as its texts tell of them."""
        version = self.version()
        kept = self._themes
        if kept is None or kept[0] != version:
            kept = (version, themes_within(super().themes(), self))
            self._themes = kept
        return kept[1]
