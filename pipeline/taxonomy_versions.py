"""Taxonomies and lexicons that were in effect in a data folder, kept whole so that one can go back."""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

import yaml

from pipeline.taxonomy import Taxonomy
from pipeline.taxonomy_sources import (
    LEXICON_FILE,
    TAXONOMY_FILE,
    Sources,
    UserFile,
    choose_industries,
    write_whole,
)
from store.errors import ConfigError, InputError

_FOLDER: Final = "taxonomy"


class Version(NamedTuple):
    """A kept version: what it is made of, when it was kept and by whom."""

    version: str
    kept_at: str
    actor: str
    sources: Sources
    topics: int


class TreeChange(NamedTuple):
    """What differs between two trees, by path."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    moved: Mapping[str, str]
    renamed: tuple[str, ...]
    departments: tuple[str, ...]


def version_of(sources: Sources) -> str:
    """The name of a version: a hash of the packs that are on and the user's files as written."""
    files = [
        file.raw.decode("utf-8", "replace") if file else None for file in (sources.taxonomy, sources.lexicon)
    ]
    parts = [list(sources.industries), *files]
    return hashlib.sha256(json.dumps(parts, ensure_ascii=False).encode()).hexdigest()[:12]


def keep_version(home: Path, taxonomy: Taxonomy, *, at: datetime, actor: str) -> str:
    """Keep the sources of a taxonomy under `taxonomy/<version>.yaml`, once; return the version."""
    sources = taxonomy.sources
    version = version_of(sources)
    path = _path(home, version)
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        content = {
            "version": version,
            "kept_at": at.isoformat(timespec="seconds"),
            "actor": actor,
            "industries": list(sources.industries),
            "topics": {topic: dict(taxonomy.entries[topic].names) for topic in taxonomy.paths},
            TAXONOMY_FILE: _text(sources.taxonomy),
            LEXICON_FILE: _text(sources.lexicon),
        }
        written = yaml.safe_dump(content, allow_unicode=True, sort_keys=False, width=110)
        write_whole(path, written.encode())
    return version


def versions(home: Path) -> list[Version]:
    """All kept versions, oldest first."""
    found = [_read(path) for path in (home / _FOLDER).glob("*.yaml")]
    return sorted(found, key=lambda one: (one.kept_at, one.version))


def find_version(home: Path, version: str) -> Version:
    """One kept version by its name or the beginning of it; InputError that lists the others."""
    kept = versions(home)
    matching = [one for one in kept if version and one.version.startswith(version)]
    if len(matching) != 1:
        names = ", ".join(one.version for one in kept) or "none is kept yet"
        raise InputError(f"there is no single version {version!r}", hint=f"versions: {names}")
    return matching[0]


def restore(home: Path, sources: Sources) -> None:
    """Put the packs and the user's files of a version in the place of those that are there."""
    for name, file in ((TAXONOMY_FILE, sources.taxonomy), (LEXICON_FILE, sources.lexicon)):
        if file is None:
            (home / name).unlink(missing_ok=True)
        else:
            write_whole(home / name, file.raw)
    choose_industries(home, sources.industries)


def compare_trees(before: Taxonomy, after: Taxonomy) -> TreeChange:
    """What is in one tree and not in the other; a move counts as a move, not as one more and one less."""
    gone, new = set(before.paths) - set(after.paths), set(after.paths) - set(before.paths)
    back = {now: old for old, now in before.moved.items()}
    moved = {}
    for path in sorted(gone):
        target = after.moved.get(back.get(path, path), back.get(path))
        if target in new:
            moved[path] = target
    both = [path for path in after.entries if path in before.entries]
    return TreeChange(
        added=tuple(path for path in after.paths if path in new - set(moved.values())),
        removed=tuple(path for path in before.paths if path in gone - set(moved)),
        moved=moved,
        renamed=tuple(path for path in both if before.entries[path].names != after.entries[path].names),
        departments=tuple(
            path for path in both if before.entries[path].departments != after.entries[path].departments
        ),
    )


def _path(home: Path, version: str) -> Path:
    return home / _FOLDER / f"{version}.yaml"


def _text(file: UserFile | None) -> str | None:
    return file.raw.decode("utf-8") if file else None


def _read(path: Path) -> Version:
    try:
        data: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
        files = [
            UserFile(str(path.parent.parent / name), data[name].encode()) if data[name] is not None else None
            for name in (TAXONOMY_FILE, LEXICON_FILE)
        ]
        sources = Sources(tuple(data["industries"]), *files)
        return Version(data["version"], data["kept_at"], data["actor"], sources, len(data["topics"]))
    except (OSError, KeyError, TypeError, AttributeError, ValueError, yaml.YAMLError) as error:
        raise ConfigError(f"the kept taxonomy {path} cannot be read: {error!r}") from error
