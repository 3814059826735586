"""The ClickHouse engine in this process, as the client of a ClickHouseFactStore."""

import json
import threading
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any


class ChdbClient:
    """The ClickHouse engine in this process; one call at a time, for its parameters are shared."""

    def __init__(self, database: str) -> None:
        from chdb import session

        self._lock = threading.Lock()
        self._database = database
        self._session: Any = session.Session()  # type: ignore[no-untyped-call]
        self._query(f"CREATE DATABASE {database}")
        self._query(f"USE {database}")

    def execute(self, sql: str, params: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        answer = self._query(sql, {name: _wire(value) for name, value in params.items()})
        if not answer:
            return []
        document = json.loads(answer)
        kinds = [column["type"] for column in document["meta"]]
        return [
            tuple(_value(kind, value) for kind, value in zip(kinds, row, strict=True))
            for row in document["data"]
        ]

    def insert(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        lines = [json.dumps(dict(zip(columns, row, strict=True)), default=_plain) for row in rows]
        self._query(f"INSERT INTO {table} FORMAT JSONEachRow\n" + "\n".join(lines))

    def _query(self, sql: str, params: Mapping[str, Any] | None = None) -> str:
        with self._lock:
            return str(self._session.query(sql, "JSONCompact", params=dict(params or {})))

    def close(self) -> None:
        with self._lock:
            self._session.query(f"DROP DATABASE {self._database}")
            self._session.close()


def _plain(value: date) -> str:
    return f"{value:%Y-%m-%d %H:%M:%S.%f}" if isinstance(value, datetime) else value.isoformat()


def _wire(value: Any) -> Any:
    if isinstance(value, list):
        quoted = (part.replace("\\", "\\\\").replace("'", "\\'") for part in value)
        return "[" + ",".join(f"'{part}'" for part in quoted) + "]"
    if isinstance(value, str):
        for raw, escaped in (("\\", "\\\\"), ("\n", "\\n"), ("\t", "\\t"), ("\r", "\\r"), ("\0", "\\0")):
            value = value.replace(raw, escaped)
    return value


def _value(kind: str, value: Any) -> Any:
    if value is None:
        return None
    if "DateTime64" in kind:
        return datetime.fromisoformat(value).replace(tzinfo=UTC)
    if "Date32" in kind:
        return date.fromisoformat(value)
    return int(value) if kind in ("UInt64", "Int64") else value
