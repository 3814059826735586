"""Changes of a metric in words."""

from collections.abc import Mapping
from typing import Final

from analytics.estimates import Kind
from retention.measures import load_measures
from retention.wording import Language

# Digits and factor by kind of metric: shares are said in percentage points.
_SHOWN: Final[Mapping[Kind, tuple[int, float]]] = {
    "proportion": (1, 100.0),
    "nps": (1, 1.0),
    "mean": (2, 1.0),
    "count": (1, 1.0),
}


def amount(value: float, kind: Kind, language: Language) -> str:
    """A change with its sign and unit, like +12.5 points or -3.0 percentage points."""
    digits, factor = _SHOWN[kind]
    return load_measures().say(f"amount_{kind}", language, value=f"{value * factor:+.{digits}f}")
