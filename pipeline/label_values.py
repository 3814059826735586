"""What a person's file calls a label, as one of ours: names in two languages, stars, 1 and 0, lists."""

import dataclasses
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

from pipeline.taxonomy import Taxonomy
from store.errors import ConfigError, ToolInputError

_FILE: Final = Path(__file__).with_name("label_values.yaml")
FIELDS: Final = ("sentiment", "topics", "intent", "emotion", "priority", "risk")
MULTIPLE: Final = frozenset({"topics", "risk"})
POLARITIES: Final = ("negative", "neutral", "positive")
# The value of a text that was looked at and has no topic (or no risk).
NOTHING: Final = ""
LEFT_OUT: Final = "-"
_ALIASES: Final = {"topic": "topics", "risks": "risk", "risk_signals": "risk", "emotions": "emotion"}
_SEPARATORS: Final = re.compile(r"[|;；、,，\n]")
# Inside a name only: the sign of a number stays.
_SPACES: Final = re.compile(r"(?<=\w)[\s_\-]+(?=\w)")
_NUMBER: Final = re.compile(r"[+-]?\d+(?:\.0+)?")
# How the numbers of a column of sentiments are read, by which numbers occur in it.
_SCHEMES: Final[tuple[tuple[str, frozenset[int], Mapping[int, str]], ...]] = (
    ("1 = positive, 0 = negative", frozenset({0, 1}), {1: "positive", 0: "negative"}),
    (
        "1 = positive, 0 = neutral, -1 = negative",
        frozenset({-1, 0, 1}),
        {1: "positive", 0: "neutral", -1: "negative"},
    ),
    (
        "stars: 4-5 = positive, 3 = neutral, 1-2 = negative",
        frozenset({1, 2, 3, 4, 5}),
        {1: "negative", 2: "negative", 3: "neutral", 4: "positive", 5: "positive"},
    ),
)


def field_of(name: str) -> str:
    """The field a person means by `name`; ToolInputError that lists the fields where there is none."""
    found = _ALIASES.get(name.strip().lower(), name.strip().lower())
    for known in FIELDS:
        if found == known or found in _names(known):
            return known
    raise ToolInputError(f"there is no label field {name!r}", hint=f"fields: {', '.join(FIELDS)}")


@dataclass(frozen=True)
class LabelBook:
    """The values of one field by every name they go by (folded: lower case, single blanks).

    `ambiguous` names mean more than one topic. `shown` are the values with their names, for messages.
    """

    field: str
    values: tuple[str, ...]
    names: Mapping[str, str]
    shown: tuple[str, ...]
    ambiguous: frozenset[str] = frozenset()
    overrides: Mapping[str, str] = dataclasses.field(default_factory=dict)
    numbers: Mapping[int, str] = dataclasses.field(default_factory=dict)
    scheme: str = ""

    @property
    def multiple(self) -> bool:
        """Whether a text may have several values, or none."""
        return self.field in MULTIPLE

    def value(self, raw: str) -> str | None:
        """One of our values, LEFT_OUT where `--map` says so, None where the name is not known."""
        key = fold(raw)
        if key in self.overrides:
            return self.overrides[key]
        if self.numbers and _NUMBER.fullmatch(key):
            return self.numbers.get(int(float(key)))
        return self.names.get(key)

    def known(self) -> str:
        """What may be written, as one line."""
        return ", ".join(self.shown)


def label_book(
    name: str, taxonomy: Taxonomy, maps: Mapping[str, str] | None = None, seen: Iterable[str] = ()
) -> LabelBook:
    """The names of a field. `maps`: a person's value to one of ours. `seen`: the values that occur.

    Numbers in a column of sentiments are understood from all numbers that occur together. Raises
    ToolInputError where `maps` leads to a value that does not exist.
    """
    known = field_of(name)
    book = _topic_book(taxonomy) if known == "topics" else _plain_book(known)
    overrides: dict[str, str] = {}
    for raw, wanted in (maps or {}).items():
        found = LEFT_OUT if wanted.strip() == LEFT_OUT else book.names.get(fold(wanted))
        if found is None:
            raise ToolInputError(
                f"--map {raw}={wanted}: {known} has no value {wanted!r}",
                hint=f"known: {book.known()}; {LEFT_OUT} leaves rows with {raw!r} out",
            )
        overrides[fold(raw)] = found
    scheme, numbers = _scheme(seen, overrides) if known == "sentiment" else ("", {})
    return LabelBook(known, book.values, book.names, book.shown, book.ambiguous, overrides, numbers, scheme)


