"""What happens to a theme in its life, and the ways in which customers put it."""

from typing import Annotated, Literal

from pydantic import AwareDatetime, BeforeValidator

from store.record import Record


class ThemeEvent(Record):
    """Something that happened to a theme: `other` is the theme it came from or took in, `n` texts by it."""

    kind: Literal["born", "grown", "merged", "split", "faded"]
    at: AwareDatetime | None = None
    other: str | None = None
    n: int = 0


class ThemeWording(Record):
    """One way in which customers put a theme: a name, how many distinct texts, and the item that shows it."""

    label: str
    n: int
    exemplar: str | None = None


def _dated(events: object) -> object:
    """Lineage was kept as words ("born", "split:<id>") before it was dated."""
    if not isinstance(events, (list, tuple)):
        return events
    return tuple(_from_words(event) if isinstance(event, str) else event for event in events)


def _from_words(words: str) -> dict[str, str | None]:
    kind, _, other = words.partition(":")
    return {"kind": kind, "other": other or None}


Lineage = Annotated[tuple[ThemeEvent, ...], BeforeValidator(_dated)]
