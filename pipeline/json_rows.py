"""JSON lines, a JSON array, or an object that holds one, row by row."""

import json
import re
from collections.abc import Iterator
from typing import IO, Any

from pipeline.headers import Cell, RawRow
from store.errors import InputError

_BLOCK = 1 << 18
_SEPARATORS = re.compile(r"[\s,]*")
_LONGEST_ITEM = 256 * _BLOCK


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
    buffer, place, number, block = "", 0, 0, _BLOCK
    while True:
        place = _past_separators(buffer, place)
        if buffer[place : place + 1] == "]":
            return
        try:
            value, end = decoder.raw_decode(buffer, place)
            # A number may go on in the next block; nothing else is complete and yet cut.
            cut = end == len(buffer)
        except (ValueError, RecursionError) as error:
            following = stream.read(block) if len(buffer) - place < _LONGEST_ITEM else ""
            if not following:
                raise InputError(f"{path}: element {number + 1} is not JSON: {error}") from error
            buffer, place, block = buffer[place:] + following, 0, block * 2
            continue
        if cut and (following := stream.read(block)):
            buffer, place = buffer[place:] + following, 0
            continue
        number, place, block = number + 1, end, _BLOCK
        yield _row(number, value)


def _past_separators(buffer: str, place: int) -> int:
    found = _SEPARATORS.match(buffer, place)
    return found.end() if found else place


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
