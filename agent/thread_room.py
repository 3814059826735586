"""What of a long thread its state carries: every question and answer, results of the last turns only."""

from collections.abc import Sequence
from typing import Final

from langchain_core.messages import AIMessage, AnyMessage, RemoveMessage

from agent.state import APPROVAL_NOTE, is_question

# The results of so many turns are kept: the number lock checks against them and pronouns stand for them.
TURNS_WITH_RESULTS: Final = 12


def outdated(messages: Sequence[AnyMessage]) -> list[RemoveMessage]:
    """Takes the calls and results of all but the last turns out of the state.

    Their questions and last answers stay, so that a thread can be read and leant on from its beginning.
    """
    starts = [at for at, message in enumerate(messages) if is_question(message)]
    if len(starts) <= TURNS_WITH_RESULTS:
        return []
    ends = [*starts[1:], len(messages)]
    gone: list[RemoveMessage] = []
    for start, end in list(zip(starts, ends, strict=True))[:-TURNS_WITH_RESULTS]:
        turn = messages[start + 1 : end]
        told = [m for m in turn if isinstance(m, AIMessage) and not m.tool_calls and m.name != APPROVAL_NOTE]
        kept = [*told[-1:], *(m for m in turn if isinstance(m, AIMessage) and m.name == APPROVAL_NOTE)]
        gone += [RemoveMessage(id=m.id) for m in turn if m.id and all(m is not one for one in kept)]
    return gone
