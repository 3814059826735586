"""Pages of a list: `limit` and an opaque `cursor` in, the items and the next cursor out."""

import base64
import binascii
from collections.abc import Sequence
from typing import Annotated, Final, TypeVar

from fastapi import Query

from store.errors import ToolInputError

_Item = TypeVar("_Item")
_MOST: Final = 200
_CURSOR: Final = 64

Limit = Annotated[int, Query(ge=1, le=_MOST, description="how many at most")]
Cursor = Annotated[
    str | None,
    Query(max_length=_CURSOR, description="`next_cursor` of the page before; none: the first page"),
]


def page(items: Sequence[_Item], limit: int, cursor: str | None) -> tuple[list[_Item], str | None]:
    """The items of one page, and the cursor of the next; None where there is none.

    Raises ToolInputError for a cursor that no page gave.
    """
    first = offset_of(cursor)
    return list(items[first : first + limit]), cursor_at(first + limit) if first + limit < len(
        items
    ) else None


def offset_of(cursor: str | None) -> int:
    """How many items lie before the page of a cursor. Raises ToolInputError for one that no page gave."""
    if cursor is None:
        return 0
    try:
        told = base64.urlsafe_b64decode(cursor.encode("ascii")).decode("ascii")
    except (binascii.Error, UnicodeError):
        told = ""
    # No list is as long as ten digits.
    if not told.isdigit() or len(told) > 9 or cursor_at(int(told)) != cursor:
        raise ToolInputError("the cursor is not one that a page gave", hint="leave it out for the first page")
    return int(told)


def cursor_at(offset: int) -> str:
    """The cursor of the page that begins there."""
    return base64.urlsafe_b64encode(str(offset).encode("ascii")).decode("ascii")
