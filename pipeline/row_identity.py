"""Who is who among the rows of one file: the ids by which reading a file twice stores it once."""

import hashlib
from collections import Counter
from collections.abc import Mapping
from datetime import datetime

from store.identity import feedback_id


class RowIdentity:
    """Gives ids to the rows of one file, in file order.

    Ids are those of `store.identity.feedback_id`, made finer where that would lose an item: two rows of one
    file that share time, customer and text but differ in any other value are two items, and so are identical
    rows where nobody is named and only the day is known. Holds about 100 bytes a row.
    """

    def __init__(self, source: str) -> None:
        self._source = source
        self._rows: dict[str, bytes] = {}
        self._repeats: Counter[bytes] = Counter()

    def assign(
        self,
        values: Mapping[str, str],
        *,
        given: str | None,
        trusted: bool,
        occurred_at: datetime | None,
        to_the_minute: bool,
        customer_id: str | None,
        text: str,
    ) -> str:
        """Return the id of a row; `values` are its cells as text.

        `to_the_minute` says whether a clock time is known and not only a day, `trusted`
        whether the given id is the feedback's own everywhere: another is taken within the source, and two
        different rows that share it are two items. An identical row of
        a known customer or moment gets the id of the first: it is a duplicate.
        """
        if given and trusted:
            return feedback_id(self._source, given=given)
        digest = _digest(values)
        if given:
            found = feedback_id(self._source, given=f"{self._source}:{given}")
            first = self._rows.setdefault(found, digest)
            return found if first == digest else f"{found}-{digest.hex()}"
        distinct = customer_id is not None or to_the_minute
        occurrence = 0
        if not distinct:
            occurrence = self._repeats[digest]
            self._repeats[digest] += 1
        found = feedback_id(
            self._source,
            occurred_at=occurred_at,
            customer_id=customer_id,
            text=text,
            row=values,
            occurrence=occurrence,
        )
        first = self._rows.setdefault(found, digest)
        if first != digest:
            return f"{found}-{digest.hex()}"
        return found if distinct or not occurrence else f"{found}-{digest.hex()}-{occurrence}"


def _digest(values: Mapping[str, str]) -> bytes:
    hasher = hashlib.blake2b(digest_size=8)
    for name, value in sorted(values.items()):
        hasher.update(f"{len(name)}:{name}{len(value)}:{value}".encode("utf-8", "surrogatepass"))
    return hasher.digest()
