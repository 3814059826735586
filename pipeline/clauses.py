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
    clauses: list[Clause] = []
    clause = Clause(0)
    sentence = 0
    seen = 0
    negated_to, denied_to, strength, strength_to = -99, -99, 1.0, -99
    for cue, start, end in lexicon.hits(lowered):
        flags = cue.modifiers
        if flags & BREAK:
            if flags & QUESTION:
                clause.modifiers |= QUESTION
            if cue.text in ".," and end < len(lowered) and lowered[end].isalnum():
                continue
            if flags & SENTENCE:
                sentence += 1
            if clause.mentions or clause.modifiers:
                seen |= clause.modifiers
                clauses.append(clause)
                clause = Clause(sentence)
            else:
                clause.sentence = sentence
            negated_to = denied_to = strength_to = -99
            continue
        reach = _REACH[cue.latin]
        negated = 0 <= start - negated_to <= reach
        polarity = cue.polarity
        if polarity:
            if 0 <= start - strength_to <= 3:
                polarity *= strength
            if negated:
                polarity *= -0.8 if polarity > 0 else -0.6
            _weigh(clause, polarity)
        if polarity or cue.topics or cue.risks or cue.intents or cue.emotions or cue.compliance:
            quoted = bool(
                start and end < len(lowered) and lowered[start - 1] in _OPENING and lowered[end] in _CLOSING
            )
            clause.mentions.append(Mention(cue, negated, 0 <= start - denied_to <= reach, quoted, polarity))
        if polarity and negated:
            negated_to = -99
        if flags:
            clause.modifiers |= flags
            if flags & RISK_NEGATION:
                denied_to = end
            if flags & NEGATION:
                negated_to = end
            if flags & (INTENSIFIER | DIMINISHER):
                strength, strength_to = (1.4 if flags & INTENSIFIER else 0.6), end
                if negated:
                    negated_to = max(negated_to, end)
    if clause.mentions or clause.modifiers:
        seen |= clause.modifiers
        clauses.append(clause)
    _context(clauses)
    return Reading(clauses, seen, lowered.count("!") + lowered.count("！"), len(text))


def _weigh(clause: Clause, polarity: float) -> None:
    if polarity > 0:
        clause.positive += polarity
    else:
        clause.negative -= polarity


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
