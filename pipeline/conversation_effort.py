"""How hard a customer had to work in a conversation."""

import re
from collections import Counter
from collections.abc import Sequence
from typing import Final

from pipeline.conversation_cues import Cues, load_cues
from pipeline.conversation_times import waits
from pipeline.conversation_turns import Turn, customer_turns
from store.records import Channel, ConversationEffort

# Two wordings of one question share more of their characters than two questions about one matter.
_SAME_QUESTION: Final = 70.0
_SHORTEST: Final = 4
_DROPPED: Final = re.compile(r"[\W_]+")
_GIVEN: Final = re.compile(r"\[([A-Z_]+)\]")


def effort(turns: Sequence[Turn], channel: Channel) -> ConversationEffort:
    """Return the effort, 1 to 7.

    1 + 0.25 for each customer turn after the third (at most 1.5) + 1 for each repeat (2) + 1 for each
    transfer (2) + 0.75 for each detail asked for or given again (1.5) + 0.75 for each wait (1.5), at most 7;
    the numbers are in `conversation_cues.yaml`. A wait is a span between a customer's turn and the agent's
    next one above the channel's patience. Higher is harder, as in the first Customer Effort Score (Dixon,
    Freeman and Toman, Harvard Business Review, July 2010); CES 2.0 counts the other way round.
    """
    cues = load_cues()
    mine = customer_turns(turns)
    found = {
        "turn": float(len(mine) - cues.turns_free),
        "repeats": len(repeated(turns)),
        "transfers": _transfers(cues, turns),
        "given_again": _given_again(cues, turns),
    }
    spans = waits(turns, cues.patience_s.get(channel.value, cues.patience_s["other"]))
    found["waits"] = len(spans)
    score = 1.0 + sum(cues.weights[name].points(count) for name, count in found.items())
    return ConversationEffort(
        score=round(min(7.0, score), 2),
        customer_turns=len(mine),
        repeats=int(found["repeats"]),
        transfers=int(found["transfers"]),
        given_again=int(found["given_again"]),
        waits=len(spans),
        longest_wait_s=max(spans, default=None),
    )


def repeated(turns: Sequence[Turn]) -> list[int]:
    """Return the customer turns that ask again: nearly the words of an earlier turn, or saying so.

    Nearly the words: normalised Indel similarity of at least 70 of 100, marks and case aside (the measure of
    `pipeline.near_duplicates`, which compares whole texts of strangers and is stricter).
    """
    from rapidfuzz import fuzz

    cues = load_cues()
    earlier: list[str] = []
    found = []
    for index, turn in customer_turns(turns):
        bare = _DROPPED.sub("", turn.text.lower())
        again = cues.says("effort.said_before", turn.text)
        if len(bare) >= _SHORTEST and not cues.says("mood.courtesy", turn.text.strip()):
            again = again or any(fuzz.ratio(bare, one) >= _SAME_QUESTION for one in earlier)
            earlier.append(bare)
        if again and index:
            found.append(index)
    return found


def _transfers(cues: Cues, turns: Sequence[Turn]) -> int:
    return sum(not turn.customer and cues.says("resolution.transfer", turn.text) for turn in turns)


def _given_again(cues: Cues, turns: Sequence[Turn]) -> int:
    """Each kind of detail is given once for free, by whichever side it is counted more often."""
    asked: Counter[str] = Counter()
    given: Counter[str] = Counter()
    kinds = [name for name in cues.patterns if name.startswith("effort.asks.")]
    for turn in turns:
        if turn.customer:
            given.update(set(_GIVEN.findall(turn.text)))
        else:
            asked.update(name for name in kinds if cues.says(name, turn.text))
    return max(sum(count - 1 for count in one.values()) for one in (asked, given))
