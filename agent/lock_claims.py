"""Direction words, significance and targets of a sentence, held against the changes that results state."""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

from agent.lock_measures import Measures
from agent.lock_reasons import FailedClaim, failed
from agent.lock_subjects import Mention
from agent.lock_values import Evidence, Movement, Subject, folded
from agent.lock_words import any_of, lock_words, pattern, words

_NEGATED, _REACH = 10, 40
_PERIOD = "period"
_TWICE, _HALF = (1.8, 2.3), (0.4, 0.6)


def clauses(text: str) -> Iterator[tuple[int, int]]:
    """Spans between commas, semicolons and words that set two statements against each other."""
    start = 0
    for match in pattern("clause").finditer(text):
        digits = (
            text[match.start() - 1 : match.start()].isdigit()
            and text[match.end() : match.end() + 1].isdigit()
        )
        if match.group() == "," and digits:
            continue
        if match.start() > start:
            yield start, match.start()
        start = match.end()
    if start < len(text):
        yield start, len(text)


class Claims:
    """Checks the words of sentences against one body of evidence."""

    def __init__(self, evidence: Evidence, measures: Measures) -> None:
        self._evidence = evidence
        self._measures = measures

    def check(
        self, text: str, mentions: Sequence[Mention], hidden: Sequence[tuple[int, int]]
    ) -> list[FailedClaim]:
        """Failed claims of a sentence; words within `hidden` spans (quotes, names) claim nothing."""
        found: list[FailedClaim] = []
        if pattern("question_end").search(text[-3:]):
            return found
        for start, end in clauses(text):
            found += self._directions(text, start, end, mentions, hidden)
        return [
            *found,
            *self._significance(text, mentions),
            *self._targets(text),
            *self._folds(text, mentions),
        ]

    def _directions(
        self, text: str, start: int, end: int, mentions: Sequence[Mention], hidden: Sequence[tuple[int, int]]
    ) -> Iterator[FailedClaim]:
        for match in words("up", "down", "steady").finditer(text, start, end):
            word, (at, stop) = match.group().lower(), match.span()
            if any(a <= at and stop <= b for a, b in hidden) or pattern("than_after").match(text, stop):
                continue
            if words("supposed").search(text, max(start, at - 24), at) or (
                text[stop : stop + 3] == " to" and word == "up"
            ):
                continue
            measure = self._measures.nearest(text, start, end, at)
            moves = self._movements(text, start, at, end, measure, mentions)
            if not moves:
                continue
            sign = _sign(word, measure or moves[0].measure)
            denied = words("negated").search(text, max(start, at - _NEGATED), at) is not None
            if why := _verdict(sign, moves, text, denied=denied):
                shown = text[start:end].strip()
                yield failed("direction", why, (start, end), shown, text)

    def _movements(
        self, text: str, start: int, at: int, end: int, measure: str | None, mentions: Sequence[Mention]
    ) -> list[Movement]:
        """The changes that a direction word at `at` may speak of."""
        if words("sample_words").search(text, start, end):
            return []
        periods = [m for m in mentions if _PERIOD in m.dimensions]
        periods = [m for m in periods if start <= m.start < end] or periods
        pair = self._between(periods, measure)
        if pair:
            return pair
        alike = self._measures.alike(measure) | {""} if measure is not None else frozenset()
        moves = [m for m in self._evidence.movements if measure is None or m.measure in alike]
        named = [m for m in mentions if m.start < at or m.start < end]
        own = self._evidence.metric_names
        column = next((own[name] for m in named if (name := folded(m.text)) in own), None)
        # A column that one result follows through time may be a driver, so a group, in another.
        of_column = [m for m in self._evidence.movements if m.overall and m.measure == column]
        if of_column:
            return of_column
        for mention in sorted(
            (m for m in named if _PERIOD not in m.dimensions), key=lambda m: (m.start > at, -m.start)
        ):
            of = [m for m in moves if any(one in mention.subjects for one in m.subjects)]
            if of:
                return of
            if any(not one.group.endswith(":filters") for one in mention.subjects):
                return []
        if measure is None:
            return []
        return [m for m in moves if m.overall and m.measure in alike - {""}]

    def _between(self, periods: Sequence[Mention], measure: str | None) -> list[Movement]:
        """The change between two named periods of one list (or from the one before a named period)."""
        if measure is None or not periods:
            return []
        for group, listed in self._evidence.lists.items():
            here = [s for s in listed if any(s in p.subjects for p in periods)]
            ordered = sorted(listed, key=lambda s: s.key)
            if len(listed) < 2 or not here or listed[0].dimension != _PERIOD:
                continue
            last = max(here, key=lambda s: s.key)
            place = ordered.index(last)
            first = min(here, key=lambda s: s.key) if len(here) > 1 else ordered[place - 1] if place else None
            if first is None or (group.endswith(":periods") and len(here) < 2):
                continue
            ends = [self._of(one, measure) for one in (first, last)]
            if ends[0] is not None and ends[1] is not None and not group.endswith(":periods"):
                sign = (ends[1] > ends[0]) - (ends[1] < ends[0])
                return [Movement(group, measure, sign, None, (), True, ends[0], ends[1])]
        return []

    def _of(self, subject: Subject, measure: str) -> float | None:
        alike = self._measures.alike(measure)
        for value in self._evidence.by_subject.get(subject, ()):
            if value.measure in alike and value.role == "value":
                return value.number
        return None

    def _significance(self, text: str, mentions: Sequence[Mention]) -> Iterator[FailedClaim]:
        denies = words("not_significant").search(text)
        claims = words("significant").search(text)
        if not claims or words("supposed").search(text):
            return
        denies = denies or words("negated").search(text, max(0, claims.start() - 20), claims.start())
        measure = self._measures.nearest(text, 0, len(text), claims.start())
        moves = self._movements(text, 0, claims.start(), len(text), measure, mentions)
        if not moves and measure is None:
            moves = [m for m in self._evidence.movements if m.overall]
        sure = {m.significant for m in moves} - {None}
        if (denies and sure == {True}) or (not denies and sure == {False}):
            span = (denies or claims).span()
            yield failed("direction", "significance", span, text[span[0] : span[1]], text)

    def _targets(self, text: str) -> Iterator[FailedClaim]:
        missed, met = words("missed").search(text), words("met").search(text)
        word = missed or met
        if word is None or words("supposed").search(text[: word.start()]):
            return
        measure = self._measures.nearest(text, 0, len(text), word.start())
        known = [
            is_met
            for name, is_met in self._evidence.targets
            if measure is None or name in self._measures.alike(measure)
        ]
        if known and all(one is bool(missed) for one in known):
            yield failed("direction", "target", word.span(), word.group(), text)

    def _folds(self, text: str, mentions: Sequence[Mention]) -> Iterator[FailedClaim]:
        for name, (low, high) in (("doubled", _TWICE), ("halved", _HALF)):
            word = words(name).search(text)
            if word is None or words("supposed").search(text[: word.start()]):
                continue
            measure = self._measures.nearest(text, 0, len(text), word.start())
            moves = self._movements(text, 0, word.start(), len(text), measure, mentions)
            if name == "doubled" and words("more_than").search(
                text, max(0, word.start() - 12), word.end() + 4
            ):
                low, high = 2.0, 3.0
            ratios = [m.after / m.before for m in moves if m.before and m.after is not None]
            if not any(low <= ratio <= high for ratio in ratios):
                yield failed("direction", "direction", word.span(), word.group(), text)


