"""Which group, period and measure a sentence ascribes a figure to, and which values that leaves."""

import itertools
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from agent.figures import Figure
from agent.lock_values import Evidence, Subject, Value, subjects_of
from agent.lock_words import any_of, measure_words, words

_FOLLOWS = re.compile(
    r"[^，,；;。\d\n]{0,24}?(?:\b(?:in|for|at|from|among|of|on|during|to|by)"
    r"\s+(?:the\s+)?|出现在|来自|属于|[（(]\s*)"
    r"|[^，,；;。\d\n]{0,4}的(?:是)?",
    re.IGNORECASE,
)
_LIST_GAP = re.compile(r"\s*(?:[、,，/]|和|与|及|以及|至|到|and|&|to|[、,，]\s*and)\s*", re.IGNORECASE)
_TIGHT = re.compile(
    r"(?:\s|[:：=|*（(]|[为是达有]|约|只|仅|高|低|到|值|得分|分别|目前|点估计|估计|降|升|至|is|was|at|of|stands|stood|came|in|"
    r"about|just|only|a|the|score|equals)*",
    re.IGNORECASE,
)
_N_EQUALS = re.compile(r"(?<![A-Za-z])n\s*[=＝:：]\s*$", re.IGNORECASE)
_RELEASES = re.compile(
    r"(?:受|因为?|由于|driven by|due to|because of|led by|thanks to|除了?|不含|不包括|剔除|"
    r"excluding|except(?: for)?|without|unlike|apart from|outside|other than|besides)\s*(?:the\s+)?$",
    re.IGNORECASE,
)
_BETWEEN = re.compile(
    r"(?:之间|区间|不等|各|每|某|range|rang|each|every|regions|groups|分组|地区间|some)", re.I
)
_NUMERAL = r"[-+−]?[\d,.]+\s*[%％]?"
_RANGE = re.compile(rf"{_NUMERAL}\s*(?:到|至|~|–|—|-|and|to|,|，)\s*[(（]?$", re.IGNORECASE)
_RANGE_ON = re.compile(rf"\s*(?:到|至|~|–|—|-|and|to|,)\s*{_NUMERAL}", re.IGNORECASE)
_FROM = re.compile(r"(?:从|由|自|\bfrom)\s*$", re.IGNORECASE)
_QUANTILE = re.compile(r"中位|分位|以?内|median|p\d\d|percentile|within|half of", re.IGNORECASE)
_OF_ALL = re.compile(r"(?:\bof (?:the|all|our|those|its)|\bout of|/)\s*$", re.IGNORECASE)
_SPAN_GAP = re.compile(r"\s*(?:至|到|to|through|until|-|–|—|~)\s*", re.IGNORECASE)
_PERIOD = "period"
_NPS_PARTS = frozenset({"promoters", "passives", "detractors"})
_COUNTED = ("volume", "complaints")
_SCORE_UNITS = ("", "score", "points")
_GOVERNS = {
    "score": _SCORE_UNITS,
    "share": ("percent",),
    "count": ("", "count", "percent"),
    "money": ("", "money"),
    "minutes": ("", "minutes", "seconds", "hours"),
    "months": ("", "months", "years"),
    "fold": ("", "fold"),
}


@dataclass(frozen=True)
class Mention:
    """A name of subjects in a sentence."""

    start: int
    end: int
    text: str
    subjects: tuple[Subject, ...]

    @property
    def dimensions(self) -> frozenset[str]:
        """Of which dimensions the name is a value."""
        return frozenset(part for one in self.subjects for part in one.dimension.split("+"))


