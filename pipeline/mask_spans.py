"""What masking finds: types, grades, and the data file behind the rules."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple

import yaml

from store.errors import ConfigError

Grade = Literal["identity", "account", "transaction"]
_FILE: Final = Path(__file__).with_name("mask.yaml")


class Span(NamedTuple):
    """Personal data at `[start, end)` of the text that was given, in code points."""

    start: int
    end: int
    type: str
    grade: Grade


class Found(NamedTuple):
    """A candidate span, before overlaps are settled."""

    start: int
    end: int
    type: str


@dataclass(frozen=True)
class MaskWords:
    """The lists of `mask.yaml`, ready for look-up."""

    grades: dict[str, Grade]
    surnames: frozenset[str]
    compound_surnames: frozenset[str]
    doubtful_surnames: frozenset[str]
    not_names: frozenset[str]
    titles: tuple[str, ...]
    name_labels: tuple[str, ...]
    name_leads: tuple[str, ...]
    provinces: tuple[str, ...]
    place_signs: tuple[str, ...]
    place_cues: tuple[str, ...]

    @property
    def name_signs(self) -> tuple[str, ...]:
        """What calls for the rules of Chinese names."""
        return (*self.titles, *self.name_labels, *self.name_leads)


@cache
def mask_words() -> MaskWords:
    """Read `mask.yaml` once. Raises ConfigError where the file is not as it should be."""
    try:
        data: dict[str, Any] = yaml.safe_load(_FILE.read_text(encoding="utf-8"))
        grades: dict[str, Grade] = {kind: grade for grade, kinds in data["grades"].items() for kind in kinds}
        return MaskWords(
            grades=grades,
            surnames=frozenset("".join(data["surnames"].split())),
            compound_surnames=frozenset(data["compound_surnames"].split()),
            doubtful_surnames=frozenset(data["doubtful_surnames"]),
            not_names=frozenset(data["not_names"].split()),
            titles=_longest_first(data["titles"]),
            name_labels=_longest_first(data["name_labels"]),
            name_leads=_longest_first(data["name_leads"]),
            provinces=_longest_first(data["provinces"]),
            place_signs=_longest_first(data["place_signs"]),
            place_cues=_longest_first(data["place_cues"]),
        )
    except (OSError, KeyError, AttributeError, TypeError, yaml.YAMLError) as error:
        raise ConfigError(f"The masking word list {_FILE.name} cannot be used: {error!r}") from error


def _longest_first(words: str) -> tuple[str, ...]:
    return tuple(sorted(set(words.split()), key=lambda word: (-len(word), word)))
