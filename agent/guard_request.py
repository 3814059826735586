"""Whether a person asked for something to be done: what stands in quotation marks is not asked."""

import re
import unicodedata
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from agent.word_matching import matcher

_FILE = Path(__file__).with_name("guard.yaml")
# Quoted lines, and lines that pretend to come from elsewhere.
_LINE = re.compile(
    r"^[\s*#\[(]*(?:>|\||(?:system|assistant|developer|tool|function|user|admin|系统|助手|工具|管理员|开发者)"
    r"[\w\s]{0,20}[\])]*\s*[:：]).*$",
    re.IGNORECASE | re.MULTILINE,
)
_GAP = 18
_STOP = re.compile(r"[，。；！？,.;!?\n]")
_SHORT = 16
_TOOLS_OF_GOALS = {
    "plan": ("create_action_plan", "create_retention_task"),
    "tasks": ("create_retention_task",),
}


@cache
def words() -> dict[str, Any]:
    """What `guard.yaml` holds."""
    loaded: dict[str, Any] = yaml.safe_load(_FILE.read_text(encoding="utf-8"))
    return loaded


def asked_actions(questions: Sequence[str]) -> frozenset[str]:
    """The names of the tools that act which the last question asks for.

    One that agrees to what was offered in the answer before ("yes, please") may mean any of them.
    """
    last = own_words(questions[-1])
    said = re.sub(r"[\W_]+", " ", last).strip()
    if len(questions) > 1 and len(said) <= _SHORT and _pattern("agreement").fullmatch(said):
        return frozenset(words()["actions"])
    found = {
        tool
        for tool in words()["actions"]
        if any(_wanted(last, hit.start()) for hit in _pattern("actions", tool).finditer(last))
    }
    for hit in matcher("goals").find(last):
        if hit.tag in _TOOLS_OF_GOALS and _wanted(last, hit.start):
            found.update(_TOOLS_OF_GOALS[hit.tag])
    return frozenset(found)


def own_words(question: str) -> str:
    """The question without quotations, quoted lines and lines that pretend to come from elsewhere."""
    text = unicodedata.normalize("NFKC", visible(question)).lower()
    for opening, closing in words()["quotes"]:
        text = re.sub(rf"{re.escape(opening)}.*?(?:{re.escape(closing)}|$)", " ", text, flags=re.S)
    return _LINE.sub(" ", text)


def names_record(question: str, record: str) -> bool:
    """Whether a question names this id, as a word of its own; an empty one needs no naming."""
    text = unicodedata.normalize("NFKC", visible(question)).lower()
    name = re.escape(record.strip().lower())
    return not name or re.search(rf"(?<![a-z0-9-]){name}(?![a-z0-9-])", text) is not None


def visible(text: str) -> str:
    """The text without characters that nobody sees or that turn the direction of writing."""
    return "".join(c for c in text if unicodedata.category(c) != "Cf" or c == "\u200d")


def _wanted(text: str, start: int) -> bool:
    before = _STOP.split(text[max(0, start - _GAP) : start])[-1]
    return _pattern("refusing").search(before) is None


@cache
def _pattern(*path: str) -> re.Pattern[str]:
    section = words()
    for key in path:
        section = section[key]
    chinese = [re.escape(word) for word in section["zh"]]
    english = [rf"\b{re.escape(word)}\b" for word in section["en"]]
    return re.compile("|".join(sorted((*chinese, *english), key=len, reverse=True)))
