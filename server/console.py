"""What every command shares: JSON or tables on standard output, logs and progress on standard error."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

import typer

from server.terminal import console_of, terminal
from store.errors import ConfigError, StoreLocked, ToolInputError, VoiceLoopError

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

    from agent.settings import Settings
    from agent.wiring import App

# Where `voiceloop demo` keeps its data, within the data folder.
DEMO_FOLDER = "demo"
Progress = Callable[[int, int | None, str], None]
Beside = Literal["send", "run", "refuse"]

JsonFlag = typer.Option(False, "--json", help="one JSON document on standard output")


def out() -> "Console":
    """The console of results."""
    here = terminal()
    return console_of(here.stdout, here.out_look, wide=True)


def err() -> "Console":
    """The console of progress and errors."""
    here = terminal()
    return console_of(here.stderr, here.err_look, wide=False)


def write_bytes(data: bytes) -> None:
    """Write to standard output as it is."""
    stdout = terminal().stdout
    stdout.flush()
    stdout.buffer.write(data)
    stdout.buffer.flush()


def print_json(document: Any) -> None:
    """Write one JSON document (pydantic models and datetimes welcome)."""
    import orjson
    from pydantic import BaseModel

    def default(value: object) -> object:
        if isinstance(value, BaseModel):
            return value.model_dump(mode="json", by_alias=True)
        raise TypeError(f"not JSON: {type(value).__name__}")

    options = orjson.OPT_INDENT_2 if out().is_terminal else 0
    try:
        written = orjson.dumps(document, default=default, option=options)
    except orjson.JSONEncodeError:
        # Half a character, such as in a file name that is not UTF-8, cannot be written as it is.
        written = orjson.dumps(_whole(document, default), option=options)
    write_bytes(written + b"\n")


def _whole(value: Any, default: Callable[[object], Any]) -> Any:
    """The same document with `?` for what is no character."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {_whole(key, default): _whole(one, default) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_whole(one, default) for one in value]
    return value if isinstance(value, int | float | None) else _whole(default(value), default)


@contextmanager
def command(as_json: bool) -> Iterator[None]:
    """Run a command's body: an error of ours becomes a sentence (or JSON) and exit status 1 or 2."""
    if terminal().app is None:
        configure_logs()
    try:
        yield
    except VoiceLoopError as error:
        if as_json:
            print_json({"error": error.message, "hint": error.hint, "kind": error.kind})
        else:
            console = err()
            console.print(f"[red]✗[/red] {_plain(error.message)}")
            if error.hint:
                console.print(f"  → {_plain(error.hint)}")
        raise typer.Exit(2 if isinstance(error, ToolInputError) else 1) from error


@contextmanager
def application(
    beside: Beside = "send", *, reads: bool = False, home: "Path | None" = None
) -> "Iterator[App]":
    """The application over the configured data folder.

    Where a server holds that folder the command is sent to it (`send`), and what follows in the command runs
    there; or it runs here all the same, for it opens nothing that a server holds (`run`); or it is refused,
    for what the server has read would no longer be what is there (`refuse`). `reads`: standard input is sent
    along. `home`: another folder than the configured one.
    """
    sent = terminal().app
    if sent is not None:
        if beside == "refuse":
            raise StoreLocked("this command does not run within a server")
        yield sent
        return
    from server.remote import beside_server, holder, running_server, send_command

    settings = settings_now()
    if home is not None:
        settings = settings.model_copy(update={"home": home})
    server = running_server(settings.home) if beside != "run" else None
    if server is not None and beside == "refuse":
        raise beside_server(server)
    if server is not None:
        raise typer.Exit(send_command(server, settings, reads=reads))
    from agent.wiring import open_app

    try:
        with open_app(settings) as app:
            yield app
    except StoreLocked as error:
        raise holder(settings.home, error) from error


def settings_now() -> "Settings":
    """The settings of this process; ConfigError where one is wrong."""
    from pydantic import ValidationError

    from agent.settings import Settings

    try:
        return Settings()
    except ValidationError as error:
        problems = "; ".join(f"VOICELOOP_{str(e['loc'][0]).upper()}: {e['msg']}" for e in error.errors())
        raise ConfigError(
            f"a setting is wrong: {problems}", hint="correct it in the environment or in .env"
        ) from error
    except UnicodeDecodeError as error:
        raise ConfigError(f".env is not UTF-8: {error}", hint="save it as UTF-8") from error


@contextmanager
def progress_bars(show: bool) -> Iterator[Progress | None]:
    """One bar a stage on standard error; None where nothing is to be shown."""
    if not show or not err().is_terminal:
        yield None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bars

    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Bars(*columns, TimeElapsedColumn(), console=err()) as bars:
        stages: dict[str, Any] = {}

        def advance(done: int, total: int | None, stage: str) -> None:
            if stage not in stages:
                stages[stage] = bars.add_task(stage, total=total)
            bars.update(stages[stage], completed=done, total=total)

        yield advance


def configure_logs(level: int | None = None) -> None:
    """Structured logs as one JSON line each on standard error, by default warnings and above."""
    import logging

    import structlog

    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level or logging.WARNING),
        # Looked up at each use: standard error may be another one by then.
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
    )


def _plain(text: str) -> str:
    """Text for Rich without markup meaning (file names and customer text may hold brackets)."""
    from rich.markup import escape

    return escape(text)
