"""The number lock over a thread, built once for the same results however often a turn asks for it."""

from collections import OrderedDict
from collections.abc import Sequence
from threading import Lock
from typing import Any, Final

from langchain_core.messages import AnyMessage

from agent.number_lock import NumberLock, Source
from agent.state import questions, tool_sources

_KEPT: Final = 8


class _Kept:
    """The last locks by the identity of their results; the results are held, so that no id is given anew."""

    def __init__(self) -> None:
        self._locks: OrderedDict[tuple[Any, ...], tuple[NumberLock, Sequence[Source]]] = OrderedDict()
        self._guard = Lock()

    def lock(self, sources: Sequence[Source], asked: Sequence[str]) -> NumberLock:
        key = (tuple((s.tool_call_id, id(s.result)) for s in sources), tuple(asked))
        with self._guard:
            found = self._locks.get(key)
            if found is None:
                found = NumberLock(sources, asked), sources
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
    return _kept.lock(tool_sources(messages), questions(messages))
