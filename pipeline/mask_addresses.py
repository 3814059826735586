"""Chinese postal addresses, by their units: 省市区, 路号, 小区幢室, 村组."""

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Final

from pipeline.mask_shapes import read_shapes
from pipeline.mask_spans import Found, mask_words

_FILE: Final = Path(__file__).with_name("mask_chinese_places.yaml")
_LONGEST: Final = 60
_DIGIT: Final = re.compile(r"\d")


def find_addresses(text: str, add: Callable[[Found], None], *, told: bool) -> None:
    """Report addresses that lead to a door: road and number, compound and building, or a told one.

    `told` says whether a word that announces an address (收货地址, 寄到) is somewhere in the text.
    """
    shapes = _shapes()
    if not told and not shapes["call"].search(text):
        return
    for match in shapes["anchor"].finditer(text):
        add(Found(_widened(text, match.start(), match.end()), match.end(), "ADDRESS"))
    for match in shapes["told"].finditer(text) if told else ():
        limit = min(match.end() + _LONGEST, len(text))
        stop = shapes["stop"].search(text, match.end(), limit)
        end = stop.start() if stop else limit
        if _is_place(text[match.end() : end], firm=match.group()[-1] in ":：是为" or "收货" in match.group()):
            add(Found(match.end(), end, "ADDRESS"))


@cache
def _shapes() -> dict[str, re.Pattern[str]]:
    return read_shapes(_FILE)


def _is_place(place: str, *, firm: bool) -> bool:
    """Whether what was announced leads somewhere; behind a field label (`firm`) less is asked for."""
    shapes = _shapes()
    if shapes["dashed_door"].search(place):
        return True
    units = len(shapes["units"].findall(place))
    if firm and units and shapes["numbered_door"].search(place):
        return True
    return bool(units >= 2 and shapes["strong"].search(place) and shapes["door"].search(place))


def _widened(text: str, start: int, end: int) -> int:
    """Where the address known by its road or compound begins: 省市区 before it, no other word."""
    shapes = _shapes()
    anchor = text[start:end]
    number = _DIGIT.search(anchor)
    units = list(shapes["strong"].finditer(anchor, 0, number.start() if number else len(anchor)))
    if not units:
        return start
    unit = start + units[-1].start()
    left = text[max(0, unit - 30) : unit]
    stop = shapes["left_stop"].match(left)
    left = left[stop.end() :] if stop else left
    province = _provinces().search(left)
    if province:
        return unit - len(left) + province.start()
    if shapes["region"].search(left):
        return unit - len(left)
    return unit - min(len(left), 4)


@cache
def _provinces() -> re.Pattern[str]:
    return re.compile("|".join(mask_words().provinces))
