"""Which language a text is in, told by script (and, among Latin scripts, by common words)."""

import re
from typing import Final, Literal

Language = Literal["zh", "en", "other", "und"]

_PLACEHOLDER: Final = re.compile(r"\[[A-Z_]+\]|https?://\S+|[^\s@]{1,64}@\S+")
_ENOUGH: Final = 2000
_HAN: Final = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0002fa1f]")
_LATIN: Final = re.compile(r"[A-Za-z\u00c0-\u024f]+(?:'[a-z]+)?")
_ACCENTED: Final = re.compile("[\u00c0-\u024f]")
_FOREIGN_SCRIPT: Final = re.compile(
    "[\u0370-\u052f\u0530-\u0dff\u0e00-\u0eff\u1000-\u109f\u10a0-\u10ff\u1100-\u11ff\u1780-\u17ff"
    "\u3040-\u30ff\u31f0-\u31ff\uac00-\ud7af\uff66-\uff9f]"
)
_ENGLISH: Final = re.compile(
    r"\b(?:the|and|is|was|are|were|to|of|it|i|my|for|you|with|this|that|not|have|had|they|be|in|on|very|but|we)\b",
    re.IGNORECASE,
)
_OTHER_LATIN: Final = re.compile(
    r"\b(?:le|la|les|des|est|pas|une|très|et|dans|pour|je|der|die|das|und|ist|nicht|ich|ein|mit|el|los|las|que"
    r"|muy|una|por|para|no|es|il|che|di|non|per|sono|molto|um|uma|não|muito|do|da|het|een|niet|van|på|och"
    r"|att|det|yang|dan|tidak|saya|bir|ve|çok)\b",
    re.IGNORECASE,
)


def detect_language(text: str) -> Language:
    """Return "zh", "en", "other" (a script or Latin language we do not label), or "und" (no letters).

    A Han sign weighs like half a Latin word, so that "APP卡" is Chinese and "the 北京 office is great"
    English. Japanese and Korean are "other".
    """
    text = text[:_ENOUGH]
    if not text or text.isspace():
        return "und"
    if "[" in text or "@" in text or "://" in text:
        text = _PLACEHOLDER.sub(" ", text)
    if text.isascii():
        return _latin(text)
    han = len(_HAN.findall(text))
    foreign = len(_FOREIGN_SCRIPT.findall(text))
    if foreign and foreign * 4 > han:
        return "other" if foreign > len(_LATIN.findall(text)) else _latin(text)
    if not han:
        return _latin(text)
    words = len(_LATIN.findall(text))
    chinese = han >= 2 * words or (han >= words and not _ENGLISH.search(text))
    return "zh" if chinese else _latin(text)


def _latin(text: str) -> Language:
    words = len(_LATIN.findall(text))
    if not words:
        return "und"
    if words < 3:
        return "other" if _ACCENTED.search(text) and words == len(_ACCENTED.findall(text)) else "en"
    english, other = len(_ENGLISH.findall(text)), len(_OTHER_LATIN.findall(text))
    if other > english and (other >= 2 or _ACCENTED.search(text)):
        return "other"
    return "en" if english or not _ACCENTED.search(text) else "other"
