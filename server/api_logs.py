"""What the server logs: JSON lines on standard error, with the request's id and never a text or a value.

A message of an error that nobody foresaw may quote what a customer wrote: of such an error the log holds its
type and the places in the code, and no more.
"""

import logging
import traceback
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Final

import structlog

from server.console import configure_logs

_LOG = structlog.get_logger()
_FRAMES: Final = 12
# Libraries that log what goes over the wire, addresses with keys in them included.
_QUIET: Final = ("httpx", "httpcore", "openai", "chromadb", "urllib3")


def configure_server_logs() -> None:
    """One line a request, and the libraries' warnings in the same form."""
    configure_logs(logging.INFO)
    root = logging.getLogger()
    root.handlers = [_Structured()]
    root.setLevel(logging.WARNING)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.ERROR)


def places(trace: TracebackType | None) -> list[str]:
    """Where an error happened: innermost last, without source lines or values."""
    frames = traceback.extract_tb(trace)[-_FRAMES:]
    return [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]


class _Structured(logging.Handler):
    """A line of the standard library's logging as one of ours."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one; of an exception its type and places."""
        said: dict[str, Any] = {"logger": record.name}
        error = record.exc_info[1] if record.exc_info else None
        if error is None:
            # One line: more of it is a traceback that somebody made text of, values included.
            said["message"] = record.getMessage().strip().partition("\n")[0]
        else:
            said |= {"error": type(error).__name__, "at": places(error.__traceback__)}
        _LOG.log(record.levelno, "library", **said)


def causes(error: BaseException) -> Sequence[str]:
    """The types of an error and of what caused it, outermost first."""
    chain: list[str] = []
    one: BaseException | None = error
    while one is not None and len(chain) < _FRAMES:
        chain.append(type(one).__name__)
        one = one.__cause__ or one.__context__
    return chain
