"""Lays trees of topics one over the other: the general one, packs, and the user's changes to them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, Final

from pipeline.checked_yaml import At, Document

LANGUAGES: Final = ("zh", "en")
_KEY: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")
_KEY_FORM: Final = "lower-case Latin letters, digits and _, e.g. baggage_claim"
_FORM: Final = "{zh: 名称, en: Name}"


@dataclass
class Draft:
    """A branch or topic while the tree is put together."""

    names: dict[str, str] = field(default_factory=dict)
    departments: dict[str, str] = field(default_factory=dict)
    aliases: list[str] = field(default_factory=list)
    topics: "dict[str, Draft]" = field(default_factory=dict)


class Tree:
    """Branches by key. What cannot be done is a problem of the document that asks for it, and is left out."""

    def __init__(self) -> None:
        self.branches: dict[str, Draft] = {}
        self.moved: dict[str, str] = {}
        self._off: dict[str, None] = {}

    def add(self, document: Document) -> None:
        """Add the branches and topics of a document, or change those that are there already."""
        data = document.data or {}
        branches = document.mapping(data.get("branches"), ("branches",), "branches by key")
        for key, node in branches.items():
            self._branch(document, key, node)
        self._unique(document)

    def change(self, document: Document) -> None:
        """Do what a user's file says: moves first, then additions and names, then what is switched off."""
        data = document.data or {}
        document.only(data, (), ("branches", "move", "off"))
        self._move(document, data.get("move"))
        self.add(document)
        self._switch_off(document, data.get("off"))

    def paths(self) -> list[str]:
        """All topics."""
        return [f"{key}/{topic}" for key, branch in self.branches.items() for topic in branch.topics]

    def _branch(self, document: Document, key: str, node: Any) -> None:
        at = ("branches", key)
        if not _is_key(document, at, key):
            return
        content = document.mapping(node, at, "name, department, topics")
        document.only(content, at, ("name", "department", "also", "topics"))
        draft = self.branches.get(key) or Draft()
        _fill(document, at, draft, content, needs_department=True)
        topics = document.mapping(content.get("topics"), (*at, "topics"), "topics by key")
        for topic, leaf in topics.items():
            here = (*at, "topics", topic)
            if not _is_key(document, here, topic):
                continue
            content_of_leaf = document.mapping(leaf, here, "name, department, also")
            document.only(content_of_leaf, here, ("name", "department", "also"))
            one = draft.topics.setdefault(topic, Draft())
            _fill(document, here, one, content_of_leaf, needs_department=False)
        if not draft.topics:
            document.complain(at, "is a branch without topics", "add at least one under topics:")
            return
        self.branches[key] = draft

    def _move(self, document: Document, moves: Any) -> None:
        asked = document.mapping(moves, ("move",), "old path: new path")
        for old, new in asked.items():
            at = ("move", old)
            if not isinstance(new, str) or new.count("/") != 1:
                document.complain(at, f"leads to {new!r}", "a path of two keys, e.g. service/returns")
            elif new in asked:
                wrong = "moves in a circle" if _circles(asked, old) else f"leads to {new}, which moves itself"
                document.complain(at, wrong, "name the last path at once, each path once")
            elif self._knows(document, at, old):
                self._move_one(document, at, old, new)

    def _move_one(self, document: Document, at: At, old: str, new: str) -> None:
        old_branch, old_topic = old.split("/")
        branch, topic = new.split("/")
        if not _is_key(document, at, topic):
            return
        if branch not in self.branches:
            document.complain(
                at, f"leads to the unknown branch {branch!r}", f"one of {_listed(self.branches)}"
            )
        elif topic in self.branches[branch].topics:
            document.complain(at, f"leads to {new}, which is there already", "another path")
        else:
            leaf = self.branches[old_branch].topics.pop(old_topic)
            leaf.departments = leaf.departments or dict(self.branches[old_branch].departments)
            self.branches[branch].topics[topic] = leaf
            self.moved[old] = new
            if not self.branches[old_branch].topics:
                del self.branches[old_branch]

    def _switch_off(self, document: Document, off: Any) -> None:
        if off is None:
            return
        if not isinstance(off, list):
            document.complain(("off",), "is no list", "paths of topics or branches, e.g. [product/taste]")
            return
        for path in off:
            at = ("off", str(path))
            if not isinstance(path, str) or not (path in self.branches or self._knows(document, at, path)):
                continue
            branch, _, topic = path.partition("/")
            if topic:
                del self.branches[branch].topics[topic]
            if not topic or not self.branches[branch].topics:
                del self.branches[branch]
        if not self.branches:
            document.complain(("off",), "switches off every branch", "leave at least one topic on")

    def _knows(self, document: Document, at: At, path: str) -> bool:
        known = self.paths()
        if path in known:
            return True
        near = get_close_matches(path, [*known, *self.branches], n=3)
        document.complain(at, f"there is no topic {path!r}", f"nearest: {_listed(near or known[:5])}")
        return False

    def _unique(self, document: Document) -> None:
        """No two topics of one name: a question could not say which is meant."""
        for language in LANGUAGES:
            owners: dict[str, str] = {}
            for key, branch in self.branches.items():
                for topic, leaf in branch.topics.items():
                    name = leaf.names.get(language, "").casefold()
                    path = f"{key}/{topic}"
                    if name and owners.setdefault(name, path) != path:
                        at = ("branches", key, "topics", topic, "name", language)
                        wrong = f"{leaf.names[language]!r} is a duplicate: {owners[name]} is called so too"
                        document.complain(at, wrong, "a name of its own")


def _fill(
    document: Document, at: At, draft: Draft, content: Mapping[str, Any], *, needs_department: bool
) -> None:
    """Take over what is given; a new entry needs a name in both languages, a new branch a department too."""
    draft.names |= _words(document, (*at, "name"), content.get("name"))
    draft.departments |= _words(document, (*at, "department"), content.get("department"))
    needed = {"name": draft.names} | ({"department": draft.departments} if needs_department else {})
    for part, given in needed.items():
        for language in LANGUAGES:
            if language not in given:
                document.complain((*at, part, language), "is missing", f"give it in both languages: {_FORM}")
                given[language] = at[-1]
    also = content.get("also") or []
    if isinstance(also, list) and all(isinstance(word, str) and word.strip() for word in also):
        draft.aliases += [word for word in also if word not in draft.aliases]
    else:
        document.complain((*at, "also"), "is no list of words", "[航变, rebooking]")


def _words(document: Document, at: At, value: Any) -> dict[str, str]:
    """Names by language; an empty one is a problem and left out."""
    given = document.mapping(value, at, _FORM) if value is not None else {}
    document.only(given, at, LANGUAGES)
    found: dict[str, str] = {}
    for language in LANGUAGES:
        if language not in given:
            continue
        name = given[language]
        if not isinstance(name, str) or not name.strip():
            document.complain((*at, language), "is empty", f"some words: {_FORM}")
            name = at[-2]
        found[language] = name.strip()
    return found


def _is_key(document: Document, at: At, key: str) -> bool:
    if _KEY.fullmatch(key):
        return True
    document.complain(at, f"{key!r} is no key", _KEY_FORM)
    return False


def _circles(moves: Mapping[str, Any], start: str) -> bool:
    seen, here = {start}, moves.get(start)
    while isinstance(here, str) and here in moves:
        if here in seen:
            return True
        seen.add(here)
        here = moves[here]
    return False


def _listed(names: Any) -> str:
    return ", ".join(names)
