"""Which measure, unit and role a sentence gives a figure, and which values that leaves."""

import re
from collections.abc import Iterable, Sequence

from agent.figures import Figure
from agent.lock_values import Evidence, Value, folded
from agent.lock_words import any_of, lock_words, measure_words, pattern, words

_PERIOD = "period"
_NPS_PARTS = frozenset({"promoters", "passives", "detractors"})
_COUNTED = ("volume", "complaints")
_FREE = (
    "",
    "score",
    "points",
    "count",
    "money",
    "minutes",
    "hours",
    "days",
    "weeks",
    "months",
    "years",
    "fold",
)
_GOVERNS = {
    "score": ("", "score", "points"),
    "share": ("percent",),
    "count": ("", "count", "percent"),
    "money": ("", "money"),
    "minutes": ("", "minutes", "seconds", "hours"),
    "days": ("", "days", "weeks"),
    "months": ("", "months", "years"),
    "years": ("", "years"),
    "fold": ("", "fold"),
    "any": _FREE,
    "rate": (*_FREE, "percent"),
}
_BESIDE = 24
Spoken = tuple[str, str, re.Pattern[str]]


class Measures:
    """The measures that a sentence can speak of: those that are known, and the columns of the results."""

    def __init__(self, evidence: Evidence) -> None:
        known = lock_words()["measures"]
        units = {value.measure: value.unit for value in evidence.values if value.measure in evidence.metrics}
        own = {metric: units.get(metric, "any") for metric in evidence.metrics if metric not in known}
        self._scores = frozenset(metric for metric, unit in own.items() if unit in ("score", "any"))
        self._last: tuple[str, Sequence[tuple[int, int, str, str]]] | None = None
        self._spoken: tuple[Spoken, ...] = (
            *(
                (
                    metric,
                    unit if unit in _GOVERNS else "any",
                    any_of(_called(metric, evidence.metrics[metric])),
                )
                for metric, unit in own.items()
            ),
            *measure_words(),
        )

    def alike(self, name: str) -> frozenset[str]:
        """The measures that a word may mean: "rating" is that of any column of scores."""
        return frozenset({name}) | (self._scores if name in lock_words()["general_measures"] else frozenset())

    def places(self, text: str) -> Sequence[tuple[int, int, str, str]]:
        """Where words for measures stand in a text: (start, end, measure, type), by measure."""
        last = self._last
        if last is None or last[0] != text:
            found = [
                (*match.span(), name, kind)
                for name, kind, called in self._spoken
                for match in called.finditer(text)
            ]
            last = self._last = text, found
        return last[1]

    def nearest(self, text: str, start: int, end: int, at: int) -> str | None:
        """The measure a word at `at` speaks of: the nearest in its clause, else the last before it."""
        best: tuple[int, str] | None = None
        for begun, ended, name, _ in self.places(text):
            if ended > end:
                continue
            far = at - ended if ended <= at else begun - at + 1
            if begun < start:
                far += 1000
            if best is None or far < best[0]:
                best = (far, name)
        return best[1] if best else None

    def first(self, text: str, start: int, end: int) -> str | None:
        """The measure a clause is about: "n" where it counts."""
        for begun, ended, name, _ in self.places(text):
            if start <= begun and ended <= end:
                return name
        return "n" if words("counted").search(text, start, end) else None


def _called(metric: str, names: Sequence[str]) -> list[str]:
    spaced = metric.replace("_", " ")
    bare = [name for name in names if name]
    scores = [f"{name} {word}" for name in bare for word in lock_words()["score_words"]]
    called = [metric, spaced, *bare, *scores, *(f"{name}评分" for name in bare)]
    for word, others in lock_words()["spellings"].items():
        called += [name.replace(word, other) for name in called if word in name for other in others]
    return called


def measure_of(
    figure: Figure, text: str, figures: Sequence[Figure], measures: Measures
) -> tuple[str, str, bool] | None:
    """(measure, its type, whether it stands right before) that the sentence gives the figure, if any."""
    if pattern("n_equals").search(text[: figure.start]):
        return "n", "count", True
    places = measures.places(text)
    if figure.unit in ("", "count"):
        for begun, ended, name, kind in places:
            beside = kind == "count" and figure.end <= begun and ended <= figure.end + _BESIDE
            if beside and pattern("counted_before").fullmatch(text[figure.end : begun]):
                return name, kind, True
    start = max(
        (f.end for f in figures if f.end <= figure.start and f.kind not in ("date", "time")), default=0
    )
    start = max(start, *(text.rfind(mark, 0, figure.start) + 1 for mark in "；;\n"))
    best: tuple[int, str, str, int] | None = None
    for begun, ended, name, kind in places:
        inside = start <= begun and ended <= figure.start
        if inside and (best is None or (ended, -begun) > (best[0], -best[3])):
            best = (ended, name, kind, begun)
    if best is None:
        return None
    return best[1], best[2], pattern("tight").fullmatch(text[best[0] : figure.start]) is not None