def is_label_column(column: str, known: str, *, generic: bool = True) -> bool:
    """Whether a column is called like the field; with `generic`, also one that is just called a label."""
    names = {known, *map(fold, _names(known))} | (_words("columns") if generic else frozenset())
    return _ALIASES.get(fold(column), fold(column)) in names


@cache
def polarity_book() -> LabelBook:
    """The names of the polarities, which topics carry as well."""
    return _plain_book("sentiment")


def split_cell(cell: object) -> list[str]:
    """The values in a cell of several: a list, a JSON list, or text parted by | ; 、 or commas."""
    if isinstance(cell, list | tuple):
        return [str(one).strip() for one in cell if str(one).strip()]
    text = "" if cell is None else str(cell).strip()
    if text.startswith("[") and text.endswith("]"):
        try:
            return split_cell(json.loads(text))
        except ValueError:
            text = text[1:-1].replace("'", "").replace('"', "")
    return [part.strip() for part in _SEPARATORS.split(text) if part.strip()]


def is_blank(cell: object) -> bool:
    """Whether a cell says that nobody has labelled the text."""
    return cell is None or (isinstance(cell, str | float) and fold(str(cell)) in _words("blank"))


def is_nothing(cell: object) -> bool:
    """Whether a cell says that the text was looked at and has none."""
    return cell == [] or (isinstance(cell, str) and fold(cell) in _words("nothing"))


def fold(name: str) -> str:
    """A name without case and without the difference of blank, underscore and hyphen inside it."""
    return _SPACES.sub(" ", name.strip().lower())


def shown_name(known: str, value: str, language: str, taxonomy: Taxonomy | None = None) -> str:
    """A value in a person's language; the value itself where it has no name."""
    if known == "topics":
        return taxonomy.name(value, language) if taxonomy and value in taxonomy.entries else value
    names = _data()[known]["values"].get(value)
    return str(names[language][0]) if names else value


def _plain_book(known: str) -> LabelBook:
    values = _data()[known]["values"]
    names: dict[str, str] = {}
    for value, by_language in values.items():
        for name in (value, *by_language["zh"], *by_language["en"]):
            names.setdefault(fold(str(name)), value)
    shown = tuple(f"{value} ({by_language['zh'][0]})" for value, by_language in values.items())
    return LabelBook(known, tuple(values), names, shown)


def _topic_book(taxonomy: Taxonomy) -> LabelBook:
    """Paths, last parts of paths and names in both languages; a name of several topics is ambiguous."""
    found: dict[str, set[str]] = {}
    for path, entry in taxonomy.entries.items():
        for name in {path.rpartition("/")[2], *map(str, entry.names.values())}:
            found.setdefault(fold(name), set()).add(path)
    names = {name: next(iter(paths)) for name, paths in found.items() if len(paths) == 1}
    for name, paths in found.items():
        # Where a branch and one of its own topics share a name, the branch is meant.
        branches = [path for path in paths if "/" not in path]
        if len(branches) == 1:
            names[name] = branches[0]
    names |= {fold(path): path for path in taxonomy.entries}
    shown = tuple(f"{path} ({taxonomy.name(path, 'zh')})" for path in taxonomy.entries)
    ambiguous = frozenset(found) - frozenset(names)
    return LabelBook("topics", tuple(taxonomy.entries), names, shown, ambiguous)


def _scheme(seen: Iterable[str], overrides: Mapping[str, str]) -> tuple[str, Mapping[int, str]]:
    folded = {fold(raw) for raw in seen} - set(overrides)
    numbers = {int(float(raw)) for raw in folded if _NUMBER.fullmatch(raw)}
    for told, possible, meaning in _SCHEMES:
        # 1 alone, or 0 alone, may be a star as well as a yes: a person must say.
        if numbers <= possible and (len(numbers) > 1 or numbers & {-1, 2, 3, 4, 5}):
            return told, meaning
    return "", {}


def _names(known: str) -> Sequence[str]:
    return [str(name) for name in _data()[known]["name"].values()]


@cache
def _words(kind: str) -> frozenset[str]:
    return frozenset(fold(str(word)) for word in _data()[kind])


@cache
def _data() -> dict[str, Any]:
    try:
        data: dict[str, Any] = yaml.safe_load(_FILE.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise ConfigError(f"{_FILE.name} cannot be used: {error}") from error
    return data