class Subjects:
    """Finds the subjects of the results in sentences."""

    def __init__(self, evidence: Evidence) -> None:
        by_name: dict[str, list[Subject]] = {}
        for subject in subjects_of(evidence):
            for name in subject.names:
                if len(name) > 1 and not (name.isdigit() and len(name) < 4):
                    by_name.setdefault(_folded(name), []).append(subject)
        self._by_name: Mapping[str, list[Subject]] = by_name
        self._values = evidence.values

    def mentions(self, text: str, dates: Sequence[Figure] = ()) -> list[Mention]:
        """Names in a text; a part of a longer date is none."""
        found = []
        folded = _folded(text)
        # Hundreds of names in one pattern take long to compile: look for those that are there at all.
        here = any_of(name for name in self._by_name if name in folded)
        for match in here.finditer(text):
            start, end = match.span()
            if any(
                f.start < end and start < f.end and not (start <= f.start and f.end <= end) for f in dates
            ):
                continue
            subjects = self._by_name.get(_folded(match.group()))
            if subjects:
                found.append(Mention(start, end, match.group(), tuple(subjects)))
        return found

    def compatible(self, value: Value, mention: Mention) -> bool:
        """Whether a value may be said of the mentioned subject."""
        if value.role == "change" and _PERIOD in mention.dimensions:
            return True
        name = _folded(mention.text)
        if any(one in mention.subjects or name in map(_folded, one.names) for one in value.subjects):
            return True
        groups = {one.group for one in mention.subjects}
        if any(one.group in groups or _shares(one, mention) for one in value.subjects):
            return False
        if any(one.dimension != _PERIOD and not one.group.endswith(":filters") for one in value.subjects):
            return False
        if value.path.startswith("args") or value.path.endswith(".length") or not value.measure:
            return not self._has(value, mention, same_call=True)
        return not self._has(value, mention, same_call=False)

    def _has(self, value: Value, mention: Mention, *, same_call: bool) -> bool:
        """Whether the mentioned subject has a value of its own of this kind."""
        return any(
            (other.call == value.call and other.key == value.key)
            or (not same_call and (other.measure, other.role) == (value.measure, value.role))
            for other in self._values
            if any(one in mention.subjects for one in other.subjects)
        )


def _without_spans(found: Sequence[Mention], text: str) -> list[Mention]:
    """Without the two ends of a span of time ("2026-11-22 至 2026-11-28"): no figure is that of an end."""
    ends: set[int] = set()
    for at, (first, second) in enumerate(itertools.pairwise(found)):
        both = _PERIOD in first.dimensions and _PERIOD in second.dimensions
        if both and _SPAN_GAP.fullmatch(text[first.end : second.start]):
            ends |= {at, at + 1}
    return [mention for at, mention in enumerate(found) if at not in ends]


def _shares(subject: Subject, mention: Mention) -> bool:
    return any(part in mention.dimensions for part in subject.dimension.split("+"))


def _folded(name: str) -> str:
    return re.sub(r"\s+", " ", name.lower())


def governors(
    figure: Figure, text: str, mentions: Sequence[Mention], figures: Sequence[Figure]
) -> list[list[Mention]]:
    """For each dimension the mentions that may govern the figure: one of each list must fit."""
    found: list[list[Mention]] = []
    if _OF_ALL.search(text[: figure.start]):
        return found
    mentions = _without_spans(mentions, text)
    following = _following(figure, text, mentions, figures)
    taken = set(following.dimensions) if following else set()
    if following:
        found.append([following])
    before = [m for m in mentions if m.end <= figure.start and not _RELEASES.search(text[: m.start])]
    latest = max((m.start for m in before if _PERIOD not in m.dimensions), default=0)
    while before:
        nearest = before[-1]
        gap = text[nearest.end : figure.start]
        same = [m for m in before if m.dimensions & nearest.dimensions]
        before = [m for m in before if not m.dimensions & nearest.dimensions]
        if nearest.dimensions & taken or words("overall").search(gap):
            continue
        if _PERIOD in nearest.dimensions:
            if words("changed").search(gap) or _FROM.search(text[: figure.start]):
                continue
        elif any(nearest.end <= f.start and f.end <= latest for f in figures if f.kind != "date"):
            continue  # another subject has been named since, and a figure of the first one told
        taken |= nearest.dimensions
        found.append(_options(figure, text, same, figures))
    return found


def _following(
    figure: Figure, text: str, mentions: Sequence[Mention], figures: Sequence[Figure]
) -> Mention | None:
    for mention in mentions:
        if mention.start < figure.end:
            continue
        between = text[figure.end : mention.start]
        crossed = any(figure.end <= f.start < mention.start for f in figures if f.kind != "date")
        if (
            not crossed
            and len(between) <= 34
            and (_FOLLOWS.fullmatch(between) or (between == " " and mention.text.isascii()))
        ):
            preceded = [m for m in mentions if m.end <= figure.start and m.dimensions & mention.dimensions]
            zh = "的" in between and preceded
            return None if zh else mention
        return None
    return None


