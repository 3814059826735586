"""Who is who: content hashes by which writing twice stores once."""

import hashlib
import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime

_MAX_GIVEN = 128


def normalise_text(text: str) -> str:
    """Return `text` in NFKC with runs of white space made one blank; case is kept, for it carries emotion."""
    return " ".join(unicodedata.normalize("NFKC", text).split())


def text_key(text: str) -> str:
    """Return the content hash of the normalised text: 32 hexadecimal digits (BLAKE2b, 128 bits)."""
    return _digest("text", normalise_text(text))


def feedback_id(
    source: str,
    *,
    given: str | None = None,
    occurred_at: datetime | None = None,
    customer_id: str | None = None,
    text: str = "",
    row: Mapping[str, object] | None = None,
    occurrence: int = 0,
) -> str:
    """Return the id under which one piece of feedback is stored, the same on every reading of the same file.

    `given` is the source's own id and wins (hashed only where it is longer than 128 characters). Where
    a time (timezone-aware) or a customer is known: a hash of source, time, customer and text; since an
    empty text tells nothing apart, a score without words adds all values of its row, and, where the
    customer is unknown too, `occurrence`. Else: a hash of source, all values of `row` (in any order of
    columns) and `occurrence`, its number (from 0) among identical rows of the same file.
    Raises ValueError for a time without a zone.
    """
    if given is not None and given.strip():
        stripped = given.strip()
        return stripped if len(stripped) <= _MAX_GIVEN else _digest("given", source, stripped)
    values = [f"{name}\x1f{'' if value is None else value}" for name, value in sorted((row or {}).items())]
    if occurred_at is None and customer_id is None:
        return _digest("row", source, normalise_text(text), str(occurrence), *values)
    if occurred_at is not None and occurred_at.tzinfo is None:
        raise ValueError("feedback_id needs a timezone-aware time")
    parts = [
        source,
        "" if occurred_at is None else occurred_at.astimezone(UTC).isoformat(),
        "" if customer_id is None else customer_id,
        normalise_text(text),
    ]
    if not parts[-1]:
        parts += values if customer_id is not None else [str(occurrence), *values]
    return _digest("said", *parts)


def _digest(*parts: str) -> str:
    # Each part is preceded by its length, so that ("ab", "c") and ("a", "bc") differ.
    hasher = hashlib.blake2b(digest_size=16)
    for part in parts:
        data = part.encode("utf-8", "surrogatepass")
        hasher.update(len(data).to_bytes(8, "big"))
        hasher.update(data)
    return hasher.hexdigest()
