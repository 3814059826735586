"""In which situation a customer is met: read off the parts of health, which an alert keeps.

Three contexts, each with one value: what his own scores say, whether what he does confirms what he says, and
whether he complained once or again. None depends on a multiplier, so a situation stays the same whatever is
learnt of it.
"""

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from analytics.health import Part
from store.alerts import AlertPart

_AGAIN: Final = 2
_NO_CAUSE: Final = frozenset({"base", "limit"})


class Addend(NamedTuple):
    """A part of the score: its key (`signal/refund`, `score_level`), points (above 0: at risk), figures."""

    key: str
    points: float
    figures: Mapping[str, float]


def addends(parts: Iterable[Part | AlertPart]) -> list[Addend]:
    """The parts of health, or of an alert's score, that the policy weighs."""
    found = [
        Addend(part_key(part.name, part.detail), -part.points, part.figures)
        if isinstance(part, Part)
        else Addend(part_key(part.signal, part.detail), part.points, part.figures)
        for part in parts
    ]
    return [one for one in found if one.key not in _NO_CAUSE]


def part_key(name: str, detail: str) -> str:
    """How the section `learnt` names a part: signals in words and in deeds each by their own name."""
    return f"{name}/{detail}" if name in ("signal", "behaviour") else name


def contexts_of(parts: Iterable[Addend]) -> tuple[str, ...]:
    """The contexts of these parts, one value of each kind."""
    by_key = {part.key: part for part in parts}
    acts = any(key.startswith("behaviour/") or key == "usage_fall" for key in by_key)
    return (
        f"scores/{_scores(by_key)}",
        f"behaviour/{'confirms' if acts else 'none'}",
        f"complaints/{'again' if _complaints(by_key) >= _AGAIN else 'once'}",
    )


def _scores(by_key: Mapping[str, Addend]) -> str:
    """high: above the policy's neutral level without a fall; fallen: below the customer's own habit."""
    level = by_key.get("score_level")
    if any(key in by_key and by_key[key].points > 0 for key in ("baseline_break", "score_trend")):
        return "fallen"
    if level is None:
        return "none"
    return "high" if level.points < 0 else "low"


def _complaints(by_key: Mapping[str, Addend]) -> float:
    said = sum(part.figures.get("n", 1) for key, part in by_key.items() if key.startswith("signal/"))
    share = by_key.get("negative_share")
    return max(said, share.figures.get("negative", 0) if share else 0)