def _options(figure: Figure, text: str, same: Sequence[Mention], figures: Sequence[Figure]) -> list[Mention]:
    run = [same[-1]]
    for earlier in reversed(same[:-1]):
        if not _LIST_GAP.fullmatch(text[earlier.end : run[0].start]):
            break
        run.insert(0, earlier)
    if len(run) > 1 and words("together").search(text):
        told = [
            f for f in figures if f.start >= run[-1].end and f.kind == figure.kind and f.unit == figure.unit
        ]
        if len(told) == len(run) and figure in told:
            return [run[told.index(figure)]]
    if words("comparing").search(text[max(0, run[0].start - 12) : run[0].start]):
        first = [m for m in same if m.end <= run[0].start]
        return [*run, *first[-1:]]
    return run


def measure_of(figure: Figure, text: str, figures: Sequence[Figure]) -> tuple[str, str, bool] | None:
    """(measure, its type, whether it stands right before) that the sentence gives the figure, if any."""
    if _N_EQUALS.search(text[: figure.start]):
        return "n", "count", True
    tail = text[figure.end : figure.end + 24]
    if figure.unit in ("", "count"):
        for name, kind, pattern in measure_words():
            match = pattern.search(tail)
            if (
                kind == "count"
                and match
                and re.fullmatch(r"\s*(?:个|位|名|条|人)?的?\s*", tail[: match.start()])
            ):
                return name, kind, True
    start = max(
        (f.end for f in figures if f.end <= figure.start and f.kind not in ("date", "time")), default=0
    )
    start = max(start, *(text.rfind(mark, 0, figure.start) + 1 for mark in "；;\n"))
    best: tuple[int, str, str, int] | None = None
    for name, kind, pattern in measure_words():
        for match in pattern.finditer(text, start, figure.start):
            if best is None or (match.end(), -match.start()) > (best[0], -best[3]):
                best = (match.end(), name, kind, match.start())
    if best is None:
        return None
    return best[1], best[2], _TIGHT.fullmatch(text[best[0] : figure.start]) is not None


def wrong_unit(figure: Figure, measure: tuple[str, str, bool] | None) -> bool:
    """Whether a measure's word stands right before a figure of a unit it never has."""
    if measure is None or not measure[2]:
        return False
    if measure[1] == "money" and figure.unit in ("points", "score"):
        return False  # "cost 0.9 points" speaks of no money
    if measure[1] == "share" and figure.unit in ("", "score", "points") and abs(figure.value) <= 1.0:
        return False
    return figure.kind in ("number", "percent", "points") and figure.unit not in _GOVERNS[measure[1]]


def of_measure(found: Iterable[Value], figure: Figure, measure: tuple[str, str, bool] | None) -> list[Value]:
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
    alike = (name, "", "n") if name in _COUNTED else (name, "")
    return [v for v in values if v.measure in alike or name == v.key]


def implied_overall(found: Sequence[Value], evidence: Evidence, text: str, context: str) -> bool:
    """Whether every value is one group's, the text names no group, and the whole has a value of its own."""
    if not found or words("lowest", "highest", "best", "worst").search(text) or _BETWEEN.search(text):
        return False
    for value in found:
        own = [s for s in value.subjects if s.dimension != _PERIOD and not s.group.endswith(":filters")]
        own += [s for s in value.subjects if s.dimension == _PERIOD and not s.group.endswith(":periods")]
        if not own or value.role not in ("value", "before", "after") or value.unit not in ("score", "share"):
            return False
        if any(name.lower() in context.lower() for one in own for name in one.names):
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
    span = _RANGE.search(text[max(0, figure.start - 18) : figure.start]) or _RANGE_ON.match(text, figure.end)
    values = list(found)
    if not (words("interval").search(near) or span):
        values = [v for v in values if v.role not in ("low", "high")]
    if not _QUANTILE.search(head + tail):
        values = [v for v in values if v.role != "quantile"]
    if not words("rest_words").search(text[: figure.start] + tail):
        values = [v for v in values if not v.role.startswith("rest")]
    if not words("industry_words").search(head + tail):
        values = [v for v in values if v.measure != "industry"]
    before = words("before_words").search(head) or re.match(r"[\s\w]{0,8}\bbefore\b", tail)
    after = words("after_words").search(head) or re.match(r"[\s\w]{0,8}\bafter\b", tail)
    if bool(before) != bool(after):
        values = [v for v in values if v.role != ("after" if before else "before")]
    return values
