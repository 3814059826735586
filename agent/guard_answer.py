"""What leaves with an answer: no instructions or keys of ours, no picture, no link that is not in the data.

A link or a picture in an answer is a way out: whoever shows the answer would fetch it, with what was written
into its address.
"""

import base64
import binascii
import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Final, NamedTuple

from langchain_core.messages import BaseMessage, HumanMessage, ToolMessage

from agent.guard_request import visible, words

# Letters in a row that are no coincidence; a Chinese character says as much as two and a half.
_LEAK: Final = 36.0
# In an answer that tells some of them, so little more is taken for theirs too.
_REST: Final = 18.0
_GRAM: Final = 9
_LEAST_SECRET: Final = 6
_IMAGE: Final = re.compile(r"!\[[^\]\[]*\](?:\([^)]*\)?|\[[^\]]*\])?")
_LINK: Final = re.compile(r"\[([^\]\[]*)\]\(\s*[^)\s]*[^)]*\)")
_REFERENCE: Final = re.compile(r"^\s{0,3}\[[^\]^]+\]:\s*\S+.*$", re.M)
_TAG: Final = re.compile(
    r"<!--.*?(?:-->|$)|<[/!]?[a-zA-Z][^<>]*>|<(?:img|a|iframe|script|svg|link|meta)\b[^<>]*", re.S
)
_ADDRESS: Final = re.compile(
    r"(?:[a-z][a-z0-9+.-]{1,20}:)?//[^\s<>\"'（）)\]，。；、！？“”`|]+"
    r"|(?:javascript|data|vbscript|file|mailto|ftp|tel)\s*:[^\s<>\"'（）)\]，。；、！？“”`|]+"
    r"|www\.[^\s<>\"'（）)\]，。；、！？“”`|]+"
    r"|(?<![\w@.])(?:[\w-]+\.)+[a-z]{2,18}(?::\d+)?[/?#][^\s<>\"'（）)\]，。；、！？“”`|]*",
    re.I,
)
# Addresses that may be named; scripts and data in an address may not.
_HOST: Final = re.compile(r"(?:https?:)?//|www\.|[\w-]+\.[\w-]", re.IGNORECASE)
_BLOB: Final = re.compile(r"(?<![\w+/=-])[A-Za-z0-9+/_-]{32,}={0,2}(?![\w+/=-])")
# Characters written as codes, many in a row.
_ESCAPED: Final = re.compile(
    r"(?:\\u\{?[0-9a-fA-F]{4,6}\}?){6,}|(?:\\x[0-9a-fA-F]{2}){12,}|(?:&#x?[0-9a-fA-F]{2,6};){6,}"
    r"|(?:%[0-9a-fA-F]{2}){12,}"
)


class Cleaned(NamedTuple):
    """An answer as it may be shown, and what was taken out: link, image, markup, code, prompt, secret."""

    text: str
    removed: tuple[str, ...]


