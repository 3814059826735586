"""Which values of the results a figure as written may stand for: number, unit, rounding, hedges."""

import re
from collections.abc import Iterable, Iterator

from agent.figures import Figure
from agent.lock_values import Value
from agent.lock_words import hedge_words, lock_words

_WHOLE = 0.5
_TENTHS = 5.0  # what 三成 may be off by
_SCALES = {"seconds": 60.0, "hours": 1 / 60, "weeks": 1 / 7, "years": 1 / 12}
_MINUS = re.compile(r"(?:负(?:的|数|值)?|零下|minus|negative)\s*$", re.IGNORECASE)
_LOSS = re.compile(
    r"(?:降|跌|减|少|掉|负|低|落|下|损|亏|差|扣|拖|fell|fall|drop|down|declin|decreas|lost|loss|slip|slid|lower|below|"
    r"negative|minus|shed|dip|sank|reduc|behind|short|less|worse|drag|plung|tumbl)",
    re.IGNORECASE,
)
_CHANGES = frozenset({"points", "contribution", "standardised", "distance", "impact"})
_NEAR = 14
_SLOPES = frozenset({"change"})


def candidates(figure: Figure, text: str, values: Iterable[Value], *, rounds: bool) -> list[Value]:
    """Values that the figure may show, in their order.

    `rounds`: a bare whole number may stand for a value with decimals (the sentence says what it measures).
    """
    hedges = _hedges(figure, text)
    minus = _MINUS.search(text, 0, figure.start) is not None
    lossy = _LOSS.search(text, max(0, figure.start - _NEAR), figure.end + _NEAR) is not None
    return [v for v in values if _agrees(figure, v, hedges, minus=minus, lossy=lossy, rounds=rounds)]


def _hedges(figure: Figure, text: str) -> frozenset[str]:
    before, after = hedge_words()
    head = text[max(0, figure.start - 24) : figure.start]
    found = {kind for kind, pattern in before if pattern.search(head)}
    found |= {kind for kind, pattern in after if pattern.match(text, figure.end)}
    return frozenset(found)


def _agrees(
    figure: Figure, value: Value, hedges: frozenset[str], *, minus: bool, lossy: bool, rounds: bool
) -> bool:
    if value.unit not in lock_words()["units"].get(figure.unit, ("any",)):
        return False
    if value.path.endswith(".length") and ("." in figure.text or figure.unit == "percent"):
        return False
    whole = figure.kind == "number" and figure.tolerance == _WHOLE
    if whole and not (hedges or rounds or value.unit == "count") and not value.number.is_integer():
        return False
    if figure.unit == "percent" and value.key in _SLOPES and value.unit == "share":
        return False
    shown = -abs(figure.value) if minus else figure.value
    return any(_meets(shown, scaled, figure, hedges, value, lossy) for scaled in _scaled(figure, value))


def _scaled(figure: Figure, value: Value) -> Iterator[float]:
    number = value.number
    if figure.unit == "percent":
        if value.unit == "share" or abs(number) <= 1.5:
            yield number * 100
    elif figure.unit == "points":
        if value.unit in ("score", "count", "any"):
            yield number
        if abs(number) <= 1.0 and (value.unit == "any" or (value.unit == "share" and value.role == "change")):
            yield number * 100
    elif figure.unit in _SCALES and value.unit != "any":
        yield number * _SCALES[figure.unit]
    else:
        yield number


def _meets(
    shown: float, actual: float, figure: Figure, hedges: frozenset[str], value: Value, lossy: bool
) -> bool:
    if _close(shown, actual, figure, hedges):
        return True
    dropped = value.role in ("change",) or value.key in _CHANGES
    if not figure.signed and actual < 0 < shown and (dropped or value.unit == "any") and (lossy or dropped):
        return _close(shown, -actual, figure, hedges)
    return False


def _close(shown: float, actual: float, figure: Figure, hedges: frozenset[str]) -> bool:
    slack = figure.tolerance * (1 + 1e-9) + 1e-9
    tens = figure.text.endswith("成")
    percent = figure.unit == "percent"
    if "over" in hedges or "least" in hedges:
        room = 10.0 if percent else max(0.25 * abs(shown), 1.0)
        if shown <= actual <= shown + room:
            return "least" in hedges or actual > shown or not percent
    if "under" in hedges or "most" in hedges or "near" in hedges:
        room = 10.0 if percent and "near" not in hedges else 5.0 if percent else max(0.2 * abs(shown), 1.0)
        if tens:
            room = 10.0
        if shown - room <= actual <= shown and (actual < shown or "most" in hedges):
            return True
    if (
        hedges & {"over", "under", "near"}
        and (percent or figure.tolerance >= 1)
        and figure.tolerance > _WHOLE
    ):
        return False  # 超过一半 says more than a half: being near it is not enough
    if tens:
        slack = _TENTHS
    if "about" in hedges:
        slack = max(slack, 0.05 * abs(shown))
    return abs(actual - shown) <= slack
