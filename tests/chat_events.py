"""Server-sent events as a client reads them."""

from typing import Any, NamedTuple

import orjson


class Sent(NamedTuple):
    """One event: its id, its type and its data."""

    id: str
    type: str
    data: dict[str, Any]


def events_in(text: str) -> list[Sent]:
    """The events of a stream, comments left out."""
    found = []
    for block in text.split("\n\n"):
        fields: dict[str, str] = {}
        for line in block.splitlines():
            name, _, value = line.partition(": ")
            if name:
                fields[name] = value
        if "data" in fields:
            found.append(Sent(fields["id"], fields["event"], orjson.loads(fields["data"])))
    return found