def wrong_unit(figure: Figure, measure: tuple[str, str, bool] | None) -> bool:
    """Whether a measure's word stands right before a figure of a unit it never has."""
    if measure is None or not measure[2]:
        return False
    if measure[1] == "money" and figure.unit in ("points", "score"):
        return False  # "cost 0.9 points" speaks of no money
    if measure[1] == "share" and figure.unit in ("", "score", "points") and abs(figure.value) <= 1.0:
        return False
    return figure.kind in ("number", "percent", "points") and figure.unit not in _GOVERNS[measure[1]]


def of_measure(
    found: Iterable[Value], figure: Figure, measure: tuple[str, str, bool] | None, measures: Measures
) -> list[Value]:
    """Values of the measure that governs the figure; all of them where none does."""
    values = list(found)
    if measure is None or figure.unit not in _GOVERNS[measure[1]]:
        return values
    name, kind, tight = measure
    if name == "share":
        return [v for v in values if v.unit in ("share", "any")]
    if name.startswith("tier_"):
        return [v for v in values if v.measure == name]
    if name == "n":
        return [v for v in values if v.unit in ("count", "integer", "any")]
    if not tight and kind in ("count", "score") and figure.unit in ("", "count"):
        # "NPS 样本 1,971 条": a word further off governs only figures that are no plain count.
        others = _NPS_PARTS - {name} if name in _NPS_PARTS else frozenset()
        return [v for v in values if v.measure not in others]
    if kind == "count" and figure.unit == "percent":
        # "the share of detractors": a share of its own, or what a result says of the parts of the NPS.
        part = name.removesuffix("s")
        return [v for v in values if v.measure in (name, "", "share") or part in v.measure or name == v.key]
    alike = measures.alike(name) | ({"", "n"} if name in _COUNTED else {""})
    return [v for v in values if v.measure in alike or name == v.key]


def implied_overall(found: Sequence[Value], evidence: Evidence, text: str, context: str) -> bool:
    """Whether every value is one group's, the text names no group, and the whole has a value of its own."""
    if (
        not found
        or words("lowest", "highest", "best", "worst").search(text)
        or pattern("between_groups").search(text)
    ):
        return False
    context = folded(context)
    for value in found:
        own = [s for s in value.subjects if s.dimension != _PERIOD and not s.group.endswith(":filters")]
        own += [s for s in value.subjects if s.dimension == _PERIOD and not s.group.endswith(":periods")]
        if not own or value.role not in ("value", "before", "after") or value.unit not in ("score", "share"):
            return False
        if any(folded(name) in context for one in own for name in one.names):
            return False
        whole = any(
            other.call == value.call
            and other.key == value.key
            and not (set(own) & set(other.subjects))
            and not any(s.group == own[0].group for s in other.subjects)
            for other in evidence.values
        )
        if not whole:
            return False
    return True


def fitting(figure: Figure, text: str, figures: Sequence[Figure], found: Sequence[Value]) -> list[Value]:
    """Values whose role the words around the figure allow.

    An end of an interval, the rest, the industry's rate, the value before: told only where so called.
    """
    start = max(
        (f.end for f in figures if f.end <= figure.start and f.kind not in ("date", "time")), default=0
    )
    head, tail = text[start : figure.start], re.split("[，,；;。]", text[figure.end : figure.end + 18])[0]
    near = (
        text[max(0, figure.start - 48) : figure.end]
        + re.split("[，,；;]", text[figure.end : figure.end + 14])[0]
    )
    span = pattern("range_before").search(text[max(0, figure.start - 18) : figure.start]) or pattern(
        "range_after"
    ).match(text, figure.end)
    values = list(found)
    if not (words("interval").search(near) or span):
        values = [v for v in values if v.role not in ("low", "high")]
    if not pattern("quantile").search(head + tail):
        values = [v for v in values if v.role != "quantile"]
    if not words("rest_words").search(text[: figure.start] + tail):
        values = [v for v in values if not v.role.startswith("rest")]
    if not words("industry_words").search(head + tail):
        values = [v for v in values if v.measure != "industry"]
    if pattern("changed_by").search(text[max(0, figure.start - 24) : figure.start]):
        values = [v for v in values if v.role in ("change", "low", "high") or v.unit == "any"]
    before = words("before_words").search(head) or re.match(r"[\s\w]{0,8}\bbefore\b", tail)
    after = words("after_words").search(head) or re.match(r"[\s\w]{0,8}\bafter\b", tail)
    if bool(before) != bool(after):
        values = [v for v in values if v.role != ("after" if before else "before")]
    return values
