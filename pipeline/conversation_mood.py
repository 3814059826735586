"""A customer's mood turn by turn, and where it breaks."""

from collections.abc import Sequence
from typing import Final

from analytics.breakpoints import emotion_break
from pipeline.conversation_cues import load_cues
from pipeline.conversation_turns import Turn
from store.records import Emotion, Labels, Sentiment

FURIOUS, UNHAPPY, PLEASED, DELIGHTED = -2.0, -1.0, 1.0, 2.0
_CLEAR: Final = 0.6
# A problem told calmly (level -1) is no outbreak: only what goes below the middle of the scale adds up.
_ALLOWANCE: Final = 0.5


def curve(turns: Sequence[Turn]) -> tuple[float | None, ...]:
    """Return a level per turn, -2 to 2; None for the agent's turns and for turns without words."""
    return tuple(level(turn) if turn.customer and turn.text.strip() else None for turn in turns)


def level(turn: Turn) -> float:
    """Return how a customer's turn feels.

    The sentiment (the implied one where it differs) and emotion give -2 angry, -1 otherwise negative, 0
    neutral, 1 positive, 2 delighted, halved where the labeller abstains or is less than 0.6 sure. Cues of the
    conversation itself come on top: an outburst is -2 unless the turn is firmly positive, a resigned or cold
    turn at most -1.5, and mere manners ("ok, thanks") at most half a step from 0.
    """
    cues = load_cues()
    text = turn.text.strip()
    if cues.says("mood.courtesy", text):
        return 0.0 if turn.labels is None else max(-0.5, min(0.5, _labelled(turn.labels)))
    value = _labelled(turn.labels) if turn.labels else 0.0
    if value < PLEASED and cues.says("mood.outburst", text):
        return FURIOUS
    if value < PLEASED and cues.says("mood.resigned", text):
        return min(value, -1.5)
    return value


def break_turn(levels: Sequence[float | None]) -> int | None:
    """Return the turn at which negative emotion breaks out, None where it never does.

    `analytics.breakpoints.emotion_break` over the levels as shares of the scale.
    """
    return emotion_break([None if one is None else one / 2 for one in levels], allowance=_ALLOWANCE)


def mood(value: float | None) -> Sentiment | None:
    """Return the class of a level: a whole step from 0 counts."""
    if value is None:
        return None
    if value >= PLEASED:
        return Sentiment.POSITIVE
    return Sentiment.NEGATIVE if value <= UNHAPPY else Sentiment.NEUTRAL


def _labelled(labels: Labels) -> float:
    sentiment = labels.implied_sentiment or labels.sentiment
    if sentiment is Sentiment.POSITIVE:
        value = DELIGHTED if labels.emotion is Emotion.DELIGHTED else PLEASED
    elif sentiment is Sentiment.NEGATIVE:
        value = FURIOUS if labels.emotion is Emotion.ANGRY else UNHAPPY
    else:
        value = 0.0
    unsure = labels.abstained or labels.sentiment_confidence < _CLEAR
    return value / 2 if unsure else value
