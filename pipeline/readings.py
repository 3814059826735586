"""A batch of texts read at once: the cues of all texts in columns, weighed in their context.

What stands before a cue in its clause changes it (negation, intensifier), so cues are weighed in the order of
their place: all first cues of all clauses together, then all second ones, and so on.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pipeline.cue_table import CueTable, Flags, Floats, Ints, cue_table
from pipeline.lexicon import BREAK, SENTENCE, Lexicon, bit

NEGATION: Final = bit("negation")
RISK_NEGATION: Final = bit("risk_negation")
INTENSIFIER: Final = bit("intensifier")
DIMINISHER: Final = bit("diminisher")
CONTRAST: Final = bit("contrast")
CONCESSION: Final = bit("concession")
HYPOTHETICAL: Final = bit("hypothetical")
DESIRE: Final = bit("desire")
QUESTION: Final = bit("question")
_OPENING: Final = np.array([ord(sign) for sign in "「『“\"'《【"], dtype=np.uint32)
_CLOSING: Final = np.array([ord(sign) for sign in "」』”\"'》】"], dtype=np.uint32)
_NOWHERE: Final = -99
# How far a negation reaches, in code points: a few signs in Chinese, about four words in English.
_REACH_ZH, _REACH_EN = 5, 26
# A stretch without a mark ends after so many cues: nobody speaks so long without drawing breath.
_LONGEST: Final = 64
_GAP: Final = "\x00"


@dataclass(frozen=True)
class Clauses:
    """Stretches between marks that say something, in order of reading; all columns have shape (m,).

    `positive` and `negative` are sums of cue strengths (both >= 0) after the context has been weighed.
    """

    text: Ints
    sentence: Ints
    modifiers: Ints
    positive: Floats
    negative: Floats

    @property
    def balance(self) -> Floats:
        """Positive less negative strength, shape (m,)."""
        return self.positive - self.negative


@dataclass(frozen=True)
class Mentions:
    """Cues with something to say, in order of reading; all columns have shape (k,).

    `clause` is a row of `Clauses`, `cue` an index into the lexicon's cues; `start` and `end` are places in
    the text as `lowered` makes it.
    """

    clause: Ints
    cue: Ints
    start: Ints
    end: Ints
    negated: Flags
    denied: Flags
    quoted: Flags
    polarity: Floats


@dataclass(frozen=True)
class Readings:
    """What the cues of n texts say. Clauses of text i are rows `clause_offsets[i]:clause_offsets[i + 1]`.

    `modifiers` unites those of the clauses, `says` the kinds of cue (bits of `cue_table`);
    `exclamations` and `lengths` (code points) are counted on the text.
    """

    table: CueTable
    clauses: Clauses
    mentions: Mentions
    clause_offsets: Ints
    mention_offsets: Ints
    modifiers: Ints
    says: Ints
    exclamations: Ints
    lengths: Ints

    def __len__(self) -> int:
        return len(self.lengths)


def lowered(text: str) -> str:
    """The text in the form in which cues are looked for."""
    return text.lower().replace("’", "'").replace(_GAP, " ")


def read_texts(texts: Sequence[str], lexicon: Lexicon) -> Readings:
    """Read a batch: one pass of the automaton, context handled in the order of reading."""
    table = cue_table(lexicon)
    plain = [lowered(text) for text in texts]
    joined = _GAP.join(plain) + _GAP
    signs = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    sizes = np.fromiter(map(len, plain), np.int64, len(plain)) + 1
    starts = np.concatenate(([0], np.cumsum(sizes)))
    cue, start, end = _hits(lexicon, table, joined, signs)
    text = np.searchsorted(starts, start, side="right") - 1
    segment, sentence = _segments(table.modifiers[cue], text)
    places = _Places(cue, start, end, segment, _quoted(signs, start, end))
    weighed = _weigh(table, places)
    exclaimed = np.concatenate(([0], np.cumsum((signs == 33) | (signs == 0xFF01))))
    lengths = np.fromiter(map(len, texts), np.int64, len(texts))
    return _assemble(
        table,
        places,
        starts,
        text,
        sentence,
        weighed,
        exclaimed[starts[1:]] - exclaimed[starts[:-1]],
        lengths,
    )


def _hits(
    lexicon: Lexicon, table: CueTable, joined: str, signs: NDArray[np.uint32]
) -> tuple[Ints, Ints, Ints]:
    """Cues in order as (cue, start, end), without Latin cues inside longer words or points in numbers."""
    found = lexicon.automaton.find_matches_as_indexes(joined)
    hits = np.fromiter(chain.from_iterable(found), np.int64, 3 * len(found)).reshape(-1, 3)
    cue, start, end = hits[:, 0], hits[:, 1], hits[:, 2]
    wordy = _wordy(signs)
    inside = (start > 0) & wordy[start - 1] & wordy[start]
    inside |= ~table.open_end[cue] & wordy[end] & wordy[end - 1]
    kept = ~(table.latin[cue] & inside)
    for at in np.flatnonzero(table.point_or_comma[cue]):
        # Joined texts end with a gap, so there is always a next sign.
        kept[at] = not joined[end[at]].isalnum()
    return cue[kept], start[kept], end[kept]


def _wordy(signs: NDArray[np.uint32]) -> Flags:
    small = (signs >= 97) & (signs <= 122)
    return small | ((signs >= 48) & (signs <= 57)) | ((signs >= 0xDF) & (signs <= 0x24F))


def _quoted(signs: NDArray[np.uint32], start: Ints, end: Ints) -> Flags:
    before = np.isin(signs[np.maximum(start - 1, 0)], _OPENING) & (start > 0)
    return before & np.isin(signs[end], _CLOSING)


def _segments(modifiers: Ints, text: Ints) -> tuple[Ints, Ints]:
    """Number the stretches between marks and the sentences; both go up from 0 over the whole batch."""
    ends = (modifiers & BREAK) != 0
    full = (modifiers & SENTENCE) != 0
    fresh = np.concatenate(([False], text[1:] != text[:-1])) if len(text) else np.zeros(0, np.bool_)
    before = np.concatenate(([False], ends[:-1])) if len(text) else fresh
    full_before = np.concatenate(([False], full[:-1])) if len(text) else fresh
    segment = np.cumsum(fresh | before)
    run = np.arange(len(text)) - _first_of(segment)[segment] if len(text) else segment
    segment = np.cumsum(fresh | before | ((run > 0) & (run % _LONGEST == 0)))
    return segment, np.cumsum(fresh | full_before)


def _first_of(groups: Ints) -> Ints:
    """Row at which each group of a sorted, gapless column of numbers begins."""
    return np.flatnonzero(np.concatenate(([True], groups[1:] != groups[:-1])))


@dataclass(frozen=True)
class _Places:
    cue: Ints
    start: Ints
    end: Ints
    segment: Ints
    quoted: Flags


@dataclass(frozen=True)
class _Weighed:
    """By hit: the clause within its segment, and what its context made of it."""

    part: Ints
    speaks: Flags
    negated: Flags
    denied: Flags
    quoted: Flags
    polarity: Floats


class _Marks:
    """By segment: how far back the last negation, denial and intensifier were."""

    def __init__(self, count: int) -> None:
        self.negated_to = np.full(count, _NOWHERE, dtype=np.int64)
        self.denied_to = self.negated_to.copy()
        self.strength_to = self.negated_to.copy()
        self.strength = np.ones(count)
        self.spoken = np.zeros(count, dtype=np.bool_)
        self.part = np.zeros(count, dtype=np.int64)

    def next_part(self, segments: Ints) -> None:
        """A "but" begins a clause even without a mark."""
        self.part[segments] += 1
        self.spoken[segments] = False
        for column in (self.negated_to, self.denied_to, self.strength_to):
            column[segments] = _NOWHERE


def _weigh(table: CueTable, places: _Places) -> _Weighed:
    count = len(places.cue)
    modifiers = table.modifiers[places.cue]
    weighed = _Weighed(
        part=np.zeros(count, dtype=np.int64),
        speaks=np.zeros(count, dtype=np.bool_),
        negated=np.zeros(count, dtype=np.bool_),
        denied=np.zeros(count, dtype=np.bool_),
        quoted=places.quoted,
        polarity=table.polarity[places.cue].copy(),
    )
    if not count:
        return weighed
    marks = _Marks(int(places.segment[-1]) + 1)
    plain = np.flatnonzero((modifiers & BREAK) == 0)
    if len(plain):
        first = _first_of(places.segment[plain])
        sizes = np.diff(np.append(first, len(plain)))
        rank = np.arange(len(plain)) - np.repeat(first, sizes)
        order = np.argsort(rank, kind="stable")
        bounds = np.concatenate(([0], np.cumsum(np.bincount(rank))))
        for low, high in pairwise(bounds.tolist()):
            _weigh_row(table, places, modifiers, marks, weighed, plain[order[low:high]])
    ends = np.flatnonzero(modifiers & BREAK)
    weighed.part[ends] = marks.part[places.segment[ends]]
    return weighed


def _weigh_row(
    table: CueTable, places: _Places, modifiers: Ints, marks: _Marks, weighed: _Weighed, rows: Ints
) -> None:
    """Weigh one cue of each segment in the light of what stood before it there."""
    segment, start, end = places.segment[rows], places.start[rows], places.end[rows]
    cue, flags = places.cue[rows], modifiers[rows]
    turns = ((flags & CONTRAST) != 0) & ((flags & CONCESSION) == 0) & marks.spoken[segment]
    if turns.any():
        marks.next_part(segment[turns])
    weighed.part[rows] = marks.part[segment]
    reach = np.where(table.latin[cue], _REACH_EN, _REACH_ZH)
    negated = _within(start - marks.negated_to[segment], reach)
    polarity = weighed.polarity[rows]
    polarity *= np.where(_within(start - marks.strength_to[segment], 3), marks.strength[segment], 1.0)
    polarity *= np.where(negated, np.where(polarity > 0, -0.8, -0.6), 1.0)
    # Scare quotes: 真是“好”到家了.
    polarity *= np.where((polarity > 0) & (end - start <= 3) & places.quoted[rows], -0.5, 1.0)
    weighed.polarity[rows] = polarity
    weighed.negated[rows] = negated
    weighed.denied[rows] = _within(start - marks.denied_to[segment], reach)
    speaks = (polarity != 0) | (table.says[cue] != 0)
    weighed.speaks[rows] = speaks
    marks.spoken[segment] |= speaks
    marks.negated_to[segment[(polarity != 0) & negated]] = _NOWHERE
    if not flags.any():
        return
    for flag, column in ((RISK_NEGATION, marks.denied_to), (NEGATION, marks.negated_to)):
        set_by = (flags & flag) != 0
        column[segment[set_by]] = end[set_by]
    turned = (flags & (INTENSIFIER | DIMINISHER)) != 0
    held = segment[turned]
    marks.strength[held] = np.where((flags[turned] & INTENSIFIER) != 0, 1.4, 0.6)
    marks.strength_to[held] = end[turned]
    longer = turned & negated
    marks.negated_to[segment[longer]] = np.maximum(marks.negated_to[segment[longer]], end[longer])


def _within(distance: Ints, reach: Ints | int) -> Flags:
    return (distance >= 0) & (distance <= reach)


def _assemble(
    table: CueTable,
    places: _Places,
    starts: Ints,
    text: Ints,
    sentence: Ints,
    weighed: _Weighed,
    exclamations: Ints,
    lengths: Ints,
) -> Readings:
    texts = len(lengths)
    cue, segment = places.cue, places.segment
    modifiers = table.modifiers[cue]
    # A mark adds to the clause that it ends only that it was a question.
    flags = np.where((modifiers & BREAK) != 0, modifiers & QUESTION, modifiers)
    numbers = np.zeros(0, np.int64)
    if len(cue):
        key = segment * (_LONGEST + 1) + weighed.part
        numbers = np.cumsum(np.concatenate(([False], key[1:] != key[:-1])))
    count = int(numbers[-1]) + 1 if len(cue) else 0
    first = _first_of(numbers) if count else np.zeros(0, np.int64)
    united = np.bitwise_or.reduceat(flags, first) if count else np.zeros(0, np.int64)
    gain = np.where(weighed.speaks, weighed.polarity, 0.0)
    positive = np.bincount(numbers, np.maximum(gain, 0.0), count)
    negative = np.bincount(numbers, np.maximum(-gain, 0.0), count)
    kept = (np.bincount(numbers, weighed.speaks, count) > 0) | (united != 0)
    row = np.cumsum(kept) - 1
    clauses = _in_context(
        text[first][kept], sentence[first][kept], united[kept], positive[kept], negative[kept]
    )
    said = weighed.speaks
    mentions = Mentions(
        clause=row[numbers[said]],
        cue=cue[said],
        start=(places.start - starts[text])[said],
        end=(places.end - starts[text])[said],
        negated=weighed.negated[said],
        denied=weighed.denied[said],
        quoted=weighed.quoted[said],
        polarity=weighed.polarity[said],
    )
    told = np.zeros(texts, np.int64)
    np.bitwise_or.at(told, clauses.text, clauses.modifiers)
    says = np.zeros(texts, np.int64)
    np.bitwise_or.at(says, text[said], table.says[cue[said]])
    return Readings(
        table=table,
        clauses=clauses,
        mentions=mentions,
        clause_offsets=_offsets(clauses.text, texts),
        mention_offsets=_offsets(text[said], texts),
        modifiers=told,
        says=says,
        exclamations=exclamations,
        lengths=lengths,
    )


def _offsets(owners: Ints, count: int) -> Ints:
    return np.concatenate(([0], np.cumsum(np.bincount(owners, minlength=count)))).astype(np.int64)


def _in_context(text: Ints, sentence: Ints, flags: Ints, positive: Floats, negative: Floats) -> Clauses:
    """Weigh clauses by what stands around them: after "but" more, in "although", "if" and wishes less."""
    concedes = (flags & CONCESSION) != 0
    contrasts = (flags & CONTRAST) != 0
    turns = contrasts & ~concedes
    own = np.where(turns, 1.2, np.where(concedes, 0.6, 1.0))
    positive, negative = positive * own, negative * own
    supposed = ((flags & HYPOTHETICAL) != 0) & ~contrasts
    positive = np.where(supposed, positive * 0.4, positive)
    negative = np.where(supposed, negative * 0.6, negative)
    # "Hope the service gets better": the praise is wished for, not given.
    wished = ((flags & DESIRE) != 0) & (positive > 0)
    positive = np.where(wished, positive * 0.3, positive)
    negative = np.where(wished, negative + 0.3, negative)
    if len(text):
        numbers = np.cumsum(np.concatenate(([False], sentence[1:] != sentence[:-1])))
        seen = np.cumsum(turns)
        in_all = seen[np.append(_first_of(numbers)[1:], len(text)) - 1]
        later = in_all[numbers] - seen
        positive, negative = positive * 0.7**later, negative * 0.8**later
    return Clauses(text, sentence, flags, positive, negative)