def _verdict(sign: int, moves: Sequence[Movement], text: str, *, denied: bool) -> str | None:
    """The reason why a direction fails: "direction", "unproven", or None where it holds."""
    hedged = words("not_significant").search(text) is not None
    if denied:
        wrong = sign and all(m.sign == sign and m.significant for m in moves)
        return "direction" if wrong else None
    if sign == 0:
        return "direction" if all(m.sign != 0 and m.significant is not False for m in moves) else None
    agreeing = [m for m in moves if m.sign == sign]
    if not agreeing:
        return "direction"
    if all(m.significant is False for m in agreeing) and not hedged:
        return "unproven"
    return None


def _sign(word: str, measure: str) -> int:
    if words("steady").fullmatch(word):
        return 0
    low_is_good = measure in lock_words()["low_is_good"]
    if words("better").fullmatch(word):
        return -1 if low_is_good else 1
    if words("worse").fullmatch(word):
        return 1 if low_is_good else -1
    return 1 if words("up").fullmatch(word) else -1


def contradicts_move(text: str, first: tuple[int, float], second: tuple[int, float]) -> bool:
    """Whether the words between two figures ("从 34.5 上升到 7.9") say the opposite of the figures."""
    between = text[max(0, first[0] - _REACH) : second[0]]
    between = re.split(r"[，,；;。]", between[:_REACH])[-1] + between[_REACH:]
    up, down = words("up").search(between), words("down").search(between)
    if bool(up) == bool(down) or first[1] == second[1]:
        return False
    return bool(up) != (second[1] > first[1])


@lru_cache(maxsize=2)
def contrast_words(kind: str) -> re.Pattern[str]:
    """Words that set one subject above ("more") or below ("less") another."""
    return any_of(lock_words()["contrast"][kind])
