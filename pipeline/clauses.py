"""One text of a batch as objects, for rules that look at it clause by clause."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from pipeline.lexicon import Cue, Lexicon, bit
from pipeline.readings import Readings, read_texts

THREAT: Final = bit("threat")
PAST: Final = bit("past")
RESOLVED: Final = bit("resolved")
THIRD_PARTY: Final = bit("third_party")
URGENT: Final = bit("urgent")


@dataclass(slots=True)
class Mention:
    """A cue with something to say: negated, denied as a risk, in quotation marks; its weighed polarity."""

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


class Reading:
    """All clauses of a text (made when first asked for) and what is known of the text as a whole.

    `modifiers` unites those of the clauses, `says` the kinds of cue (bits of `cue_table`).
    """

    def __init__(self, readings: Readings, row: int) -> None:
        self._readings = readings
        self._row = row
        self.modifiers = int(readings.modifiers[row])
        self.says = int(readings.says[row])
        self.exclamations = int(readings.exclamations[row])
        self.length = int(readings.lengths[row])

    @cached_property
    def clauses(self) -> list[Clause]:
        """The clauses in order of reading."""
        readings, columns, said = self._readings, self._readings.clauses, self._readings.mentions
        low, high = readings.clause_offsets[self._row : self._row + 2].tolist()
        clauses = [
            Clause(*values)
            for values in zip(
                columns.sentence[low:high].tolist(),
                columns.positive[low:high].tolist(),
                columns.negative[low:high].tolist(),
                columns.modifiers[low:high].tolist(),
                strict=True,
            )
        ]
        part = slice(*readings.mention_offsets[self._row : self._row + 2].tolist())
        cues = readings.table.cues
        for clause, cue, *rest in zip(
            said.clause[part].tolist(),
            said.cue[part].tolist(),
            said.negated[part].tolist(),
            said.denied[part].tolist(),
            said.quoted[part].tolist(),
            said.polarity[part].tolist(),
            strict=True,
        ):
            clauses[clause - low].mentions.append(Mention(cues[cue], *rest))
        return clauses

    def cues(self, kind: int) -> Iterator[tuple[Cue, int, int]]:
        """Cues of a kind (a bit of `cue_table`) as (cue, start, end), in order, places as in `lowered`."""
        table, said = self._readings.table, self._readings.mentions
        part = slice(*self._readings.mention_offsets[self._row : self._row + 2].tolist())
        for cue, start, end in zip(
            said.cue[part].tolist(), said.start[part].tolist(), said.end[part].tolist(), strict=True
        ):
            if table.says[cue] & kind:
                yield table.cues[cue], start, end

    def mentions(self) -> Iterator[tuple[Clause, Mention]]:
        """Every mention with its clause, in order."""
        for clause in self.clauses:
            for mention in clause.mentions:
                yield clause, mention


def read_clauses(text: str, lexicon: Lexicon) -> Reading:
    """Read one text alone."""
    return Reading(read_texts([text], lexicon), 0)
