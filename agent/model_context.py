"""What of a thread a model is sent, so that no thread overflows its context.

LangChain's SummarizationMiddleware replaces messages in the state; here the state stays whole, because the
number lock checks against every result of the thread and follow-ups are read from every question. So the
request alone is fitted, without a model: earlier turns are sent as question and answer, the oldest of them as
a line each, and results of this turn are compacted further where they are too long.
"""

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, ToolMessage

from agent.model_results import ROOMS, compact, shortened
from agent.model_tokens import messages_tokens, text_tokens
from agent.state import APPROVAL_NOTE, is_question
from store.errors import ModelUnavailable

# Of the room, at most so much goes to earlier turns.
_EARLIER_SHARE: Final = 0.4
_LINES_SHARE: Final = 0.1
_QUESTION_CHARACTERS: Final = 80
_ANSWER_CHARACTERS: Final = 120
Corrected = Callable[[int], int]


class Fitted(NamedTuple):
    """The messages to send, lines on the oldest turns, how many are left out, and the estimated tokens."""

    messages: list[AnyMessage]
    digest: tuple[str, ...]
    left_out: int
    tokens: int


class Turn(NamedTuple):
    """An earlier turn: what was asked and what was answered."""

    question: str
    answer: str


def fit(messages: Sequence[AnyMessage], room: int, corrected: Corrected = int) -> Fitted:
    """Messages for a context with `room` tokens left beside system prompt, tools and answer.

    Raises ModelUnavailable where not even this turn, at its tightest, fits.
    """
    start = next((i for i in range(len(messages) - 1, -1, -1) if is_question(messages[i])), 0)
    current, spent = _this_turn(messages[start:], room, corrected)
    turns = earlier_turns(messages[:start])
    left = min(room - spent, int(room * _EARLIER_SHARE))
    kept: list[AnyMessage] = []
    used = 0
    at = len(turns)
    while at > 0:
        pair: list[AnyMessage] = [HumanMessage(turns[at - 1].question), AIMessage(turns[at - 1].answer)]
        cost = corrected(messages_tokens(pair))
        if used + cost > left:
            break
        kept = [*pair, *kept]
        used += cost
        at -= 1
    lines, left_out, line_cost = _lines(
        turns[:at], min(room - spent - used, int(room * _LINES_SHARE)), corrected
    )
    return Fitted([*kept, *current], lines, left_out, spent + used + line_cost)


def earlier_turns(messages: Sequence[AnyMessage]) -> list[Turn]:
    """The turns before the last question, oldest first; their tool calls and results are left out."""
    turns: list[Turn] = []
    for message in messages:
        if is_question(message):
            turns.append(Turn(str(message.text), ""))
        elif turns and isinstance(message, AIMessage) and not message.tool_calls:
            text = str(message.text)
            # A report on approvals follows the answer; an answer that was redone is replaced.
            answer = f"{turns[-1].answer}\n\n{text}" if message.name == APPROVAL_NOTE else text
            turns[-1] = Turn(turns[-1].question, answer.strip())
    return [turn if turn.answer else Turn(turn.question, "…") for turn in turns]


def _lines(turns: Sequence[Turn], room: int, corrected: Corrected) -> tuple[tuple[str, ...], int, int]:
    lines: list[str] = []
    used = 0
    for turn in reversed(turns):
        line = f"{_short(turn.question, _QUESTION_CHARACTERS)} -> {_short(turn.answer, _ANSWER_CHARACTERS)}"
        cost = corrected(text_tokens(line) + 2)
        if used + cost > room:
            break
        lines.append(line)
        used += cost
    return tuple(reversed(lines)), len(turns) - len(lines), used


def _short(text: str, most: int) -> str:
    plain = " ".join(text.split())
    return plain if len(plain) <= most else shortened(plain, most)


def _this_turn(turn: Sequence[AnyMessage], room: int, corrected: Corrected) -> tuple[list[AnyMessage], int]:
    """This turn at the roomiest level that fits: first older results are tightened, then all of them."""
    results = [i for i, message in enumerate(turn) if isinstance(message, ToolMessage)]
    spent = 0
    for level in range(len(ROOMS)):
        for newest in (max(level - 1, 0), level):
            shown = list(turn)
            for place, i in enumerate(results):
                is_newest = place == len(results) - 1
                shown[i] = _tightened(turn[i], newest if is_newest else level)
            spent = corrected(messages_tokens(shown))
            if spent <= room:
                return shown, spent
    raise ModelUnavailable(f"this turn takes {spent:,} tokens; {room:,} are left in the model's context")


def _tightened(message: AnyMessage, level: int) -> AnyMessage:
    if level == 0 or not isinstance(message, ToolMessage) or not isinstance(message.artifact, dict):
        return message
    return message.model_copy(update={"content": compact(message.artifact, ROOMS[level])})
