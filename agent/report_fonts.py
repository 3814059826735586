"""The fonts of a report: Noto Sans SC (OFL, from a package), cut down to the characters that are used.

The whole font has 17 MB. What a report embeds is a subset, at the two weights that it sets: for the PDF as
two fonts, for HTML as one variable font.
"""

import io
import unicodedata
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fontTools.ttLib import TTFont

FAMILY = "Noto Sans SC"
REGULAR, BOLD = 400, 700
# Always in: what charts write on their axes.
_AXES = "0123456789.,-−+%kM "


@lru_cache(maxsize=1)
def font_file() -> Path:
    """The variable Noto Sans SC of the package `justmytype-intl-cjk`."""
    import justmytype_intl_cjk

    folder = Path(str(justmytype_intl_cjk.__file__)).parent / "fonts" / "ofl" / "notosanssc"
    return folder / "NotoSansSC[wght].ttf"


@lru_cache(maxsize=1)
def fallback_file() -> Path:
    """DejaVu Sans, which comes with matplotlib: Arabic, Hebrew, Cyrillic, Greek, many symbols."""
    import matplotlib

    return Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"


@lru_cache(maxsize=1)
def _covered() -> frozenset[int]:
    from fontTools.ttLib import TTFont

    found: set[int] = set()
    for file in (font_file(), fallback_file()):
        with TTFont(file, lazy=True) as font:
            found.update(font.getBestCmap())
    return frozenset(found)


def drawable(text: str) -> str:
    """Text for a page without other fonts: what neither font has is given by name: [party popper]."""
    if all(ord(char) in _covered() for char in text):
        return text
    return "".join(char if ord(char) in _covered() else _named(char) for char in text)


def _named(char: str) -> str:
    if unicodedata.category(char) in ("Mn", "Me", "Cf", "Sk") or "\ufe00" <= char <= "\ufe0f":
        return ""  # a modifier of the character before: skin tone, presentation, joiner
    name = unicodedata.name(char, "")
    return f"[{name.lower()}]" if name else "\ufffd"


def subset_font(text: str) -> "TTFont":
    """The variable font with the characters of `text` alone; about a second."""
    from fontTools import subset
    from fontTools.ttLib import TTFont

    options = subset.Options(layout_features=["kern", "liga", "locl"], notdef_outline=True, notdef_glyph=True)
    # Read whole: no file stays open. No new time of change: the same text gives the same bytes.
    font = TTFont(io.BytesIO(font_file().read_bytes()), lazy=True, recalcTimestamp=False)
    cutter = subset.Subsetter(options)
    cutter.populate(unicodes={ord(char) for char in text + _AXES})
    cutter.subset(font)
    return font


def woff(text: str) -> bytes:
    """The subset as one compressed variable font for HTML."""
    font = subset_font(text)
    font.flavor = "woff"
    return _bytes(font)


def instances(text: str) -> dict[int, bytes]:
    """The subset as a font a weight: typesetters know weights of a file better than axes."""
    from fontTools.ttLib import TTFont
    from fontTools.varLib import instancer

    cut = _bytes(subset_font(text))
    found = {}
    for weight in (REGULAR, BOLD):
        font = instancer.instantiateVariableFont(
            TTFont(io.BytesIO(cut), recalcTimestamp=False), {"wght": weight}
        )
        font["OS/2"].usWeightClass = weight
        found[weight] = _bytes(font)
    return found


def _bytes(font: Any) -> bytes:
    buffer = io.BytesIO()
    font.save(buffer)
    return buffer.getvalue()
