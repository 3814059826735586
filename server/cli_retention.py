"""Commands of the retention loop: `tasks`."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import typer

from server.console import JsonFlag, application, command, out, print_json
from store.errors import ToolInputError

if TYPE_CHECKING:
    from store.records import TaskStatus

tasks = typer.Typer(help="retention tasks", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(tasks, name="tasks")


@tasks.command("list")
def list_tasks(
    status: str = typer.Option("", "--status", help="pending_approval, open, done, rejected or cancelled"),
    customer: str = typer.Option("", "--customer", help="only this customer's"),
    as_json: bool = JsonFlag,
) -> None:
    """List tasks, nearest deadline first."""
    with command(as_json), application() as app:
        found = app.operations.tasks(status=status_named(status), customer_id=customer or None)
        if as_json:
            print_json({"tasks": [task.model_dump(mode="json") for task in found]})
            return
        show_table(
            ("task", "status", "customer", "owner", "due", "summary"),
            [
                (t.task_id, t.status.value, t.customer_id, t.owner, _local(t.due_at, app), t.summary)
                for t in found
            ],
        )


@tasks.command("show")
def show_task(task_id: str = typer.Argument(...), as_json: bool = JsonFlag) -> None:
    """Show one task with its advice and evidence."""
    with command(as_json), application() as app:
        found = next((task for task in app.operations.tasks() if task.task_id == task_id), None)
        if found is None:
            raise ToolInputError(f"no task {task_id!r}", hint="voiceloop tasks list")
        if as_json:
            print_json(found)
            return
        _fields(found.model_dump(mode="json"))


@tasks.command("update")
def update_task(
    task_id: str = typer.Argument(...),
    status: str = typer.Option(..., "--status", help="open (approve), done, rejected or cancelled"),
    as_json: bool = JsonFlag,
) -> None:
    """Move a task on; `open` approves one that awaits approval."""
    with command(as_json), application() as app:
        wanted = status_named(status)
        if wanted is None:
            raise ToolInputError("--status is empty")
        task = app.operations.set_task_status(task_id, wanted, actor="local")
        if as_json:
            print_json(task)
        else:
            out().print(f"{task.task_id}: {task.status.value}")


def status_named(text: str) -> "TaskStatus | None":
    """The status of that name, None for none; ToolInputError that lists them."""
    from store.records import TaskStatus

    if not text:
        return None
    try:
        return TaskStatus(text)
    except ValueError as error:
        known = ", ".join(status.value for status in TaskStatus)
        raise ToolInputError(f"no status {text!r}; there are: {known}") from error


def _local(at: Any, app: Any) -> str:
    return f"{at.astimezone(app.settings.zone):%Y-%m-%d %H:%M}" if at else ""


def show_table(columns: tuple[str, ...], rows: Sequence[tuple[Any, ...]]) -> None:
    """Print rows under their headings."""
    from rich.markup import escape
    from rich.table import Table

    table = Table(*columns, header_style="bold")
    for row in rows:
        table.add_row(*[escape(str(cell or "")) for cell in row])
    out().print(table)


def _fields(values: dict[str, Any]) -> None:
    from rich.markup import escape

    for name, value in values.items():
        shown = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
        out().print(f"[bold]{name}[/bold]  {escape(shown)}")
