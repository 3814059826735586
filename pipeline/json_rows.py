"""JSON lines, a JSON array, or an object that holds one, row by row."""

import json
from collections.abc import Iterator
from typing import IO, Any

from pipeline.headers import Cell, RawRow
from store.errors import InputError

_BLOCK = 1 << 20
_LONGEST_ITEM = 64 * _BLOCK


def read_json_rows(stream: IO[str], path: str) -> Iterator[RawRow]:
    """Yield one row per object; nested objects become `outer.inner` columns and lists become text.

    A line or element that is no object, or no JSON at all, becomes a row with an `error`. Raises InputError
    where the whole document is no JSON.
    """
    first = stream.read(1)
    while first and (first.isspace() or first == "\ufeff"):
        first = stream.read(1)
    if first == "[":
        yield from _array(stream, path)
        return
    line = first + stream.readline()
    if _complete(line):
        yield from _lines(line, stream)
        return
    yield from _document(line + stream.read(), path)


def _lines(line: str, stream: IO[str]) -> Iterator[RawRow]:
    number = 1
    while line:
        if line.strip():
            try:
                yield _row(number, json.loads(line))
            except (ValueError, RecursionError) as error:
                yield RawRow(number, {"": line.strip()}, f"not JSON: {error}")
        line = stream.readline()
        number += 1


def _array(stream: IO[str], path: str) -> Iterator[RawRow]:
    decoder = json.JSONDecoder()
    buffer, number, wanted = "", 0, _BLOCK
    while True:
        buffer = buffer.lstrip(" \t\r\n,")
        if buffer.startswith("]"):
            return
        block = ""
        if len(buffer) < wanted // 2 or not buffer:
            block = stream.read(wanted)
            buffer = (buffer + block).lstrip(" \t\r\n,")
            if buffer.startswith("]"):
                return
        try:
            value, end = decoder.raw_decode(buffer)
        except (ValueError, RecursionError) as error:
            following = stream.read(wanted)
            if not following or len(buffer) > _LONGEST_ITEM:
                raise InputError(f"{path}: element {number + 1} is not JSON: {error}") from error
            buffer += following
            wanted *= 2
            continue
        number += 1
        buffer, wanted = buffer[end:], _BLOCK
        yield _row(number, value)


def _document(text: str, path: str) -> Iterator[RawRow]:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: not JSON: {error}") from error
    lists = (
        [value for value in document.values() if isinstance(value, list)]
        if isinstance(document, dict)
        else []
    )
    items = max(lists, key=len, default=[document])
    for number, value in enumerate(items, start=1):
        yield _row(number, value)


def _complete(line: str) -> bool:
    try:
        json.loads(line)
    except ValueError:
        # A broken first line among JSON lines ends in a brace; the first line of a document does not.
        return line.rstrip().endswith("}")
    return True


def _row(number: int, value: Any) -> RawRow:
    if not isinstance(value, dict):
        return RawRow(number, {"": as_text(value)}, "not a JSON object")
    return RawRow(number, dict(_flat(value, "")))


def _flat(value: dict[str, Any], prefix: str) -> Iterator[tuple[str, Cell]]:
    for key, item in value.items():
        name = f"{prefix}{key}"
        if isinstance(item, dict) and item:
            yield from _flat(item, f"{name}.")
        elif item is None or isinstance(item, str | int | float):
            yield name, item
        else:
            yield name, as_text(item)


def as_text(value: Any) -> str:
    """Return a nested value as text: a list of plain values joined by semicolons, anything else as JSON."""
    if isinstance(value, list | tuple) and all(isinstance(item, str | int | float) for item in value):
        return "; ".join(str(item) for item in value)
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return json.dumps(value, ensure_ascii=False, default=str)
