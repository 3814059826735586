"""Labelled feedback as training rows of a multi-label encoder: which outputs there are, which are true.

Runs in the environment of the training, which has torch and pydantic and little else of ours.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from store.errors import InputError
from store.records import Emotion, Intent, Priority, Sentiment

_CHOICES: Final[Mapping[str, tuple[str, ...]]] = {
    "sentiment": tuple(Sentiment),
    "emotion": tuple(Emotion),
    "intent": tuple(Intent),
    "priority": tuple(Priority),
}
# What a column of several values is called in sheets, and in labels as `label predict` writes them.
_SEVERAL: Final[Mapping[str, tuple[str, ...]]] = {
    "topic": ("topics", "topic"),
    "risk": ("risk", "risk_signals"),
    "compliance": ("compliance", "compliance_flags"),
}
_PREFIX: Final = "human_"
_NOTHING: Final = frozenset({"none", "无"})
# Ten parts by the text's hash: eight to train on, one to choose thresholds by, one to measure on.
_PARTS: Final = 10


@dataclass(frozen=True)
class Row:
    """One text. `true` are the outputs that hold; `known` the groups (`sentiment` ...) somebody looked at.

    `blank` are outputs of a known group that nobody decided: those of a topic named without its polarity.
    """

    text: str
    true: frozenset[str]
    known: frozenset[str]
    blank: frozenset[str] = frozenset()

    @property
    def part(self) -> int:
        """0 to 9, a function of the text: the same text is never both trained and measured on."""
        return int.from_bytes(hashlib.blake2b(self.text.encode(), digest_size=4).digest(), "big") % _PARTS


def read_rows(path: Path, *, predicted: bool = False) -> list[Row]:
    """Read JSON lines with `text` and columns of labels; InputError where one is not usable, with its line.

    Columns: `human_sentiment` and so on of a filled-in sheet, values as paths, several parted by `|`, "none"
    for looked at and nothing found, empty for not looked at. Where `predicted`, the columns of the machine's
    own labels count (`label predict FILE` writes such rows): the encoder then learns what that labeller says.
    """
    rows: list[Row] = []
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                row = _row(json.loads(line), "" if predicted else _PREFIX)
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                raise InputError(f"{path}, line {number}: {error}") from error
            if row.known and row.text.strip():
                rows.append(row)
    if not rows:
        raise InputError(
            f"{path}: no row has labels",
            hint="sheets need human_* columns; --predicted takes a machine's labels",
        )
    return rows


def outputs_of(rows: Iterable[Row]) -> list[str]:
    """The outputs worth having: every choice of a group that is known, and whatever occurs of the others."""
    found: set[str] = set()
    for row in rows:
        found |= row.true
        found |= {f"{group}:{value}" for group in row.known for value in _CHOICES.get(group, ())}
    return sorted(found)


def targets(rows: Sequence[Row], outputs: Sequence[str]) -> tuple[list[list[float]], list[list[float]]]:
    """Values 0 or 1 by row and output, and a mask: 0 where nobody looked, so that nothing is learnt there."""
    values = [[1.0 if name in row.true else 0.0 for name in outputs] for row in rows]
    mask = [
        [1.0 if name.partition(":")[0] in row.known and name not in row.blank else 0.0 for name in outputs]
        for row in rows
    ]
    return values, mask


def _row(data: Mapping[str, Any], prefix: str) -> Row:
    true: set[str] = set()
    known: set[str] = set()
    blank: set[str] = set()
    for group, choices in _CHOICES.items():
        value = data.get(prefix + group)
        if value in (None, ""):
            continue
        if value not in choices:
            raise ValueError(f"{prefix}{group}: {value!r} is none of {', '.join(choices)}")
        known.add(group)
        true.add(f"{group}:{value}")
    for group, names in _SEVERAL.items():
        given = next(
            (data[prefix + name] for name in names if data.get(prefix + name) not in (None, "")), None
        )
        if given is None:
            continue
        known.add(group)
        for value in _values(given):
            if group != "topic":
                true.add(f"{group}:{value}")
                continue
            path, _, polarity = value.partition("=")
            every = {f"topic:{path}={side.value}" for side in Sentiment}
            if polarity and f"topic:{path}={polarity}" not in every:
                raise ValueError(f"{value!r}: a topic is written like service/attitude=negative")
            blank |= set() if polarity else every
            true |= {f"topic:{path}={polarity}"} if polarity else set()
    return Row(str(data["text"]), frozenset(true), frozenset(known), frozenset(blank))


def _values(given: Any) -> list[str]:
    """Values of a cell (`a|b`), a list, or a list of topic labels."""
    parts = given.split("|") if isinstance(given, str) else given
    found: list[str] = []
    for part in parts:
        if isinstance(part, Mapping):
            found.append(
                f"{part['topic']}={part['polarity']}" if part.get("polarity") else str(part["topic"])
            )
        elif part.strip() and part.strip().lower() not in _NOTHING:
            found.append(part.strip())
    return found
