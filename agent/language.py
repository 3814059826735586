"""The language a question is asked in."""

import re
from typing import Literal

_CJK = re.compile(r"[\u3400-\u9fff]")
_LATIN = re.compile(r"[A-Za-z]+")
_ZH_FUNCTION = re.compile(r"[的吗呢是了在吧啊哪谁咋啥么多少为看给请下]")
_EN_FUNCTION = re.compile(
    r"\b(?:the|what|how|why|which|who|is|are|was|were|did|do|and|for|of|in|by|me|our|please|show|give)\b",
    re.I,
)


def language_of(text: str) -> Literal["zh", "en"]:
    """The language a question is asked in: by its function words, else by which script prevails."""
    chinese, latin = _CJK.findall(text), _LATIN.findall(text)
    if not chinese or not latin:
        return "zh" if chinese else "en"
    # A name in the data may hold one such character; two of them make a Chinese sentence.
    grammar = len(set(_ZH_FUNCTION.findall(text))), bool(_EN_FUNCTION.search(text))
    if grammar[0] > 1 or (grammar[0] and not grammar[1]):
        return "zh"
    if grammar[1]:
        return "en"
    return "zh" if len(chinese) >= len(latin) else "en"
