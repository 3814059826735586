"""Where a command reads and writes: its process's own streams, or those of whoever sent it to a server."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TextIO

if TYPE_CHECKING:
    from rich.console import Console

    from agent.wiring import App

# A pipe has no width of its own: wide enough that tables are not cut.
_PIPE_WIDTH = 120


@dataclass(frozen=True)
class Look:
    """How a stream shows what is written to it."""

    is_terminal: bool
    width: int
    colors: Literal["standard", "256", "truecolor", "windows"] | None


@dataclass(frozen=True)
class Terminal:
    """The streams of a command. Where it was sent to a server: the folder it was typed in, and what it works
    with there."""

    stdin: TextIO
    stdout: TextIO
    stderr: TextIO
    out_look: Look | None = None
    err_look: Look | None = None
    folder: Path | None = None
    app: "App | None" = None


_SENT: ContextVar[Terminal | None] = ContextVar("terminal", default=None)


def terminal() -> Terminal:
    """The terminal of the command that runs here."""
    return _SENT.get() or Terminal(sys.stdin, sys.stdout, sys.stderr)


def typed_path(text: str | Path) -> Path:
    """A path as it was typed, of the folder in which it was typed."""
    folder = terminal().folder
    return Path(text) if folder is None else folder / text


@contextmanager
def at_terminal(sent: Terminal) -> Iterator[None]:
    """Run a command that was sent here."""
    token = _SENT.set(sent)
    try:
        yield
    finally:
        _SENT.reset(token)


def console_of(file: TextIO, look: Look | None, *, wide: bool) -> "Console":
    """A console on a stream. `wide`: for tables, where it is a pipe."""
    from rich.console import Console

    if look is None:
        return Console(file=file, highlight=False, width=_PIPE_WIDTH if wide and not file.isatty() else None)
    return Console(
        file=file,
        highlight=False,
        force_terminal=look.is_terminal,
        width=look.width,
        color_system=look.colors,
    )


def look_of(console: "Console") -> Look:
    """How a console of ours shows things."""
    known: Any = console.color_system
    return Look(is_terminal=console.is_terminal, width=console.width, colors=known)
