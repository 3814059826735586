"""Personal data that belongs to nobody, by the rules of its kind, and the ways in which people write it down.

Shares nothing with the masker: what the masker looks for is not consulted here.
"""

import random
import re
import string
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import yaml

_FILE: Final = Path(__file__).with_name("masking_values.yaml")
_SLOT: Final = re.compile(r"\{([^{}]+)\}")
_CHINESE: Final = "零一二三四五六七八九"
_FULL: Final = {ord(sign): ord(sign) + 0xFEE0 for sign in string.digits + string.ascii_letters}
_CAPITALS: Final = "ABCDEFGHJKLMNPQRSTUVWXYZ"
_SIGNS: Final = {
    "d": string.digits,
    "L": _CAPITALS,
    "l": string.ascii_lowercase + string.digits,
    "X": _CAPITALS + string.digits,
    "h": "0123456789abcdef",
    "H": "0123456789ABCDEF",
    "b": "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz",
    "s": "acdefghjklmnpqrstuvwxyz023456789",
}
# The first sign where it may not be any: no leading zero, and for a telephone neither 0 nor 1.
_FIRST: Final = {"D": "123456789", "P": "2345678"}


class Values:
    """A seeded source of values; each call gives a fresh one."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        data: dict[str, Any] = yaml.safe_load(_FILE.read_text(encoding="utf-8"))
        self._forms: dict[str, list[str]] = data["forms"]
        self._lists: dict[str, list[str]] = {
            name: text.split("|") if "|" in text else text.split() for name, text in data["lists"].items()
        }
        self._made: dict[str, Callable[[], str]] = {
            "resident_id": self._resident_id,
            "mobile": self._mobile,
            "bank_card": self._bank_card,
            "imei": self._imei,
        }

    def make(self, kind: str) -> str:
        """Return a value of a kind of `masking_templates.yaml`, or an entry of a list."""
        if kind in self._made:
            return self._made[kind]()
        if kind in self._forms:
            return _SLOT.sub(self._fill, self._random.choice(self._forms[kind]))
        entries = self._lists[kind]
        return entries[self._random.randrange(len(entries))]

    def _fill(self, slot: re.Match[str]) -> str:
        told = slot[1]
        if (bounds := re.fullmatch(r"(\d+)-(\d+)", told)) is not None:
            return str(self._random.randint(int(bounds[1]), int(bounds[2])))
        if (run := re.fullmatch(r"([A-Za-z])(\d+)", told)) is not None:
            return self._run(run[1], int(run[2]))
        return self.make(told)

    def _run(self, kind: str, count: int) -> str:
        first = self._random.choice(_FIRST[kind]) if kind in _FIRST else ""
        return first + "".join(self._random.choices(_SIGNS.get(kind, string.digits), k=count - len(first)))

    def _written(self, text: str, *ways: Callable[[str], str]) -> str:
        """As it is in almost half of the cases, else in one of the ways."""
        return text if self._random.random() < 0.45 else self._random.choice(ways)(text)

    def _resident_id(self) -> str:
        year, month, day = (self._random.randint(*bounds) for bounds in ((1950, 2005), (1, 12), (1, 28)))
        area = self._random.choice(("110101", "310104", "440305", "510107", "330106", "652901", "230102"))
        if self._random.random() < 0.15:
            return f"{area}{year % 100:02d}{month:02d}{day:02d}{self._run('d', 3)}"
        body = f"{area}{year}{month:02d}{day:02d}{self._run('d', 3)}"
        weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
        check = "10X98765432"[sum(int(a) * b for a, b in zip(body, weights, strict=True)) % 11]
        # People mistype: three in ten have a check digit by chance.
        return self._written(
            body + (check if self._random.random() < 0.7 else self._random.choice("0123456789X")),
            lambda told: f"{told[:6]} {told[6:14]} {told[14:]}",
            lambda told: f"{told[:6]}-{told[6:14]}-{told[14:]}",
            lambda told: " ".join(told[at : at + 4] for at in range(0, 18, 4)),
            lambda told: told.translate(_FULL),
            str.lower,
            lambda told: _in_chinese(told) if told.isdigit() else told,
        )

    def _mobile(self) -> str:
        return self._written(
            f"1{self._random.choice('3456789')}{self._run('d', 9)}",
            lambda told: _grouped(told, " "),
            lambda told: _grouped(told, "-"),
            lambda told: f"+86 {told}",
            lambda told: f"+86-{_grouped(told, '-')}",
            lambda told: f"0086{told}",
            lambda told: f"(+86){told}",
            _in_chinese,
            lambda told: _grouped(_in_chinese(told), " "),
            lambda told: told.translate(_FULL),
            lambda told: _grouped(told, "."),
            lambda told: _grouped(told, "—"),
            " ".join,
            lambda told: f"{told[:3]}{_in_chinese(told[3:7])}{told[7:]}",
            lambda told: f"{told[:7]} {told[7:]}",
            lambda told: _in_chinese(told).replace("一", "幺"),
        )

    def _bank_card(self) -> str:
        body = self._random.choice(("622202", "621700", "622848", "436742", "4111", "5500"))
        length = 19 if body.startswith("62") and self._random.random() < 0.6 else 16
        body += self._run("d", length - 1 - len(body))
        return self._written(
            body + (_luhn(body) if self._random.random() < 0.8 else self._run("d", 1)),
            lambda told: " ".join(told[at : at + 4] for at in range(0, len(told), 4)),
            lambda told: "-".join(told[at : at + 4] for at in range(0, len(told), 4)),
            lambda told: told.translate(_FULL),
            lambda told: f"{told[:6]} {told[6:]}" if len(told) == 19 else told,
        )

    def _imei(self) -> str:
        body = "35" + self._run("d", 12)
        return body + _luhn(body)


def _luhn(body: str) -> str:
    total = 0
    for at, sign in enumerate(reversed(body)):
        digit = int(sign) * (2 if at % 2 == 0 else 1)
        total += digit - 9 if digit > 9 else digit
    return str(-total % 10)


def _in_chinese(told: str) -> str:
    return "".join(_CHINESE[int(sign)] if sign.isdigit() else sign for sign in told)


def _grouped(told: str, mark: str) -> str:
    return f"{told[:3]}{mark}{told[3:7]}{mark}{told[7:]}"
