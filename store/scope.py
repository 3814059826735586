"""The tables of the facts as they look from within a scope of org units.

Each statement of a scoped store opens with common table expressions that bear the names of the tables and
hold only the rows within the scope. A name in a statement can then stand for nothing else, so no question,
however it was built, reads a row outside.
"""

from store.dialect import Dialect
from store.query import Statement
from store.schema import CUSTOMER, EVENT, FEEDBACK, KNOWN_NAME, OUTCOME, Table
from store.units import BETWEEN, UNIT, Scope


class ScopedTables:
    """The tables of one engine from within a scope."""

    def __init__(self, dialect: Dialect, scope: Scope) -> None:
        self._dialect = dialect
        self._params = {
            name: value
            for at, unit in enumerate(scope)
            for name, value in ((f"scope{at}", unit), (f"scope{at}_below", unit + BETWEEN))
        }
        inside = " OR ".join(self._inside(at) for at in range(len(scope)))
        customers = f"customer_id IN (SELECT customer_id FROM {CUSTOMER.name})"
        tables = {
            FEEDBACK.name: self._rows(FEEDBACK, inside),
            CUSTOMER.name: self._rows(CUSTOMER, inside),
            EVENT.name: self._rows(EVENT, customers),
            OUTCOME.name: self._rows(OUTCOME, customers),
            KNOWN_NAME.name: self._names(),
        }
        self._head = "WITH " + ", ".join(dialect.inlined(name, body) for name, body in tables.items())

    def restrict(self, statement: Statement) -> Statement:
        """The same statement over the rows within the scope."""
        sql = f"{self._head} {statement.sql}"
        return Statement(sql, {**statement.params, **self._params}, statement.render)

    def _inside(self, at: int) -> str:
        unit, below = (
            self._dialect.sql(self._dialect.parameter(name, "text"))
            for name in (f"scope{at}", f"scope{at}_below")
        )
        return f"{UNIT} = {unit} OR {self._dialect.starts_with}({UNIT}, {below})"

    def _rows(self, table: Table, test: str) -> str:
        return f"SELECT {self._dialect.every_column(table)} FROM {self._dialect.stored(table)} WHERE {test}"

    def _names(self) -> str:
        """Names that rows within the scope carry; a name can tell as much as a value."""
        kinds = (
            ("metric", "metrics", FEEDBACK),
            ("attribute", "attributes", FEEDBACK),
            ("customer_attribute", "attributes", CUSTOMER),
        )
        return " UNION ALL ".join(
            f"SELECT DISTINCT '{kind}' AS kind, {self._dialect.keys_of(column)} AS name FROM {table.name}"
            for kind, column, table in kinds
        )
