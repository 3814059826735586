"""The topic tree: what can be spoken of, what it is called, and who owns it."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import yaml

from pipeline.checked_yaml import Document, Problem
from pipeline.taxonomy_merge import LANGUAGES, Draft, Tree
from pipeline.taxonomy_sources import GENERAL, TAXONOMY_FILE, Sources, pack_document, user_document
from store.errors import ConfigError

__all__ = ["LANGUAGES", "Taxonomy", "TopicEntry", "build_taxonomy", "load_taxonomy", "said"]

_FILE: Final = Path(__file__).with_name("taxonomy.yaml")
_SHOWN: Final = 8
_HINT: Final = "correct the file; `voiceloop taxonomy check` says when it is sound"


@dataclass(frozen=True)
class TopicEntry:
    """Names and owning departments of a branch (`service`) or topic (`service/attitude`), by language.

    `aliases` are further words by which people ask for it.
    """

    names: Mapping[str, str]
    departments: Mapping[str, str]
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True)
class Taxonomy:
    """All branches and topics by path. `paths` lists the topics, branch by branch.

    `moved` maps a path of the general tree or a pack to the path it has here. `fingerprint` changes with the
    topics and their names (all that a labeller can see), not with departments.
    """

    title: str
    paths: tuple[str, ...]
    entries: Mapping[str, TopicEntry]
    fingerprint: str
    moved: Mapping[str, str] = field(default_factory=dict)
    sources: Sources = GENERAL

    def name(self, path: str, language: str) -> str:
        """Name of a branch or topic in "zh" or "en". An unknown path is a KeyError."""
        return self.entries[path].names[_known(language)]

    def department(self, path: str, language: str) -> str:
        """Department that owns a branch or topic, in "zh" or "en". An unknown path is a KeyError."""
        return self.entries[path].departments[_known(language)]

    def title_of(self, path: str, language: str) -> str:
        """The name of a path, or the path itself where it is none of this tree (labels may be older)."""
        return self.name(path, language) if path in self.entries else path

    def titles(self, language: str) -> dict[str, str]:
        """The name of every branch and topic by path."""
        return {path: self.name(path, language) for path in self.entries}

    def words(self) -> dict[str, str]:
        """Every name and alias of a topic, in any language, to its path.

        A name comes before an alias, an earlier topic's alias before a later one's; case tells none apart.
        """
        found = {entry.names[language]: path for path, entry in self._topics() for language in LANGUAGES}
        taken = {word.casefold() for word in found}
        for path, entry in self._topics():
            for alias in entry.aliases:
                if alias.casefold() not in taken:
                    taken.add(alias.casefold())
                    found[alias] = path
        return found

    def _topics(self) -> list[tuple[str, TopicEntry]]:
        return [(path, self.entries[path]) for path in self.paths]


def load_taxonomy(sources: Sources = GENERAL) -> Taxonomy:
    """The general tree with the packs and the user's file on it; ConfigError that lists every problem."""
    taxonomy, problems = build_taxonomy(sources)
    if problems:
        raise ConfigError(said(problems), hint=_HINT)
    return taxonomy


def said(problems: Sequence[Problem]) -> str:
    """The message of a ConfigError over problems, the first ones in full."""
    lines = [str(problem) for problem in problems[:_SHOWN]]
    if len(problems) > _SHOWN:
        lines.append(f"... and {len(problems) - _SHOWN} more: `voiceloop taxonomy check` lists all")
    return "\n".join(lines)


@lru_cache(maxsize=8)
def build_taxonomy(sources: Sources) -> tuple[Taxonomy, tuple[Problem, ...]]:
    """The tree as far as it can be built, and all that is wrong with it."""
    tree = Tree()
    general = _general()
    documents = [Document("taxonomy.yaml", {"branches": general["branches"]})]
    documents += [pack_document(name, "branches") for name in sources.industries]
    for document in documents:
        tree.add(document)
    user = user_document(sources.taxonomy, TAXONOMY_FILE)
    tree.change(user)
    problems = [problem for document in (*documents, user) for problem in document.problems]
    title = "+".join((str(general["name"]), *sources.industries))
    return _taxonomy(tree, title, sources), tuple(problems)


def _taxonomy(tree: Tree, title: str, sources: Sources) -> Taxonomy:
    entries: dict[str, TopicEntry] = {}
    paths: list[str] = []
    for branch, draft in tree.branches.items():
        entries[branch] = _entry(draft, draft)
        for topic, leaf in draft.topics.items():
            entries[f"{branch}/{topic}"] = _entry(leaf, draft)
            paths.append(f"{branch}/{topic}")
    seen = [(path, *(entry.names[language] for language in LANGUAGES)) for path, entry in entries.items()]
    digest = hashlib.sha256(json.dumps(seen, ensure_ascii=False).encode()).hexdigest()[:12]
    return Taxonomy(title, tuple(paths), entries, digest, dict(tree.moved), sources)


def _entry(draft: Draft, branch: Draft) -> TopicEntry:
    names = {language: draft.names.get(language, "") for language in LANGUAGES}
    departments = {
        language: draft.departments.get(language) or branch.departments.get(language, "")
        for language in LANGUAGES
    }
    return TopicEntry(names, departments, tuple(draft.aliases))


def _known(language: str) -> str:
    return language if language in LANGUAGES else "en"


@lru_cache(maxsize=1)
def _general() -> dict[str, Any]:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        data = yaml.load(_FILE.read_bytes(), Loader=loader)
        return {"name": data["name"], "branches": data["branches"]}
    except (OSError, KeyError, TypeError, yaml.YAMLError) as error:
        raise ConfigError(f"the general taxonomy {_FILE} cannot be used: {error!r}") from error
