"""The number lock: a figure, a rank, a direction or a citation is shown only if a tool result says it.

Every number, percentage, date and time in an answer is looked up among the values the tools returned (and the
arguments they were called with): the unit must fit, and the group, period and measure that the sentence names
must be the value's. Direction and rank words are held against the changes and sorted groups of the results,
what customers are said to have said against the texts of the evidence. What fails is reported with a reason;
the graph has the answer redone once and then cuts the sentences that still fail.
"""

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from agent.figures import Figure, find_figures
from agent.lock_binding import candidates
from agent.lock_citations import Citations
from agent.lock_claims import Claims, contradicts_move
from agent.lock_dates import covers, date_parts
from agent.lock_measures import Measures, fitting, implied_overall, measure_of, of_measure, wrong_unit
from agent.lock_ranks import Ranks
from agent.lock_reading import read_sources
from agent.lock_reasons import FailedClaim, Kind, failed
from agent.lock_sentences import sentences
from agent.lock_subjects import (
    Mention,
    Subjects,
    governors,
)
from agent.lock_values import Source, Value
from agent.lock_words import pattern, words

__all__ = ["Bound", "Checked", "FailedClaim", "NumberLock", "Source"]

_CITATION = re.compile(r"\[[^\[\]\s]{3,}\]")
_MARKS = re.compile(r"^[\s\-*#>]+|^\s*\d{1,2}[.)、]\s*|[\s*。.！!]+$")
_REACH = 24
_KNOWN = 400
_RANGE_ROLES = ("low", "high")


@dataclass(frozen=True)
class Bound:
    """A figure and where it comes from: a path such as `data.groups[0].nps` in that call's result."""

    text: str
    value: float | str
    tool_call_id: str
    path: str


@dataclass(frozen=True)
class Checked:
    """The outcome for one answer: figures bound, figures that no result holds, and claims that failed.

    Every unbound figure is among the failed claims too, with its reason.
    """

    bound: tuple[Bound, ...]
    unbound: tuple[Figure, ...]
    claims: tuple[FailedClaim, ...] = ()


