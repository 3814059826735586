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
    firm_surnames: str
    given_signs: str
    strong_given_signs: str
    kin_titles: tuple[str, ...]
    name_acts: tuple[str, ...]
    no_nicknames: str
    after_nickname: str
    after_kin: str
    no_full_names: str
    roles: tuple[str, ...]
    minority_parts: tuple[str, ...]
    name_before_dot: tuple[str, ...]
    before_name: str
    before_no_nickname: frozenset[str]
    place_signs: tuple[str, ...]
    place_cues: tuple[str, ...]

    @property
    def name_signs(self) -> tuple[str, ...]:
        """What calls for the rules of Chinese names."""
        return (*self.titles, *self.kin_titles, *self.name_labels, *self.name_leads)


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
            firm_surnames=_signs(data["firm_surnames"]),
            given_signs=_signs(data["given_signs"]),
            strong_given_signs=_signs(data["strong_given_signs"]),
            kin_titles=_longest_first(data["kin_titles"]),
            name_acts=_longest_first(data["name_acts"]),
            no_nicknames=data["no_nicknames"],
            after_nickname=data["after_nickname"],
            after_kin=data["after_kin"],
            no_full_names=data["no_full_names"],
            roles=_longest_first(data["roles"]),
            minority_parts=_longest_first(data["minority_parts"]),
            name_before_dot=_longest_first(data["name_before_dot"]),
            before_name=data["before_name"],
            before_no_nickname=frozenset(data["before_no_nickname"]),
            place_signs=_longest_first(data["place_signs"]),
            place_cues=_longest_first(data["place_cues"]),
        )
    except (OSError, KeyError, AttributeError, TypeError, yaml.YAMLError) as error:
        raise ConfigError(f"The masking word list {_FILE.name} cannot be used: {error!r}") from error


def _longest_first(words: str) -> tuple[str, ...]:
    return tuple(sorted(set(words.split()), key=lambda word: (-len(word), word)))


def _signs(text: str) -> str:
    """Each sign once, for a character class."""
    return "".join(dict.fromkeys("".join(text.split())))
