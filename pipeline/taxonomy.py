"""The topic tree: what can be spoken of, what it is called, and who owns it."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

from store.errors import ConfigError

_FILE: Final = Path(__file__).with_name("taxonomy.yaml")
LANGUAGES: Final = ("zh", "en")


@dataclass(frozen=True)
class TopicEntry:
    """Names and owning departments of a branch (`service`) or topic (`service/attitude`), by language."""

    names: Mapping[str, str]
    departments: Mapping[str, str]


@dataclass(frozen=True)
class Taxonomy:
    """All branches and topics by path. `paths` lists the topics, in the order of the file."""

    title: str
    paths: tuple[str, ...]
    entries: Mapping[str, TopicEntry]
    fingerprint: str

    def name(self, path: str, language: str) -> str:
        """Name of a branch or topic in "zh" or "en". An unknown path is a KeyError."""
        return self.entries[path].names[_known(language)]

    def department(self, path: str, language: str) -> str:
        """Department that owns a branch or topic, in "zh" or "en". An unknown path is a KeyError."""
        return self.entries[path].departments[_known(language)]


def load_taxonomy(path: Path | None = None) -> Taxonomy:
    """Read a taxonomy file (the general one where none is given); ConfigError where it is not usable."""
    return _read(path or _FILE)


def _known(language: str) -> str:
    return language if language in LANGUAGES else "en"


@cache
def _read(path: Path) -> Taxonomy:
    try:
        raw = path.read_bytes()
        data: dict[str, Any] = yaml.load(raw, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        entries: dict[str, TopicEntry] = {}
        topics: list[str] = []
        for branch, node in data["branches"].items():
            entries[branch] = _entry(node, branch)
            for topic, leaf in node["topics"].items():
                entries[f"{branch}/{topic}"] = _entry(leaf, f"{branch}/{topic}")
                topics.append(f"{branch}/{topic}")
        title = str(data["name"])
    except (OSError, KeyError, AttributeError, TypeError, yaml.YAMLError) as error:
        raise ConfigError(f"The taxonomy {path} cannot be used: {error!r}") from error
    return Taxonomy(title, tuple(topics), entries, hashlib.sha256(raw).hexdigest()[:12])


def _entry(node: Mapping[str, Any], path: str) -> TopicEntry:
    names, departments = dict(node["name"]), dict(node["department"])
    missing = [language for language in LANGUAGES if not names.get(language) or not departments.get(language)]
    if missing:
        raise KeyError(f"{path} has no name or department in {', '.join(missing)}")
    return TopicEntry(names, departments)
