"""What a model wrote: its thinking taken out, and whether the rest can be an answer at all."""

import re
import unicodedata
import zlib
from collections.abc import Iterator
from typing import Final

# Reasoning models write their thinking in tags where the server has no reasoning parser. The opening tag is
# often part of the prompt template, so that only the closing one is seen.
_TAGS: Final = "think|thinking|thought|reasoning|analysis"
_CLOSED: Final = re.compile(rf"<({_TAGS})\b[^>]*>.*?</\1\s*>", re.IGNORECASE | re.DOTALL)
_TAIL_ONLY: Final = re.compile(rf"\A.*</(?:{_TAGS})\s*>", re.IGNORECASE | re.DOTALL)
_UNCLOSED: Final = re.compile(rf"<(?:{_TAGS})\b[^>]*>.*\Z", re.IGNORECASE | re.DOTALL)
_OPENING: Final = re.compile(rf"<(?:{_TAGS})\b[^>]*>", re.IGNORECASE)
_CLOSING: Final = re.compile(rf"</(?:{_TAGS})\s*>", re.IGNORECASE)
# Tool calls written as text: the server has no parser for the model's own format.
_CALL_AS_TEXT: Final = re.compile(
    r"<tool_call>|<\|tool_call|<function=|\[TOOL_CALLS\]|<\|python_tag\|>|<｜tool▁call|<\|plugin\|>"
)
_CJK: Final = re.compile(r"[\u3400-\u9fff]")
_LATIN_WORD: Final = re.compile(r"[A-Za-z]{2,}")
_REPETITION_FROM: Final = 300
_REPETITION_RATIO: Final = 0.12
_BROKEN_SHARE: Final = 0.02
_LONGEST_TAG: Final = 24


def without_thinking(text: str) -> str:
    """The text without `<think>` blocks, closed or not, and without what stands before a lone closing tag."""
    text = _CLOSED.sub("", text)
    text = _TAIL_ONLY.sub("", text)
    return _UNCLOSED.sub("", text).strip()


def is_tool_call_as_text(text: str) -> bool:
    """Whether the text is a call in a model's own markup, which the server should have parsed."""
    return bool(_CALL_AS_TEXT.search(text))


def is_noise(text: str, language: str) -> bool:
    """Whether a text cannot be an answer: broken characters, endless repetition, or none of the language.

    Only what no honest answer can be is noise; whether an answer is right is the number lock's.
    """
    if not text:
        return True
    broken = sum(
        1
        for sign in text
        if sign == "\ufffd" or (unicodedata.category(sign) == "Cc" and sign not in "\n\t\r")
    )
    if broken > max(1, _BROKEN_SHARE * len(text)):
        return True
    if len(text) >= _REPETITION_FROM:
        raw = text.encode()
        if len(zlib.compress(raw, 6)) < _REPETITION_RATIO * len(raw):
            return True
    if language == "zh":
        return not _CJK.search(text)
    return not _LATIN_WORD.search(text)


class ThinkingFilter:
    """Takes thinking out of a text that comes in pieces; holds back what may yet become a tag."""

    def __init__(self, *, inside: bool = False) -> None:
        """`inside`: whether the text begins within a thought."""
        self._held = ""
        self._inside = inside

    @staticmethod
    def begins_within(text: str) -> bool:
        """Whether a whole reply began within a thought: its first tag is a closing one."""
        closing = _CLOSING.search(text)
        opening = _OPENING.search(text)
        return closing is not None and (opening is None or closing.start() < opening.start())

    def feed(self, piece: str) -> str:
        """What of the text so far may be shown."""
        self._held += piece
        return "".join(self._released())

    def close(self) -> str:
        """What was held back at the end; nothing where a thought was never closed."""
        rest = "" if self._inside else self._held
        self._held = ""
        return rest

    def _released(self) -> Iterator[str]:
        while self._held:
            found = (_CLOSING if self._inside else _OPENING).search(self._held)
            if found:
                if not self._inside:
                    yield self._held[: found.start()]
                self._held = self._held[found.end() :]
                self._inside = not self._inside
                continue
            at = self._held.rfind("<")
            keep = len(self._held) - at if at >= 0 and len(self._held) - at <= _LONGEST_TAG else 0
            if not self._inside:
                yield self._held[: len(self._held) - keep]
            self._held = self._held[len(self._held) - keep :]
            return