class AnswerGuard:
    """Cleans answers. `prompts`: instructions that stay here; `secrets`: values that stay here."""

    def __init__(self, prompts: Iterable[str], secrets: Iterable[str] = ()) -> None:
        self._prompts = [_fold(prompt)[0] for prompt in prompts]
        self._grams = {text[at : at + _GRAM] for text in self._prompts for at in range(len(text) - _GRAM + 1)}
        self._secrets = [one for one in secrets if len(one) >= _LEAST_SECRET]

    def clean(self, answer: str, known: Sequence[str]) -> Cleaned:
        """The answer without what may not leave.

        `known` are the texts (results, questions) whose links may be named. Lines that
        hold instructions of ours are left out whole; a link that is kept is plain text.
        """
        removed: list[str] = []
        text = visible(answer)
        source = "\n".join(known)
        for kind, pattern in (("image", _IMAGE), ("markup", _TAG), ("link", _REFERENCE)):
            text = self._without(kind, pattern, text, removed)
        text = _LINK.sub(lambda m: self._link(m, source, removed), text)
        text = _ADDRESS.sub(lambda m: self._address(m, source, removed), text)
        for pattern in (_BLOB, _ESCAPED):
            text = pattern.sub(lambda m: m[0] if m[0] in source else self._drop("code", removed), text)
        for secret in self._secrets:
            if secret in text:
                text = text.replace(secret, self._drop("secret", removed))
        return Cleaned(self._without_prompts(text, removed), tuple(dict.fromkeys(removed)))

    def leaks(self, text: str) -> bool:
        """Whether a text holds instructions or secrets of ours, written plainly, backwards or encoded."""
        if any(secret in text for secret in self._secrets):
            return True
        folded = _fold(text)[0]
        if self._runs(folded) or self._runs(folded[::-1]):
            return True
        return any(decoded and self.leaks(decoded) for decoded in map(_decoded, _BLOB.findall(text)))

    def _without_prompts(self, text: str, removed: list[str]) -> str:
        folded, places = _fold(text)
        if not self._runs(folded) and not self._runs(folded[::-1]):
            return text
        runs = self._runs(folded, _REST)
        runs += [(len(folded) - end, len(folded) - start) for start, end in self._runs(folded[::-1], _REST)]
        removed.append("prompt")
        hidden = {place for start, end in runs for place in places[start:end]}
        kept, at = [], 0
        for line in text.splitlines(keepends=True):
            if hidden.isdisjoint(range(at, at + len(line))):
                kept.append(line)
            at += len(line)
        return "".join(kept).strip()

    def _runs(self, folded: str, least: float = _LEAK) -> list[tuple[int, int]]:
        """Where a text goes along with the instructions for longer than by chance."""
        runs: list[tuple[int, int]] = []
        start: int | None = None
        for at in range(len(folded) - _GRAM + 2):
            told = at <= len(folded) - _GRAM and folded[at : at + _GRAM] in self._grams
            if told and start is None:
                start = at
            if not told and start is not None:
                end = at + _GRAM - 1
                if _weight(folded[start:end]) >= least:
                    runs.append((start, end))
                start = None
        return runs

    def _link(self, match: re.Match[str], source: str, removed: list[str]) -> str:
        target = match[0][len(match[1]) + 3 : -1].strip()
        removed.append("link")
        return f"{match[1]} {target}" if target and target in source and target not in match[1] else match[1]

    def _address(self, match: re.Match[str], source: str, removed: list[str]) -> str:
        bare = match[0].rstrip(".,;:!?")
        if bare not in source or not _HOST.match(bare):
            return self._drop("link", removed)
        # What stands behind the question mark is where data would travel.
        kept = re.split(r"[?#]", bare)[0]
        if kept != bare:
            removed.append("link")
        return kept if kept != bare else match[0]

    def _without(self, kind: str, pattern: re.Pattern[str], text: str, removed: list[str]) -> str:
        return pattern.sub(lambda _: self._drop(kind, removed), text)

    def _drop(self, kind: str, removed: list[str]) -> str:
        removed.append(kind)
        return ""


def guard_sources(messages: Sequence[BaseMessage]) -> list[str]:
    """What customers and the person wrote: the texts whose links an answer may name."""
    return [str(one.text) for one in messages if isinstance(one, HumanMessage | ToolMessage)]


def _fold(text: str) -> tuple[str, list[int]]:
    """Letters and digits in one case and alphabet, and the place of each in the text."""
    folded, places = [], []
    for place, char in enumerate(text):
        for one in unicodedata.normalize("NFKC", _lookalikes().get(char, char)).lower():
            if one.isalnum():
                folded.append(one)
                places.append(place)
    return "".join(folded), places


@cache
def _lookalikes() -> dict[str, str]:
    return {
        a: b for others, latin in words()["lookalikes"].items() for a, b in zip(others, latin, strict=True)
    }


def _weight(text: str) -> float:
    return sum(1.0 if char.isascii() else 2.5 for char in text)


def _decoded(blob: str) -> str:
    """What a long code stands for in base64 or hexadecimal; nothing where it is neither."""
    for decode in (bytes.fromhex, lambda one: base64.b64decode(one + "=" * (-len(one) % 4), altchars=b"-_")):
        try:
            return decode(blob.rstrip("=")).decode()
        except (ValueError, binascii.Error):
            continue
    return ""
