"""Results of tools that were called before over the same facts, so that a question asked again costs little.

A result is kept by everything it was made from: the version of the facts, the scope, the tool, its arguments,
the day, the versions of the policy, the yardsticks, the calendar and the taxonomy. Any write to the facts
makes another version.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tools.arguments import Arguments
from tools.results import ToolResult

if TYPE_CHECKING:
    from tools.context import ToolContext

# Settings files that no key tells of are read again after that long at the latest.
_AGE_S: Final = 600.0
# A period that ends within a day moves with the clock.
_MOVING_S: Final = 60.0


class _Kept(NamedTuple):
    result: ToolResult
    until: float
    # Held so that the id in the key is not given to another.
    taxonomy: object


class ResultCache:
    """Results by key, the least recently used let go; who asks for what is being worked out waits for it.

    Safe under threads. Results are shared: nobody may change one.
    """

    def __init__(self, most: int) -> None:
        """`most` results are kept."""
        self._most = most
        self._kept: OrderedDict[Hashable, _Kept] = OrderedDict()
        self._under_way: dict[Hashable, Future[ToolResult]] = {}
        self._lock = threading.Lock()
        self.hits = 0
        self.misses = 0

    def result(
        self,
        name: str,
        args: Arguments,
        context: "ToolContext",
        beside: Hashable,
        work: Callable[[], ToolResult],
    ) -> ToolResult:
        """The kept result of a call, or the one that `work` gives; `beside`: what it is made from besides."""
        key = _key(name, args, context, beside)
        with self._lock:
            kept = self._kept.get(key)
            if kept is not None and time.monotonic() < kept.until:
                self._kept.move_to_end(key)
                self.hits += 1
                return kept.result
            leader = self._under_way.get(key)
            if leader is None:
                mine: Future[ToolResult] = Future()
                self._under_way[key] = mine
                self.misses += 1
        if leader is not None:
            if leader.exception() is None:
                with self._lock:
                    self.hits += 1
                return leader.result()
            # An error has a traceback of its own for each who asked.
            return work()
        return self._worked_out(key, mine, context, work)

    def clear(self) -> None:
        """Forget everything: a setting that the keys do not tell of has changed."""
        with self._lock:
            self._kept.clear()

    def _worked_out(
        self,
        key: Hashable,
        mine: "Future[ToolResult]",
        context: "ToolContext",
        work: Callable[[], ToolResult],
    ) -> ToolResult:
        try:
            result = work()
        except BaseException as error:
            with self._lock:
                del self._under_way[key]
            mine.set_exception(error)
            raise
        age = _MOVING_S if _moves(result) else _AGE_S
        with self._lock:
            del self._under_way[key]
            self._kept[key] = _Kept(result, time.monotonic() + age, context.taxonomy)
            self._kept.move_to_end(key)
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
        mine.set_result(result)
        return result


def _key(name: str, args: Arguments, context: "ToolContext", beside: Hashable) -> Hashable:
    facts = context.facts
    return (
        name,
        args.model_dump_json(by_alias=True),
        repr(facts.version()),
        facts.scope,
        context.clock.now().astimezone(context.zone).date(),
        context.policy.version,
        repr(context.targets),
        repr(context.calendar),
        id(context.taxonomy),
        beside,
    )


def _moves(result: ToolResult) -> bool:
    """Whether an end of the period lies within a day."""
    ends: list[Any] = [result.period.from_, result.period.to]
    times = [datetime.fromisoformat(end) for end in ends if end is not None]
    return any((at.hour, at.minute, at.second, at.microsecond) != (0, 0, 0, 0) for at in times)
