"""Splits a message into the questions it asks: 10月NPS多少？差评率呢？另外哪个地区最差？"""

import re
from collections.abc import Sequence

from agent.word_matching import matcher

MOST_PARTS = 6
# A stop between digits is a decimal point; a full stop ends a sentence before a blank or the end only.
_END = re.compile(r"[？?。！!；;\n]+|(?<!\.)\.(?=\s|$)")
_ALSO = re.compile(
    r"[，,、]\s*(?=(?:另外|还有|顺便|顺带|再看|再帮|再给|以及|同时|然后|最后|其次)(?!的))"
    r"|[,，]\s*(?=(?:also|plus|then|and (?:also|then|which|what|how|why|who|where))\b)",
    re.IGNORECASE,
)
_QUOTES = re.compile(r"「[^」]*」|『[^』]*』|“[^”]*”|\"[^\"\n]*\"|'[^'\n]{2,}'")
# 一、…；二、… and (1) … (2) …: the mark is no part of the question.
_MARK = re.compile(
    r"^\s*(?:[一二三四五六七八九十]{1,2}[、.：:]|[（(][一二三四五六七八九十\d]{1,2}[)）]|\d{1,2}[、)）.](?!\d))\s*"
)
_INTRODUCES = re.compile(r"[：:]\s*(?=(?:[一1][、.)）]|[（(][一1][)）]))")
_EMPTY = re.compile(r"[\s\W_]*", re.UNICODE)


def question_parts(message: str) -> tuple[list[str], int]:
    """The questions of a message in order, at most `MOST_PARTS`, and how many more there were.

    What is quoted is never split. Greetings and thanks are left out, repeats too; a message that is nothing
    else is returned as it is.
    """
    quoted = [match.span() for match in _QUOTES.finditer(message)]

    def inside(at: int) -> bool:
        return any(start < at < end for start, end in quoted)

    cuts = [m.span() for m in _END.finditer(message) if not inside(m.start())]
    cuts += [m.span() for m in _INTRODUCES.finditer(message)]
    cuts += [m.span() for m in _ALSO.finditer(message) if not inside(m.start())]
    pieces, start = [], 0
    for first, end in sorted(cuts):
        if end > start:
            # The question mark stays: it tells a question from a statement.
            pieces.append(message[start : _kept(message, first, end)])
            start = end
    pieces.append(message[start:])
    parts = [_MARK.sub("", piece).strip() for piece in pieces if not _EMPTY.fullmatch(piece)]
    asked = list(dict.fromkeys(part for part in parts if not _only_polite(part)))
    asked = asked or [message.strip()]
    return asked[:MOST_PARTS], max(0, len(asked) - MOST_PARTS)


def _kept(message: str, first: int, end: int) -> int:
    return end if message[first] in "？?" else first


def _only_polite(part: str) -> bool:
    hits = matcher("pleasantries").find(part)
    left = list(part)
    for hit in hits:
        left[hit.start : hit.end] = " " * (hit.end - hit.start)
    return bool(hits) and _EMPTY.fullmatch(re.sub(r"[了啦呀吧哦噢的]", "", "".join(left))) is not None


def joined(parts: Sequence[str]) -> str:
    """Parts as one message again."""
    return " ".join(parts)
