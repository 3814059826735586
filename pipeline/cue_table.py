"""The cues of a lexicon as columns, so that a batch of texts is weighed with arrays."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pipeline.lexicon import Cue, Lexicon

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

# What a cue has to say besides polarity and modifiers, as bits.
TOPICS: Final = 1
RISKS: Final = 2
INTENTS: Final = 4
EMOTIONS: Final = 8
COMPLIANCE: Final = 16
EMOTION_NAMES: Final = ("angry", "disappointed", "anxious", "puzzled", "delighted")
# Praise is told by the sentiment: a cue of it decides nothing.
_IDLE_INTENTS: Final = frozenset(("praise",))


@dataclass(frozen=True)
class CueTable:
    """Row i describes cue i of the lexicon; all columns have shape (number of cues,).

    The topics of cue i are rows `topic_offsets[i]:topic_offsets[i + 1]` of `topic_of` (an index into
    `topics`) and `topic_polarity` (-1, 0, 1). `emotions` has one bit for each of `EMOTION_NAMES`.
    """

    cues: tuple[Cue, ...]
    polarity: Floats
    modifiers: Ints
    says: Ints
    latin: Flags
    open_end: Flags
    point_or_comma: Flags
    emotions: Ints
    topics: tuple[str, ...]
    topic_offsets: Ints
    topic_of: Ints
    topic_polarity: Floats


@lru_cache(maxsize=8)
def _known(fingerprint: str) -> "list[CueTable]":
    """A place to keep the table of one lexicon."""
    return []


def cue_table(lexicon: Lexicon) -> CueTable:
    """The columns of a lexicon; made once for each fingerprint."""
    kept = _known(lexicon.fingerprint)
    if not kept:
        kept.append(_build(lexicon.cues))
    return kept[0]


def _build(cues: tuple[Cue, ...]) -> CueTable:
    names: dict[str, int] = {}
    topic_of: list[int] = []
    polarity: list[float] = []
    offsets = [0]
    for cue in cues:
        for topic, sign in cue.topics.items():
            topic_of.append(names.setdefault(topic, len(names)))
            polarity.append(float(sign))
        offsets.append(len(topic_of))
    return CueTable(
        cues=cues,
        polarity=np.array([cue.polarity for cue in cues], dtype=np.float64),
        modifiers=np.array([cue.modifiers for cue in cues], dtype=np.int64),
        says=np.array([_says(cue) for cue in cues], dtype=np.int64),
        latin=np.array([cue.latin for cue in cues], dtype=np.bool_),
        open_end=np.array([cue.open_end for cue in cues], dtype=np.bool_),
        point_or_comma=np.array([cue.text in (".", ",") for cue in cues], dtype=np.bool_),
        emotions=np.array([_emotions(cue) for cue in cues], dtype=np.int64),
        topics=tuple(names),
        topic_offsets=np.array(offsets, dtype=np.int64),
        topic_of=np.array(topic_of, dtype=np.int64),
        topic_polarity=np.array(polarity, dtype=np.float64),
    )


def _says(cue: Cue) -> int:
    held = (cue.topics, cue.risks, cue.intents - _IDLE_INTENTS, cue.emotions, cue.compliance)
    bits = (TOPICS, RISKS, INTENTS, EMOTIONS, COMPLIANCE)
    return sum(bit for bit, kind in zip(bits, held, strict=True) if kind)


def _emotions(cue: Cue) -> int:
    return sum(1 << at for at, name in enumerate(EMOTION_NAMES) if name in cue.emotions)
