"""Splits an answer into the sentences that are checked, and cut, one by one."""

import re
from collections.abc import Iterator

_LIST_MARK = re.compile(r"\s*(?:[-*]\s*)?\d{1,2}\.")
_ABBREVIATION = re.compile(
    r"(?:\b(?:vs|approx|e\.g|i\.e|etc|no|cf|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sep|Sept|Oct|Nov|Dec))\.$", re.I
)
_CITATIONS = re.compile(r"(?:\s*\[[^\[\]\s]{3,}\][,，、]?)+[。.！!]?")
_CLOSE = {"「": "」", "『": "』", "“": "”"}
_ENDS = "。！？!?"
_TRAIL = "”」』）)*_"
_QUOTE_LIMIT = 400


def sentences(text: str) -> Iterator[tuple[int, int]]:
    """Spans that cover the text: sentences and lines.

    A list marker stays with its line, a citation after the full stop with its sentence; nothing is split
    within quotation marks of one line.
    """
    start = 0
    while start < len(text):
        end = sentence_end(text, start, complete=True)
        yield start, end
        start = end


def sentence_end(text: str, start: int, *, complete: bool) -> int:
    """Where the sentence begun at `start` ends; with `complete` False, -1 where more text may decide."""
    at = start
    while at < len(text):
        char = text[at]
        if char in _CLOSE:
            at = _after_quote(text, at)
            if at > len(text):
                if not complete:
                    return -1
                at = len(text)
            continue
        at += 1
        if char == "\n":
            return at
        if char in _ENDS or (char in ".;" and _stops(text, start, at, complete=complete)):
            end = _with_trail(text, at)
            if not complete and not text[end:].strip():
                return -1
            return end
    return len(text) if complete else -1


def _stops(text: str, start: int, at: int, *, complete: bool) -> bool:
    if at < len(text) and not text[at].isspace() and text[at] not in _TRAIL:
        return False
    if at == len(text) and not complete:
        return True
    before = text[start:at]
    return not (_LIST_MARK.fullmatch(before) or _ABBREVIATION.search(before))


def _with_trail(text: str, at: int) -> int:
    """The end with closing marks and with citations that follow on the same line."""
    while at < len(text) and text[at] in _TRAIL:
        at += 1
    line = text.find("\n", at)
    match = _CITATIONS.match(text, at, len(text) if line < 0 else line)
    return match.end() if match else at


def _after_quote(text: str, at: int) -> int:
    """The place after a quotation of one line; one that is not closed is no quotation."""
    line = text.find("\n", at)
    limit = min(len(text) if line < 0 else line, at + _QUOTE_LIMIT)
    close = text.find(_CLOSE[text[at]], at, limit)
    if close >= 0:
        return close + 1
    return len(text) + 1 if line < 0 and limit == len(text) else at + 1
