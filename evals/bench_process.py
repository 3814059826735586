"""Running a measurement in a process of its own, so that no other one's memory and threads count."""

import multiprocessing
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import NamedTuple, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")
_STATUS = Path("/proc/self/status")


class Memory(NamedTuple):
    """Resident memory in bytes: after Python's own start, and at its highest."""

    at_start: int
    peak: int


def apart(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> tuple[T, Memory]:
    """Call a function of a module in a fresh process; return its result and the memory it took there."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        at_start = pool.submit(peak_memory).result()
        result = pool.submit(function, *args, **kwargs).result()
        return result, Memory(at_start, pool.submit(peak_memory).result())


def peak_memory() -> int:
    """The highest resident memory of this process, in bytes."""
    if _STATUS.exists():
        # getrusage would count what the process held before it became this program.
        line = next(line for line in _STATUS.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
