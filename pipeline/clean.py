"""Raw text to text that every later step can rely on. Loses no word."""

import html
import re
from typing import Final

_WIDE: Final[dict[int, int | str]] = {
    **{code: code - 0xFEE0 for code in range(0xFF10, 0xFF1A)},
    **{code: code - 0xFEE0 for code in range(0xFF21, 0xFF3B)},
    **{code: code - 0xFEE0 for code in range(0xFF41, 0xFF5B)},
    **{ord(wide): narrow for wide, narrow in zip("＠．－＿＋＃％／＆", "@.-_+#%/&", strict=True)},
    # Mathematical letters and digits are used to slip past filters.
    **{
        0x1D400 + block * 52 + at: (chr(65 + at) if at < 26 else chr(71 + at))
        for block in range(13)
        for at in range(52)
    },
    **{0x1D7CE + at: str(at % 10) for at in range(50)},
}
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
# Controls, soft hyphen, direction marks, byte-order marks: invisible and never part of a word.
_INVISIBLE: Final = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\xad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff\ufff9-\uffff]"
)
_SPACES: Final = re.compile("[\t\x0b\x0c \xa0\u1680\u2000-\u200a\u202f\u205f\u3000]+")
_LINES: Final = re.compile(" ?(?:\r\n|[\n\r\x85\u2028\u2029])[\\s\u3000]*")
_ENTITY: Final = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_AMPERSAND: Final = re.compile(r"&(?:(?:amp|#38|#x26);)+", re.IGNORECASE)
_BLOCK: Final = re.compile(r"<(script|style)\b[^<>]{0,500}>|<!--", re.IGNORECASE)
# Only tags that HTML knows: "<手机号>" and "a <b and c> d" are words.
_TAG: Final = re.compile(
    r"</?(?:a|abbr|article|b|big|blockquote|body|br|button|center|code|col|dd|div|dl|dt|em|font|footer|form|h[1-6]"
    r"|head|header|hr|html|i|iframe|img|input|label|li|link|meta|nav|ol|option|p|pre|s|section|select|small|span"
    r"|strike|strong|sub|sup|table|tbody|td|textarea|tfoot|th|thead|title|tr|u|ul|video)"
    r"(?:\s+[a-zA-Z:_-]+\s*=\s*(?:\"[^\"]*\"|'[^']*'|[^\s\"'<>]+))*\s*/?>",
    re.IGNORECASE,
)
# Four or more of one sign become three. Digits are spared: 10000 is a number, not emphasis.
_REPEAT: Final = re.compile(r"([^\d\s*])\1{3,}")


def clean(text: str) -> str:
    """Return `text` without markup, invisible signs, odd widths and runs; words and digits all stay.

    Full-width letters and digits become ASCII (Chinese punctuation stays), HTML entities and tags go, a sign
    repeated four times or more is kept three times, white space is collapsed (line breaks stay single),
    lone surrogates and NUL go. `clean(clean(x)) == clean(x)`. Any str is accepted.
    """
    if _SURROGATE.search(text):
        joined = text.encode("utf-16", "surrogatepass").decode("utf-16", "ignore")
        text = _SURROGATE.sub("", joined)
    before = None
    while text != before:
        before = text
        text = _once(text)
    return text


def _once(text: str) -> str:
    if "&" in text and _ENTITY.search(text):
        # All layers of &amp;amp;... at once: one a round would take forever on a hostile cell.
        text = _AMPERSAND.sub("&", text)
        text = _SURROGATE.sub("", _ENTITY.sub(lambda match: html.unescape(match.group()), text))
    if "<" in text:
        text = _TAG.sub(" ", _without_blocks(text))
    if not text.isascii():
        text = text.translate(_WIDE)
    text = _INVISIBLE.sub("", text)
    text = _SPACES.sub(" ", text)
    text = _LINES.sub("\n", text)
    return _REPEAT.sub(r"\1\1\1", text).strip()


def _without_blocks(text: str) -> str:
    """Drop scripts, styles and comments that are closed; linear, unlike one pattern over open and close."""
    kept: list[str] = []
    at = 0
    lowered = text.lower() if len(text.lower()) == len(text) else text
    hopeless: set[str] = set()
    for match in _BLOCK.finditer(text):
        closing = "-->" if match[1] is None else f"</{match[1].lower()}"
        if match.start() < at or closing in hopeless:
            continue
        end = lowered.find(closing, match.end())
        end = lowered.find(">", end) if end >= 0 else -1
        if end < 0:
            hopeless.add(closing)
            continue
        kept += (text[at : match.start()], " ")
        at = end + 1
    return "".join((*kept, text[at:]))
