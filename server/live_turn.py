"""A turn of the agent on a terminal as it comes about: its steps, then the answer as it grows."""

from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import orjson

from server.console import err

if TYPE_CHECKING:
    from rich.console import Group

    from agent.ask_events import Event

_ARGUMENTS_SHOWN = 70
_LINES_SHOWN = 12


class LiveTurn:
    """Shows events on standard error where that is a terminal; takes all of it away at the end."""

    def __init__(self) -> None:
        self._steps: dict[str, str] = {}
        self._text = ""
        self._live: Any = None

    def __enter__(self) -> Self:
        console = err()
        if console.is_terminal:
            from rich.live import Live

            self._live = Live(self._shown(), console=console, transient=True, refresh_per_second=8)
            self._live.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.__exit__(kind, error, trace)

    def show(self, event: "Event") -> None:
        """Take one event of the turn."""
        if self._live is None:
            return
        from rich.markup import escape

        match event.type:
            case "step_started":
                args = orjson.dumps(event.args).decode()
                short = args if len(args) <= _ARGUMENTS_SHOWN else args[:_ARGUMENTS_SHOWN] + "…"
                self._steps[event.id] = f"[dim]… {event.name} {escape(short)}[/dim]"
            case "step_finished":
                told = f"n = {event.n:,}" if event.n is not None else escape(event.error[:_ARGUMENTS_SHOWN])
                mark = "[green]✓[/green]" if event.ok else "[red]✗[/red]"
                self._steps[event.id] = f"{mark} {event.name} [dim]{told}[/dim]"
            case "token":
                self._text += event.text
            case "restart":
                self._text = ""
            case _:
                return
        self._live.update(self._shown())

    def _shown(self) -> "Group":
        from rich.console import Group
        from rich.text import Text

        steps = [Text.from_markup(line) for line in self._steps.values()]
        grown = [Text(line) for line in self._text.splitlines()[-_LINES_SHOWN:]]
        return Group(*steps, *grown)
