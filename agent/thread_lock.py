"""The number lock over a thread, built once for the same results however often a turn asks for it."""

from collections import OrderedDict
from collections.abc import Sequence
from threading import Lock
from typing import Any, Final

from langchain_core.messages import AIMessage, AnyMessage, ToolMessage

from agent.number_lock import NumberLock, Source
from agent.offline_model import is_by_planner
from agent.state import questions, tool_sources, turns_of

_KEPT: Final = 8


class _Kept:
    """The last locks by the identity of their results; the results are held, so that no id is given anew."""

    def __init__(self) -> None:
        self._locks: OrderedDict[tuple[Any, ...], tuple[NumberLock, Sequence[Source]]] = OrderedDict()
        self._guard = Lock()

    def lock(self, sources: Sequence[Source], asked: Sequence[str], said: Sequence[str]) -> NumberLock:
        key = (tuple((s.tool_call_id, id(s.result)) for s in sources), tuple(asked), tuple(said))
        with self._guard:
            found = self._locks.get(key)
            if found is None:
                found = NumberLock(sources, asked, said), sources
                self._locks[key] = found
                while len(self._locks) > _KEPT:
                    self._locks.popitem(last=False)
            return found[0]


_kept = _Kept()


def thread_lock(messages: Sequence[AnyMessage]) -> NumberLock:
    """The lock over every result of a thread.

    Reading the results is what a check costs most; the use check, the lock of the answer and the figures
    of the answer all look at the same ones.
    """
    return _kept.lock(tool_sources(messages), questions(messages), refusals(messages))


def refusals(messages: Sequence[AnyMessage]) -> list[str]:
    """What was refused, and why: errors of tools, and answers of the planner for which it called none.

    These say what the data hold ("no version 9.9.9; there are 5.2.1, ..."), and no result does.
    """
    said = [str(m.text) for m in messages if isinstance(m, ToolMessage) and m.status == "error"]
    for _, turn in turns_of(messages):
        if not any(isinstance(message, ToolMessage) for message in turn):
            said += [str(m.text) for m in turn if isinstance(m, AIMessage) and is_by_planner(m)]
    return said
