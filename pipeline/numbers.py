"""Numbers as people and systems write them in cells, and the scale a column of them is on."""

import math
import re
import unicodedata
from collections.abc import Mapping
from typing import NamedTuple

from pipeline.headers import Cell

_PLAIN = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?$", re.IGNORECASE)
_WITH_UNIT = re.compile(
    r"^(?:rated\s+|评分[:：]?\s*)?([+-]?\d+(?:\.\d+)?)\s*"
    r"(?:%|分|星级?|颗星|stars?|points?|pts|元|/\s*(?:5|7|10|100)|out of\s+(?:5|7|10|100)(?:\s+stars?)?)$",
    re.IGNORECASE,
)
_STAR_CLASS = re.compile(r"^stars?[ _\-]?(\d(?:\.\d)?)$", re.IGNORECASE)
_THOUSANDS = re.compile(r"[+-]?[¥￥$€£]?\s*\d{1,3}(?:,\d{3})+(?:\.\d+)?$")
_MONEY = re.compile(r"[¥￥$€£]\s*([+-]?\d+(?:\.\d+)?)$")
_STARS = re.compile(r"^[★⭐✭]+[☆✩]*$")
_CHINESE_STARS = re.compile(r"^([零一二两三四五六七八九十])\s*(?:颗?星级?|分)$")
_CHINESE_DIGITS = {"两": 2, **{digit: value for value, digit in enumerate("零一二三四五六七八九十")}}

_NUMERAL = re.compile(r"[\d★⭐✭零一二两三四五六七八九十]")

SCALES = ((0.0, 1.0), (1.0, 5.0), (0.0, 5.0), (1.0, 7.0), (1.0, 10.0), (0.0, 10.0), (0.0, 100.0))


class Scale(NamedTuple):
    """The lowest and highest value that can be."""

    low: float
    high: float

    def holds(self, value: float) -> bool:
        """Whether a value can be."""
        return self.low <= value <= self.high

    def __str__(self) -> str:
        return f"{self.low:g}-{self.high:g}"


def parse_number(cell: Cell) -> float | None:
    """Return the number a cell means, or None.

    Read are `4.5`, `１０`, `1,234`, `85%`, `4 stars`, `4/5`, `五星`, `★★★☆☆` and kin.
    """
    if isinstance(cell, bool):
        return float(cell)
    if isinstance(cell, int | float):
        return float(cell) if math.isfinite(cell) else None
    if not isinstance(cell, str):
        return None
    text = cell.strip()
    if _PLAIN.match(text):
        number = float(text)
        return number if math.isfinite(number) else None
    return _parse_words(text) if len(text) <= 40 and _NUMERAL.search(text) else None


def _parse_words(text: str) -> float | None:
    if _STARS.match(text):
        return float(sum(character in "★⭐✭" for character in text))
    text = unicodedata.normalize("NFKC", text)
    if found := _WITH_UNIT.match(text):
        return float(found[1])
    if found := _STAR_CLASS.match(text):
        return float(found[1])
    if _THOUSANDS.match(text):
        return float(re.sub(r"[,¥￥$€£\s]", "", text))
    if found := _MONEY.match(text):
        return float(found[1])
    if found := _CHINESE_STARS.match(text):
        return float(_CHINESE_DIGITS[found[1]])
    return float(text) if _PLAIN.match(text) and math.isfinite(float(text)) else None


def fit_scale(values: Mapping[float, int], low: float, high: float) -> bool:
    """Whether a column of scores is on the scale `low`..`high`, given how often each value occurs.

    A few impossible values do not decide; several different values above the top, or a third of all,
    say that the scale is another one.
    """
    total = sum(values.values())
    beyond = {value: n for value, n in values.items() if not low <= value <= high}
    if not total:
        return False
    just_above = {value for value in beyond if high < value <= 2 * high}
    return sum(beyond.values()) < total / 3 and len(just_above) < 3


def guess_scale(values: Mapping[float, int]) -> Scale | None:
    """Return the smallest customary scale a column of scores is on, None where none fits."""
    for low, high in SCALES:
        if all(low <= value <= high for value in values):
            # 0-1 needs both ends: a column of 1s alone is on any scale.
            return Scale(low, high)
    for low, high in SCALES[1:]:
        if fit_scale(values, low, high):
            return Scale(low, high)
    return None