class NumberLock:
    """Checks answers against the results of a conversation; newer results are preferred."""

    def __init__(
        self, sources: Sequence[Source], questions: Sequence[str] = (), said: Sequence[str] = ()
    ) -> None:
        """`questions`: what the person asked; dates, times and quoted words of theirs may be repeated.

        `said`: what tools refused and why; repeated word for word it is no claim.
        """
        self._evidence = read_sources(sources)
        self._asked = " ".join(questions)
        self._said = tuple(text.replace("\n", " ").strip() for text in said if text.strip())
        self._subjects = Subjects(self._evidence)
        self._measures = Measures(self._evidence)
        self._claims = Claims(self._evidence, self._measures)
        self._ranks = Ranks(self._evidence, self._measures)
        self._citations = Citations(self._evidence, self._asked)
        # An answer is checked when it is given and again for its figures: the second time it is known.
        self._known: dict[tuple[str, int], Checked] = {}

    def check(self, answer: str) -> Checked:
        """Bind every figure of `answer` and hold its words against the results, sentence by sentence."""
        parts = [self.check_sentence(answer, start, end) for start, end in sentences(answer)]
        return Checked(
            tuple(one for part in parts for one in part.bound),
            tuple(one for part in parts for one in part.unbound),
            tuple(one for part in parts for one in part.claims),
        )

    def cut(self, answer: str) -> str:
        """Return the answer without the sentences that fail."""
        kept = []
        for start, end in sentences(answer):
            if not self.check_sentence(answer, start, end).claims:
                kept.append(answer[start:end])
        return re.sub(r"\n{3,}", "\n\n", "".join(kept)).strip()

    def check_sentence(self, answer: str, start: int, end: int) -> Checked:
        """Check one sentence by its span in an answer; besides it, only what stands before is looked at."""
        place = answer[:end], start
        known = self._known.get(place)
        if known is None:
            known = self._checked(answer, start, end)
            if len(self._known) >= _KNOWN:
                self._known.clear()
            self._known[place] = known
        return known

    def _checked(self, answer: str, start: int, end: int) -> Checked:
        text = answer[start:end]
        if self._is_of_a_result(text):
            return Checked((), ())
        hidden = self._hidden(text)
        figures = [f for f in find_figures(text) if not any(a <= f.start and f.end <= b for a, b in hidden)]
        dates = [f for f in figures if f.kind == "date"]
        spoken = [place[:2] for place in self._measures.places(text)]
        mentions = [m for m in self._subjects.mentions(text, dates) if not _is_word_of(m, spoken)]
        context = self._asked + answer[:end]
        bound: list[Bound] = []
        unbound: list[Figure] = []
        claims: list[FailedClaim] = []
        chosen: dict[Figure, list[Value]] = {}
        for figure in figures:
            hit = self._bind(figure, text, figures, mentions, context, chosen)
            if isinstance(hit, FailedClaim):
                claims.append(hit)
                if chosen.pop(figure, None) is None:
                    unbound.append(_moved(figure, start))
            else:
                bound.append(hit)
        claims += _swapped(text, figures, chosen)
        claims += self._claims.check(text, mentions, hidden)
        claims += self._ranks.check(text, mentions, hidden)
        claims += self._citations.check(text)
        return Checked(tuple(bound), tuple(unbound), tuple(_shifted(one, start) for one in claims))

    def _bind(
        self,
        figure: Figure,
        text: str,
        figures: Sequence[Figure],
        mentions: Sequence[Mention],
        context: str,
        chosen: dict[Figure, list[Value]],
    ) -> Bound | FailedClaim:
        if figure.kind in ("date", "time"):
            hit = self._bind_date(figure) if figure.kind == "date" else self._bind_time(figure)
            return hit or _fail("figure", "unbound", figure, text)
        if figure.unit == "percent" and figure.value == 95 and pattern("level_after").match(text, figure.end):
            hit = self._level(figure)
            return hit or _fail("figure", "unbound", figure, text)
        measure = measure_of(figure, text, figures, self._measures)
        if wrong_unit(figure, measure):
            return _fail("unit", "unit", figure, text, measure=measure[0] if measure else "")
        rounds = measure is not None and measure[0] != "n"
        found = candidates(figure, text, self._evidence, rounds=rounds)
        if not found and figure.value in self._citations.figures_of(text):
            return Bound(figure.text, figure.value, "", "cited text")
        found = fitting(figure, text, figures, found)
        if not found and not (measure and measure[2]) and self._is_asked(figure):
            return Bound(figure.text, figure.value, "", "question")
        if not found:
            return _fail("figure", "unbound", figure, text)
        chosen[figure] = found
        measured = of_measure(found, figure, measure, self._measures)
        if not measured:
            return _fail("attribution", "measure", figure, text, measure=measure[0] if measure else "")
        for options in governors(figure, text, mentions, figures):
            kept = [v for v in measured if any(self._subjects.compatible(v, m) for m in options)]
            if not kept:
                return _fail("attribution", "subject", figure, text, subject=options[-1].text)
            measured = kept
        chosen[figure] = measured
        if not pattern("from_before").search(text[: figure.start]) and implied_overall(
            measured, self._evidence, text, context
        ):
            return _fail("attribution", "overall", figure, text)
        best = measured[0]
        return Bound(figure.text, best.number, best.call, best.path)

    def _level(self, figure: Figure) -> Bound | None:
        for value in self._evidence.values:
            if value.role in _RANGE_ROLES:
                return Bound(figure.text, 95.0, value.call, value.path)
        return None

    def _bind_date(self, figure: Figure) -> Bound | None:
        wanted = date_parts(figure.text)
        for text, call, path in self._evidence.strings:
            if figure.text in text or covers(text, wanted) or _is_last_day(text, wanted, path):
                return Bound(figure.text, text, call, path)
        if figure.text in self._asked:
            return Bound(figure.text, figure.text, "", "question")
        return None

    def _bind_time(self, figure: Figure) -> Bound | None:
        hour = int(figure.value)
        for text, call, path in self._evidence.strings:
            if figure.text in text or text.strip() == str(hour):
                return Bound(figure.text, text, call, path)
        if figure.text in self._asked:
            return Bound(figure.text, figure.text, "", "question")
        return None

    def _is_asked(self, figure: Figure) -> bool:
        """Whether the person wrote the figure; as the value of a measure it needs a result all the same."""
        return any((f.value, f.unit) == (figure.value, figure.unit) for f in find_figures(self._asked))

    def _hidden(self, text: str) -> list[tuple[int, int]]:
        """Spans of known citations and of strings of the results; a date alone stays a claim."""
        spans = [m.span() for m in _CITATION.finditer(text) if self._citations.is_known(m.group()[1:-1])]
        spans += [m.span() for m in pattern("quoted").finditer(text) if m.group()[1:-1] in self._asked]
        spans += [span for span in self._citations.verbatim_spans(text) if not _is_date(text[slice(*span)])]
        for known in (*self._evidence.verbatim, *self._said):
            at = text.find(known)
            while at >= 0:
                if not _is_date(known):
                    spans.append((at, at + len(known)))
                at = text.find(known, at + len(known))
        return spans

    def _is_of_a_result(self, text: str) -> bool:
        """Whether a sentence repeats a sentence of a result (a caveat, an explanation) word for word."""
        bare = _MARKS.sub("", _MARKS.sub("", text))
        return len(bare) > 8 and any(bare in known for known in (*self._evidence.verbatim, *self._said))


