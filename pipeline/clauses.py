"""What the cues of one text say, clause by clause: polarity, topics, signals, each in its context."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from pipeline.lexicon import BREAK, SENTENCE, Cue, Lexicon, bit

NEGATION: Final = bit("negation")
RISK_NEGATION: Final = bit("risk_negation")
INTENSIFIER: Final = bit("intensifier")
DIMINISHER: Final = bit("diminisher")
CONTRAST: Final = bit("contrast")
CONCESSION: Final = bit("concession")
HYPOTHETICAL: Final = bit("hypothetical")
THREAT: Final = bit("threat")
DESIRE: Final = bit("desire")
PAST: Final = bit("past")
RESOLVED: Final = bit("resolved")
THIRD_PARTY: Final = bit("third_party")
QUESTION: Final = bit("question")
URGENT: Final = bit("urgent")
_OPENING: Final = "「『“\"'《【"
_CLOSING: Final = "」』”\"'》】"
_NOWHERE: Final = -99
# How far a negation reaches, in code points: a few signs in Chinese, about four words in English.
_REACH: Final = {False: 5, True: 26}


@dataclass(slots=True)
class Mention:
    """A cue with something to say, and how far before it stood a negation (None: none in reach)."""

    cue: Cue
    negated: bool
    denied: bool
    quoted: bool
    polarity: float


@dataclass(slots=True)
class Clause:
    """A stretch between marks. `positive` and `negative` are sums of cue strengths (both >= 0)."""

    sentence: int
    positive: float = 0.0
    negative: float = 0.0
    modifiers: int = 0
    mentions: list[Mention] = field(default_factory=list)

    @property
    def balance(self) -> float:
        """Positive less negative strength."""
        return self.positive - self.negative


@dataclass(slots=True)
class Reading:
    """All clauses of a text and the union of their modifiers."""

    clauses: list[Clause]
    modifiers: int
    exclamations: int
    length: int

    def mentions(self) -> Iterator[tuple[Clause, Mention]]:
        """Every mention with its clause, in order."""
        for clause in self.clauses:
            for mention in clause.mentions:
                yield clause, mention


def read_clauses(text: str, lexicon: Lexicon) -> Reading:
    """Read one text; one pass of the automaton, context handled in the order of reading."""
    lowered = text.lower().replace("’", "'")
    reader = _Reader(lowered)
    for cue, start, end in lexicon.hits(lowered):
        if cue.modifiers & BREAK:
            reader.mark(cue, end)
        else:
            reader.cue(cue, start, end)
    reader.close()
    _context(reader.clauses)
    modifiers = 0
    for clause in reader.clauses:
        modifiers |= clause.modifiers
    return Reading(reader.clauses, modifiers, lowered.count("!") + lowered.count("！"), len(text))


class _Reader:
    """Where reading stands: the open clause, and how far back the last negation and intensifier were."""

    __slots__ = ("_clause", "_denied_to", "_negated_to", "_strength", "_strength_to", "_text", "clauses")

    def __init__(self, text: str) -> None:
        self._text = text
        self._clause = Clause(0)
        self._strength = 1.0
        self._negated_to = self._denied_to = self._strength_to = _NOWHERE
        self.clauses: list[Clause] = []

    def mark(self, cue: Cue, end: int) -> None:
        """End the clause at a punctuation mark (unless it stands inside a number or a name such as 3.5)."""
        if cue.modifiers & QUESTION:
            self._clause.modifiers |= QUESTION
        if cue.text in ".," and end < len(self._text) and self._text[end].isalnum():
            return
        self._next(self._clause.sentence + (1 if cue.modifiers & SENTENCE else 0))

    def _next(self, sentence: int) -> None:
        self.close()
        self._clause = Clause(sentence)
        self._negated_to = self._denied_to = self._strength_to = _NOWHERE

    def close(self) -> None:
        """Keep the open clause if it says anything."""
        if self._clause.mentions or self._clause.modifiers:
            self.clauses.append(self._clause)

    def cue(self, cue: Cue, start: int, end: int) -> None:
        """Weigh a cue in the light of what stood before it. A "but" begins a clause even without a mark."""
        if cue.modifiers & CONTRAST and not cue.modifiers & CONCESSION and self._clause.mentions:
            self._next(self._clause.sentence)
        reach = _REACH[cue.latin]
        negated = 0 <= start - self._negated_to <= reach
        polarity = self._weigh(cue, start, end, negated) if cue.polarity else 0.0
        if polarity or cue.topics or cue.risks or cue.intents or cue.emotions or cue.compliance:
            denied = 0 <= start - self._denied_to <= reach
            quoted = _is_quoted(self._text, start, end)
            self._clause.mentions.append(Mention(cue, negated, denied, quoted, polarity))
        if polarity and negated:
            self._negated_to = _NOWHERE
        flags = cue.modifiers
        if flags:
            self._clause.modifiers |= flags
            if flags & RISK_NEGATION:
                self._denied_to = end
            if flags & NEGATION:
                self._negated_to = end
            if flags & (INTENSIFIER | DIMINISHER):
                self._strength, self._strength_to = (1.4 if flags & INTENSIFIER else 0.6), end
                if negated:
                    self._negated_to = max(self._negated_to, end)

    def _weigh(self, cue: Cue, start: int, end: int, negated: bool) -> float:
        polarity = cue.polarity
        if 0 <= start - self._strength_to <= 3:
            polarity *= self._strength
        if negated:
            polarity *= -0.8 if polarity > 0 else -0.6
        if polarity > 0 and end - start <= 3 and _is_quoted(self._text, start, end):
            # Scare quotes: 真是“好”到家了.
            polarity *= -0.5
        if polarity > 0:
            self._clause.positive += polarity
        else:
            self._clause.negative -= polarity
        return polarity


def _is_quoted(text: str, start: int, end: int) -> bool:
    return start > 0 and end < len(text) and text[start - 1] in _OPENING and text[end] in _CLOSING


def _context(clauses: list[Clause]) -> None:
    """Weigh clauses by what stands around them: after "but" more, in "although", "if" and wishes less."""
    for at, clause in enumerate(clauses):
        flags = clause.modifiers
        if flags & CONTRAST and not flags & CONCESSION:
            for other in clauses[:at]:
                if other.sentence == clause.sentence:
                    other.positive *= 0.7
                    other.negative *= 0.8
            clause.positive *= 1.2
            clause.negative *= 1.2
        elif flags & CONCESSION:
            clause.positive *= 0.6
            clause.negative *= 0.6
        if flags & HYPOTHETICAL and not flags & CONTRAST:
            clause.positive *= 0.4
            clause.negative *= 0.6
        if flags & DESIRE and clause.positive:
            # "Hope the service gets better": the praise is wished for, not given.
            clause.positive *= 0.3
            clause.negative += 0.3
