"""YAML written by people: a key that stands twice is an error, and every problem says where it is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, NamedTuple

import yaml

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_DEEPEST = 20
At = tuple[str, ...]


class Problem(NamedTuple):
    """What is wrong in a file: `at` is the path of keys (dots between), `line` counts from 1."""

    file: str
    at: str
    wrong: str
    allowed: str
    line: int | None = None

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return ": ".join(part for part in (place, self.at, self.wrong) if part) + f" ({self.allowed})"


@dataclass
class Document:
    """The data of one file, the line of every key, and the problems found in it so far."""

    file: str
    data: Any = None
    lines: dict[At, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def complain(self, at: At, wrong: str, allowed: str) -> None:
        """Note a problem at a path of keys; its line is that of the nearest key that is there."""
        near = at
        while near and near not in self.lines:
            near = near[:-1]
        self.problems.append(Problem(self.file, ".".join(at), wrong, allowed, self.lines.get(near)))

    def mapping(self, value: Any, at: At, allowed: str) -> Mapping[str, Any]:
        """The value if it is a mapping; nothing where nothing is given; else a problem, and nothing in it."""
        if isinstance(value, dict):
            return value
        if value is not None:
            self.complain(at, f"is {_kind(value)}", allowed)
        return {}

    def only(self, value: Mapping[str, Any], at: At, known: tuple[str, ...]) -> None:
        """Complain of keys that mean nothing here."""
        for key in value:
            if key not in known:
                near = get_close_matches(str(key), known, n=1)
                guess = f"did you mean {near[0]!r}? " if near else ""
                self.complain((*at, str(key)), "is not known here", f"{guess}known: {', '.join(known)}")


def read_document(file: str, raw: bytes) -> Document:
    """Parse one file. What is no YAML, or no mapping at its top, is a problem of the document."""
    document = Document(file)
    try:
        text = raw.decode("utf-8-sig")
        node = yaml.compose(text, Loader=_LOADER)
    except UnicodeDecodeError as error:
        document.complain((), f"is not UTF-8: {error.reason} at byte {error.start}", "save it as UTF-8")
        return document
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        reason = getattr(error, "problem", None) or str(error)
        line = mark.line + 1 if mark else None
        document.problems.append(Problem(file, "", f"is no YAML: {reason}", "see docs/taxonomy.md", line))
        return document
    if node is not None:
        document.data = document.mapping(_value(node, (), document), (), "keys: see docs/taxonomy.md")
    return document


def _value(node: yaml.Node, at: At, document: Document, depth: int = 0) -> Any:
    if depth > _DEEPEST:
        document.complain(at, "refers to itself or is nested too deep", f"at most {_DEEPEST} levels")
        return None
    if isinstance(node, yaml.MappingNode):
        found: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = str(_scalar(key_node))
            here = (*at, key)
            line = key_node.start_mark.line + 1
            if key in found:
                document.complain(here, f"stands twice, in line {line} again", "write each key once")
                continue
            document.lines[here] = line
            found[key] = _value(value_node, here, document, depth + 1)
        return found
    if isinstance(node, yaml.SequenceNode):
        return [_value(one, at, document, depth + 1) for one in node.value]
    return _scalar(node)


def _scalar(node: yaml.Node) -> Any:
    """Words stay as written (a product called "no" or 618 is a word); nothing written is None."""
    return None if node.tag == "tag:yaml.org,2002:null" else node.value


def _kind(value: Any) -> str:
    return "a list" if isinstance(value, list) else f"the word {value!r}"
