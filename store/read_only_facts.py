"""The facts seen through a restriction: every question is asked of fewer rows, and nothing is written."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NoReturn
from zoneinfo import ZoneInfo

from store.dialect import Dialect
from store.errors import NotPermitted
from store.facts import Catalogue
from store.query import Statement
from store.records import BehaviourEvent, Customer, IndustryRate, LabelledFeedback, Labels, Outcome, Theme
from store.sql_facts import SqlFactStore

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from store.leaves import Coder


class ReadOnlyFacts(SqlFactStore):
    """A FactStore over part of another one's rows. `restrict` narrows a statement, `refusal` says why not."""

    refusal: str

    def __init__(self, whole: SqlFactStore, dialect: Dialect, zone: ZoneInfo) -> None:
        super().__init__(dialect, zone)
        self._whole = whole

    @abstractmethod
    def restrict(self, statement: Statement) -> Statement:
        """The same statement over the rows that are seen."""

    def rows(self, statement: Statement) -> list[tuple[Any, ...]]:
        """Run one statement over the rows that are seen."""
        return self._whole.rows(self.restrict(statement))

    def coded(self, statement: Statement, width: int) -> "list[Coder]":
        """Run one statement over the rows that are seen and give its columns as codes."""
        return self._whole.coded(self.restrict(statement), width)

    def columns(self, statement: Statement) -> "list[NDArray[Any]]":
        """Run one statement over the rows that are seen and give its columns."""
        return self._whole.columns(self.restrict(statement))

    def version(self) -> object:
        """That of the whole store."""
        return self._whole.version()

    def _remembered(self) -> Catalogue | None:
        return None

    def _remember(self, described: Catalogue, version: object) -> None:
        # What is left to other processes describes everything.
        pass

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
        raise NotPermitted(f"not permitted: {self.refusal}")
