"""The shapes of time expressions: `period_shapes.yaml` with its macros and words filled in, compiled."""

import re
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tools.period_words import words


@cache
def points() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """The shapes of a single point in time, by name."""
    return tuple((name, _compiled(source)) for name, source in _source()["points"].items())


@cache
def only_alone() -> frozenset[str]:
    """Names of points that are not looked for inside a sentence."""
    return frozenset(_source()["only_alone"])


@cache
def only_in_range() -> frozenset[str]:
    """Names of points that mean something only as one end of a range."""
    return frozenset(_source()["only_in_range"])


@cache
def forms(section: str) -> tuple[tuple[str, re.Pattern[str]], ...]:
    """The shapes of a section (`lengths`, `leading`, `trailing`) with the form each stands for."""
    return tuple((entry["form"], _compiled(entry["shape"])) for entry in _source()[section])


@cache
def mark(name: str) -> re.Pattern[str]:
    """What stands before, between or after points."""
    return _compiled(_source()["marks"][name])


@cache
def starts() -> re.Pattern[str]:
    """Where an expression may begin at all."""
    return _compiled(_source()["starts"])


def either(names: Iterable[object]) -> str:
    """An alternation, longest first; a Latin word must stand alone, a Chinese one may touch anything."""
    return "|".join(
        ("(?<![a-z])" if name[0].isascii() and name[0].isalpha() else "")
        + re.escape(name)
        + ("(?![a-z])" if name[-1].isascii() and name[-1].isalpha() else "")
        for name in sorted(map(str, names), key=lambda name: (-len(name), name))
    )


@cache
def _source() -> Mapping[str, Any]:
    loaded: Mapping[str, Any] = yaml.safe_load(
        (Path(__file__).parent / "period_shapes.yaml").read_text(encoding="utf-8")
    )
    return loaded


@cache
def _macros() -> Mapping[str, str]:
    vocabulary = words()
    filled = {
        "COUNT": rf"\d{{1,4}}|[零一二三四五六七八九十两]{{1,3}}|{either(vocabulary['numbers'])}",
        "UNIT": either(name for names in vocabulary["units"].values() for name in names),
        "MONTHS": either(name for names in vocabulary["months"].values() for name in names),
        "WEEKDAYS": either(name for names in vocabulary["weekdays"].values() for name in names),
        "HOLIDAYS": either(name for entry in vocabulary["holidays"] for name in entry["words"]),
        "RELATIVE": either(name for entry in vocabulary["relative"] for name in entry["words"]),
    }
    return {**_source()["macros"], **_source()["length_macros"], **filled}


def _compiled(source: str) -> re.Pattern[str]:
    macros = _macros()
    while (filled := re.sub(r"(?<!\(\?P)<([A-Z_]+)>", lambda match: macros[match[1]], source)) != source:
        source = filled
    return re.compile(source)
