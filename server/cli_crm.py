"""Commands of CRMs: `crm status|sync|prepare|retry`."""

from typing import TYPE_CHECKING

import typer

from server.cli_retention import show_table
from server.console import JsonFlag, application, command, out, print_json

if TYPE_CHECKING:
    from agent.wiring import App
    from retention.crm_line import CrmLine

crm = typer.Typer(help="CRMs that are told of tasks: docs/crm.md", no_args_is_help=True)
_NAME = typer.Argument("", help="one CRM of crm.yaml; none: all")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(crm, name="crm")


@crm.command("status")
def status(name: str = _NAME, as_json: bool = JsonFlag) -> None:
    """Show how far each CRM is, and what has not arrived."""
    from server.routes_crm import crm_figures

    with command(as_json), application() as app:
        found = [crm_figures(line, app) for line in _lines(name, app)]
        if as_json:
            print_json({"crms": found})
            return
        rows = [
            (one["name"], one["kind"], one["up_to_date"], one["waiting"], one["stuck"], one["detail"])
            for one in found
        ]
        show_table(("crm", "kind", "up to date", "waiting", "stuck", "reading"), rows)
        tasks = [
            (one["name"], task["task_id"], task["state"], task["changes"], task["detail"])
            for one in found
            for task in one["tasks"]
        ]
        if tasks:
            show_table(("crm", "task", "state", "changes", "why"), tasks)


@crm.command("sync")
def sync(name: str = _NAME, as_json: bool = JsonFlag) -> None:
    """Send what is due and read what has changed there; a running server does so by itself."""
    with command(as_json), application() as app:
        done = {}
        for line in _lines(name, app):
            sent, read = line.send(), line.read(now=True)
            done[line.settings.name] = {"sent": sent._asdict(), "read": read._asdict()}
        if as_json:
            print_json({"crms": done})
            return
        rows = [
            (
                one,
                told["sent"]["arrived"],
                told["sent"]["failed"],
                told["sent"]["stuck"],
                told["read"]["changes"],
                told["read"]["verdicts"],
            )
            for one, told in done.items()
        ]
        show_table(("crm", "arrived", "failed", "stuck", "changes taken over", "verdicts"), rows)


@crm.command("prepare")
def prepare(name: str = _NAME, as_json: bool = JsonFlag) -> None:
    """Make the fields that a CRM needs, once; safe to repeat."""
    with command(as_json), application() as app:
        made = {line.settings.name: line.client.prepare() for line in _lines(name, app)}
        if as_json:
            print_json({"made": made})
            return
        for one, fields in made.items():
            out().print(f"{one}: {', '.join(fields) or 'everything is there'}", markup=False)


@crm.command("retry")
def retry(
    name: str = typer.Argument(..., help="a CRM of crm.yaml"),
    task: str = typer.Option("", "--task", help="only this task"),
    as_json: bool = JsonFlag,
) -> None:
    """Let what waits or is stuck be tried at once; what was deleted there is made anew."""
    with command(as_json), application() as app:
        tasks = app.crm_line(name).store.retry(name, task or None)
        if as_json:
            print_json({"tasks": tasks})
        else:
            out().print(f"{tasks} tasks are tried again")


def _lines(name: str, app: "App") -> "tuple[CrmLine, ...]":
    return (app.crm_line(name),) if name else app.crm_lines
