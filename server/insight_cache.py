"""Insight reports that were made already: the same one again, until the data or the day changes."""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from agent.insight_document import InsightDocument
    from server.report_files import ReportFormat

_MOST: Final = 64


@dataclass
class MadeReport:
    """A report with what it was rendered to; `etag` changes with its content."""

    document: "InsightDocument"
    etag: str
    _rendered: dict[str, bytes] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def body(self, format: "ReportFormat") -> bytes:
        """Its bytes in a format, rendered once."""
        from server.report_files import rendered

        with self._lock:
            if format not in self._rendered:
                self._rendered[format] = rendered(self.document, format)
            return self._rendered[format]


class InsightCache:
    """Reports by all that they are made from, the least recently used let go. Safe under threads.

    Who asks for one that is being made waits for it.
    """

    def __init__(self) -> None:
        self._made: OrderedDict[Hashable, Future[MadeReport]] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        """How many reports are kept."""
        return len(self._made)

    def report(self, key: Hashable, make: Callable[[], "InsightDocument"]) -> MadeReport:
        """The report of a key, or the one that `make` gives. What `make` raises is not kept."""
        with self._lock:
            future = self._made.get(key)
            mine = future is None
            if future is None:
                future = self._made[key] = Future()
                while len(self._made) > _MOST:
                    self._made.popitem(last=False)
            else:
                self._made.move_to_end(key)
        if mine:
            try:
                document = make()
                told = document.model_dump_json(exclude={"made_at"})
                future.set_result(MadeReport(document, hashlib.sha256(told.encode()).hexdigest()[:32]))
            except BaseException as error:
                with self._lock:
                    self._made.pop(key, None)
                future.set_exception(error)
                raise
        return future.result()
