"""Which values of the results a figure as written may stand for: number, unit, rounding, hedges."""

from collections.abc import Iterator

from agent.figures import Figure
from agent.lock_values import Evidence, Value
from agent.lock_words import hedge_words, lock_words, pattern

_WHOLE = 0.5
_TENTHS = 5.0  # what 三成 may be off by
_COUNTED = ("count", "integer")
_SCALES = {  # from the unit of a value to that of a figure
    "seconds": {"minutes": 60.0},
    "hours": {"minutes": 1 / 60},
    "weeks": {"days": 1 / 7},
    "years": {"months": 1 / 12},
}
_CHANGES = frozenset({"points", "contribution", "standardised", "distance", "impact"})
_NEAR = 14
_DIFFERENCES = ("change", "low", "high")
_SLOPES = frozenset({"change"})


def candidates(figure: Figure, text: str, evidence: Evidence, *, rounds: bool) -> list[Value]:
    """Values that the figure may show, in their order.

    `rounds`: a bare whole number may stand for a value with decimals (the sentence says what it measures).
    """
    hedges = _hedges(figure, text)
    minus = pattern("minus_before").search(text, 0, figure.start) is not None
    lossy = pattern("loss").search(text, max(0, figure.start - _NEAR), figure.end + _NEAR) is not None
    return [
        v
        for v in evidence.sized(_spans(figure))
        if _agrees(figure, v, hedges, minus=minus, lossy=lossy, rounds=rounds)
    ]


def _spans(figure: Figure) -> Iterator[tuple[float, float]]:
    """The sizes of values that a figure may stand for at all, whatever hedge it has; `_close` decides."""
    shown = abs(figure.value)
    room = max(0.3 * shown, 11.0 if figure.unit == "percent" else 1.0, figure.tolerance) + 1e-6
    factors = {1.0}
    if figure.unit in ("percent", "points"):
        factors.add(100.0)
    factors.update(_SCALES[figure.unit].values() if figure.unit in _SCALES else ())
    for factor in factors:
        yield (shown - room) / factor, (shown + room) / factor


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
    # What is told in tenths was measured: a count of 7 is never 7.0.
    if value.counted and value.unit in _COUNTED and "." in figure.text and figure.tolerance < _WHOLE:
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
        if abs(number) <= 1.0 and (
            value.unit == "any" or (value.unit == "share" and value.role in _DIFFERENCES)
        ):
            yield number * 100
    elif value.unit in _SCALES.get(figure.unit, {}):
        yield number * _SCALES[figure.unit][value.unit]
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
