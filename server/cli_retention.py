"""Commands of the retention loop: `tasks`."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import typer

from server.cli_agent import RoleOption, ScopeOption, UserOption, Who
from server.console import JsonFlag, application, command, out, print_json
from store.errors import ToolInputError

if TYPE_CHECKING:
    from agent.wiring import App
    from store.records import TaskStatus

tasks = typer.Typer(help="retention tasks", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(tasks, name="tasks")


@tasks.command("list")
def list_tasks(
    status: str = typer.Option("", "--status", help="pending_approval, open, done, rejected or cancelled"),
    customer: str = typer.Option("", "--customer", help="only this customer's"),
    user: str = UserOption,
    role: str = RoleOption,
    scope: list[str] = ScopeOption,
    as_json: bool = JsonFlag,
) -> None:
    """List tasks, nearest deadline first."""
    with command(as_json), application() as app:
        operations = app.operations_of(Who(user, role, scope).asker(app))
        found = operations.tasks(status=status_named(status), customer_id=customer or None)
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
def show_task(
    task_id: str = typer.Argument(...),
    user: str = UserOption,
    role: str = RoleOption,
    scope: list[str] = ScopeOption,
    as_json: bool = JsonFlag,
) -> None:
    """Show one task with its advice, evidence and history."""
    with command(as_json), application() as app:
        operations = app.operations_of(Who(user, role, scope).asker(app))
        found = operations.task(task_id)
        if found is None:
            raise ToolInputError(f"no task {task_id!r} that you may see", hint="voiceloop tasks list")
        from tools.alert_view import task_figures

        context = app.context(Who(user, role, scope).asker(app))
        say = task_figures(found, app.settings.language, context)["what_to_say"]
        history = [event.model_dump(mode="json") for event in operations.task_events(task_id)]
        if as_json:
            print_json({**found.model_dump(mode="json"), "what_to_say": say, "history": history})
            return
        show_fields(found.model_dump(mode="json"))
        for point in say:
            out().print(f"- {point['text']}", markup=False)
        for line in history:
            out().print(f"  {line['at'][:16]} {line['actor']}: {line['field']} {line['after']}", markup=False)


@tasks.command("load")
def show_load(
    user: str = UserOption, role: str = RoleOption, scope: list[str] = ScopeOption, as_json: bool = JsonFlag
) -> None:
    """Show what every owner has on hand against their caps, and which tasks wait for room."""
    from tools.task_load import load_figures

    with command(as_json), application() as app:
        context = app.context(Who(user, role, scope).asker(app))
        found = load_figures(app.task_tending.policy(), context, app.settings.language)
        if as_json:
            print_json(found)
            return
        rows = [
            (one["owner"], _of(one["open"], one["open_cap"]), _of(one["week"], one["week_cap"]))
            for one in found["owners"]
        ]
        show_table(("owner", "undone", "given in 7 days"), rows)
        out().print(f"{len(found['waiting'])} waiting")
        columns = ("task_id", "tier", "score", "customer_id", "owner", "due_at")
        if found["waiting"]:
            show_table(columns, [tuple(one[name] for name in columns) for one in found["waiting"]])


@tasks.command("tend")
def tend_tasks(as_json: bool = JsonFlag) -> None:
    """Give tasks to owners with room, end snoozes, escalate what is overdue. Safe to repeat."""
    with command(as_json), application() as app:
        report = app.tend_tasks()
        if as_json:
            print_json(vars(report))
            return
        out().print(
            f"{report.placed} given out ({report.passed_on} to the next in line), {report.waiting} waiting,"
            f" {report.woken} woken, {report.escalated} escalated"
        )


@tasks.command("update")
def update_task(
    task_id: str = typer.Argument(...),
    status: str = typer.Option("", "--status", help="open (approve), done, rejected or cancelled"),
    owner: str = typer.Option("", "--owner", help="hand it over"),
    due: str = typer.Option("", "--due", help="new deadline, e.g. 2026-11-30T18:00"),
    snooze: str = typer.Option("", "--snooze", help="leave it alone until then"),
    comment: str = typer.Option("", "--comment", help="a note for its history"),
    anyway: bool = typer.Option(False, "--anyway", help="approve although the customer has left"),
    user: str = UserOption,
    role: str = RoleOption,
    scope: list[str] = ScopeOption,
    as_json: bool = JsonFlag,
) -> None:
    """Change a task, within your role; `--status open` approves one that awaits approval."""
    if not any((status, owner, due, snooze, comment)):
        raise typer.BadParameter("nothing is to change: --status, --owner, --due, --snooze or --comment")
    from store.task_changes import TaskChange

    with command(as_json), application() as app:
        change = TaskChange(
            status=status_named(status),
            owner=owner or None,
            due_at=_moment("--due", due, app),
            snoozed_until=_moment("--snooze", snooze, app),
            comment=comment or None,
        )
        asker = Who(user, role, scope).asker(app)
        task = app.task_desk.change(task_id, change, asker, language=app.settings.language, anyway=anyway)
        if as_json:
            print_json(task)
        else:
            out().print(f"{task.task_id}: {task.status.value}")


def _of(n: int, cap: int | None) -> str:
    return f"{n}" if cap is None else f"{n} / {cap}"


def _moment(option: str, text: str, app: "App") -> datetime | None:
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ToolInputError(f"{option}: {text!r} is no time", hint="2026-11-30T18:00") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=app.settings.zone)


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


def show_fields(values: dict[str, Any]) -> None:
    """Print names with their values, one a line."""
    from rich.markup import escape

    for name, value in values.items():
        shown = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
        out().print(f"[bold]{name}[/bold]  {escape(shown)}")
