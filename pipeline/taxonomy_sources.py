"""What a taxonomy and its lexicon are put together from: industry packs, and the user's own two files."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple

import yaml

from pipeline.checked_yaml import Document, read_document
from store.errors import ConfigError

_PACKS: Final = Path(__file__).with_name("packs")
TAXONOMY_FILE: Final = "taxonomy.yaml"
LEXICON_FILE: Final = "lexicon.yaml"
CHOICE_FILE: Final = "industries.yaml"


class UserFile(NamedTuple):
    """A file of the user's: the name to call it by, and its bytes."""

    name: str
    raw: bytes


@dataclass(frozen=True)
class Sources:
    """Which packs are on (in the order in which they count) and what the user has written.

    Hashable, and whole: two equal Sources make the same taxonomy and the same lexicon.
    """

    industries: tuple[str, ...] = ()
    taxonomy: UserFile | None = None
    lexicon: UserFile | None = None


GENERAL: Final = Sources()


def read_sources(home: Path, industries: Sequence[str] | None = None) -> Sources:
    """The sources of a data folder; `industries` (None: those chosen for the folder) names the packs.

    A pack that does not exist is a ConfigError that names the others.
    """
    return Sources(
        known_packs(chosen_industries(home) if industries is None else industries),
        _user_file(home / TAXONOMY_FILE),
        _user_file(home / LEXICON_FILE),
    )


def chosen_industries(home: Path) -> tuple[str, ...]:
    """The packs chosen for a data folder by `taxonomy use`; none by default."""
    file = _user_file(home / CHOICE_FILE)
    if file is None:
        return ()
    document = read_document(file.name, file.raw)
    names = (document.data or {}).get("industries") or []
    if document.problems or not isinstance(names, list) or not all(isinstance(one, str) for one in names):
        raise ConfigError(f"{file.name} cannot be used", hint="choose again: `voiceloop taxonomy use`")
    return tuple(names)


def choose_industries(home: Path, names: Sequence[str]) -> tuple[str, ...]:
    """Keep the choice of packs for a data folder (no name: none); ConfigError for one that is no pack."""
    chosen = known_packs(names)
    home.mkdir(parents=True, exist_ok=True)
    write_whole(home / CHOICE_FILE, f"industries: [{', '.join(chosen)}]\n".encode())
    return chosen


def write_whole(path: Path, raw: bytes) -> None:
    """Write a file so that a reader, or a crash, sees all of the old or all of the new."""
    draft = path.with_name(f"{path.name}.new")
    try:
        with draft.open("wb") as stream:
            stream.write(raw)
            stream.flush()
            os.fsync(stream.fileno())
        draft.replace(path)
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror}") from error


def pack_names() -> tuple[str, ...]:
    """The industries that ship with the product, by name."""
    return tuple(sorted(file.stem for file in _PACKS.glob("*.yaml")))


def known_packs(names: Sequence[str]) -> tuple[str, ...]:
    """The names without repeats; ConfigError for one that is no pack."""
    for name in names:
        if name not in pack_names():
            near = get_close_matches(name, pack_names(), n=1)
            guess = f"did you mean {near[0]}? " if near else ""
            raise ConfigError(
                f"there is no industry pack {name!r}", hint=f"{guess}packs: {', '.join(pack_names())}"
            )
    return tuple(dict.fromkeys(names))


@cache
def read_pack(name: str) -> dict[str, Any]:
    """The content of one shipped pack (not to be changed by the caller)."""
    file = _PACKS / f"{name}.yaml"
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        data = yaml.load(file.read_bytes(), Loader=loader)
    except (OSError, yaml.YAMLError) as error:
        raise ConfigError(f"the industry pack {file} cannot be read: {error}") from error
    return dict(data)


def user_document(file: UserFile | None, name: str) -> Document:
    """What a user's file says; an empty document where there is none."""
    return read_document(file.name, file.raw) if file else Document(name, {})


def pack_document(name: str, part: str) -> Document:
    """One part (`branches` as a taxonomy, `lexicon`) of a pack as a document."""
    data = read_pack(name)
    chosen = {"branches": data.get("branches", {})} if part == "branches" else data.get(part, {})
    return Document(f"packs/{name}.yaml", chosen)


def _user_file(path: Path) -> UserFile | None:
    try:
        return UserFile(str(path), path.read_bytes())
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from error
