"""Which group, period and measure a sentence ascribes a figure to, and which values that leaves."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from agent.figures import Figure
from agent.lock_values import Evidence, Subject, Value, folded
from agent.lock_words import pattern, words

_PERIOD = "period"


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
        self._evidence = evidence

    def mentions(self, text: str, dates: Sequence[Figure] = ()) -> list[Mention]:
        """Names in a text, the longest at each place; a part of a longer date is none."""
        found = []
        at = 0
        for start, end, name in sorted(self._places(folded(text)), key=lambda place: (place[0], -place[1])):
            if start < at or any(
                f.start < end and start < f.end and not (start <= f.start and f.end <= end) for f in dates
            ):
                continue
            at = end
            found.append(Mention(start, end, text[start:end], self._evidence.by_name[name]))
        return found

    def _places(self, text: str) -> Iterator[tuple[int, int, str]]:
        """Where names stand; one of Latin letters only as a word of its own (a plural s apart)."""
        for name in self._evidence.by_name:
            start = text.find(name)
            while start >= 0:
                end = start + len(name)
                if not (_joins(text, start - 1, name[0]) or _joins(text, end, name[-1])):
                    yield start, end, name
                start = text.find(name, start + 1)

    def compatible(self, value: Value, mention: Mention) -> bool:
        """Whether a value may be said of the mentioned subject."""
        if value.role == "change" and _PERIOD in mention.dimensions:
            return True
        name = folded(mention.text)
        if any(one in mention.subjects or name in map(folded, one.names) for one in value.subjects):
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
            for one in mention.subjects
            for other in self._evidence.by_subject.get(one, ())
        )


def _without_spans(found: Sequence[Mention], text: str) -> list[Mention]:
    """Without the two ends of a span of time ("2026-11-22 至 2026-11-28"): no figure is that of an end."""
    ends: set[int] = set()
    for at, (first, second) in enumerate(itertools.pairwise(found)):
        both = _PERIOD in first.dimensions and _PERIOD in second.dimensions
        if both and pattern("span_gap").fullmatch(text[first.end : second.start]):
            ends |= {at, at + 1}
    return [mention for at, mention in enumerate(found) if at not in ends]


def _shares(subject: Subject, mention: Mention) -> bool:
    return any(part in mention.dimensions for part in subject.dimension.split("+"))


def _joins(text: str, at: int, beside: str) -> bool:
    """Whether the character at a place belongs to the same word as the one beside it."""
    if not (0 <= at < len(text) and beside.isascii() and beside.isalnum()):
        return False
    return text[at].isascii() and (text[at].isalnum() or text[at] == "_")


def governors(
    figure: Figure, text: str, mentions: Sequence[Mention], figures: Sequence[Figure]
) -> list[list[Mention]]:
    """For each dimension the mentions that may govern the figure: one of each list must fit."""
    found: list[list[Mention]] = []
    if pattern("of_all").search(text[: figure.start]):
        return found
    mentions = _without_spans(mentions, text)
    following = _following(figure, text, mentions, figures)
    taken = set(following.dimensions) if following else set()
    if following:
        found.append([following])
    before = [
        m for m in mentions if m.end <= figure.start and not pattern("releases").search(text[: m.start])
    ]
    latest = max((m.start for m in before if _PERIOD not in m.dimensions), default=0)
    while before:
        nearest = before[-1]
        gap = text[nearest.end : figure.start]
        same = [m for m in before if m.dimensions & nearest.dimensions]
        before = [m for m in before if not m.dimensions & nearest.dimensions]
        if nearest.dimensions & taken or words("overall").search(gap):
            continue
        if _PERIOD in nearest.dimensions:
            if words("changed").search(gap) or pattern("from_before").search(text[: figure.start]):
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
            and (pattern("follows").fullmatch(between) or (between == " " and mention.text.isascii()))
        ):
            preceded = [m for m in mentions if m.end <= figure.start and m.dimensions & mention.dimensions]
            zh = "的" in between and preceded
            return None if zh else mention
        return None
    return None


def _options(figure: Figure, text: str, same: Sequence[Mention], figures: Sequence[Figure]) -> list[Mention]:
    run = [same[-1]]
    for earlier in reversed(same[:-1]):
        if not pattern("list_gap").fullmatch(text[earlier.end : run[0].start]):
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
