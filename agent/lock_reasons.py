"""A claim of an answer that failed, and why."""

import re
from dataclasses import dataclass
from typing import Literal

from agent.lock_words import lock_words

Kind = Literal["figure", "unit", "attribution", "direction", "rank", "citation"]
_CJK = re.compile(r"[\u3400-\u9fff]")
_LATIN = re.compile(r"[A-Za-z]+")


@dataclass(frozen=True)
class FailedClaim:
    """Span and words of the claim in the answer, what kind of fault it is, and the reason for the model."""

    start: int
    end: int
    text: str
    kind: Kind
    reason: str


def failed(
    kind: Kind, why: str, span: tuple[int, int], text: str, sentence: str, **values: str
) -> FailedClaim:
    """Build one; `why` is a key of `reasons` in lock_words.yaml, told in the language of the sentence."""
    language = "zh" if len(_CJK.findall(sentence)) > len(_LATIN.findall(sentence)) else "en"
    reason: str = lock_words()["reasons"][why][language].format(text=text, **values)
    return FailedClaim(span[0], span[1], text, kind, reason)