def _fail(kind: Kind, why: str, figure: Figure, text: str, **values: str) -> FailedClaim:
    return failed(kind, why, (figure.start, figure.end), figure.text, text, **values)


def _swapped(text: str, figures: Sequence[Figure], chosen: dict[Figure, list[Value]]) -> list[FailedClaim]:
    """Pairs told in the wrong order: from before to after, the ends of an interval."""
    found = []
    plain = [f for f in figures if f in chosen]
    for first, second in itertools.pairwise(plain):
        between = text[first.end : second.start]
        span = (first.start, second.end)
        a, b = chosen[first], chosen[second]
        if pattern("interval_before").search(text[: first.start]) and pattern("joined").fullmatch(between):
            if not _pair(a, b, "low", "high"):
                found.append(failed("attribution", "ends", span, text[slice(*span)], text))
            continue
        moves = _from_to(text, first, between)
        before = any(v.role in ("before", "rest_before") for v in [*a, *b])
        if (
            moves
            and before
            and not (_pair(a, b, "before", "after") or _pair(a, b, "rest_before", "rest_after"))
        ) or (moves and all(v.role == "after" for v in a)):
            found.append(failed("attribution", "swapped", span, text[slice(*span)], text))
        elif (moves and contradicts_move(text, (first.end, first.value), (second.start, second.value))) or (
            a[0].unit == b[0].unit and _leads_astray(between, second.value - first.value)
        ):
            found.append(failed("direction", "direction", span, text[slice(*span)], text))
    return found


def _leads_astray(between: str, change: float) -> bool:
    """Whether the words right before the second figure lead the other way: "3.55，升到 3.03"."""
    up, down = pattern("up_to").search(between), pattern("down_to").search(between)
    return len(between) <= _REACH and ((up is not None and change < 0) or (down is not None and change > 0))


def _from_to(text: str, first: Figure, between: str) -> bool:
    head = text[max(0, first.start - 24) : first.start]
    began = re.search(rf"(?:{words('from_words').pattern})[^，,；;。\d]*$", head, re.IGNORECASE)
    return began is not None and len(between) <= 40 and words("to_words").search(between) is not None


def _pair(first: Sequence[Value], second: Sequence[Value], low: str, high: str) -> bool:
    """Whether some value of role `low` and one of role `high` stand side by side in one object."""
    lows = {(v.call, v.path.rpartition(".")[0]) for v in first if v.role == low}
    return any((v.call, v.path.rpartition(".")[0]) in lows for v in second if v.role == high)


def _is_word_of(mention: Mention, spoken: Sequence[tuple[int, int]]) -> bool:
    """Whether a name is only part of a measure's words: "negative" in "negative share"."""
    return any(a <= mention.start and mention.end <= b and b - a > len(mention.text) for a, b in spoken)


def _moved(figure: Figure, by: int) -> Figure:
    return replace(figure, start=figure.start + by, end=figure.end + by)


def _shifted(claim: FailedClaim, by: int) -> FailedClaim:
    return FailedClaim(claim.start + by, claim.end + by, claim.text, claim.kind, claim.reason)


def _is_date(text: str) -> bool:
    figures = find_figures(text)
    return bool(figures) and all(f.kind == "date" for f in figures) and len(text) <= 40


def _is_last_day(text: str, wanted: tuple[int | None, int | None, int | None], path: str) -> bool:
    """Periods are half-open: the last day that people write is the day before `to`."""
    if not path.endswith(".to") or not re.match(r"\d{4}-\d{2}-\d{2}", text):
        return False
    last = date.fromisoformat(text[:10]) - timedelta(days=1)
    return covers(last.isoformat(), wanted)
