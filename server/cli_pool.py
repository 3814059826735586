"""Commands of the high-risk pool: `pool list|scan|add|remove|assign`."""

from typing import TYPE_CHECKING

import typer

from server.cli_agent import RoleOption, ScopeOption, UserOption, Who
from server.cli_retention import show_table
from server.console import JsonFlag, application, command, out, print_json

if TYPE_CHECKING:
    from agent.wiring import App
    from tools.context import Asker

pool = typer.Typer(help="the high-risk pool and who cares for it", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(pool, name="pool")


@pool.command("list")
def list_pool(
    carer: str = typer.Option("", "--carer", help="only whom this person cares for"),
    customer: str = typer.Option("", "--customer", help="only this customer"),
    past: bool = typer.Option(False, "--past", help="earlier stays too"),
    user: str = UserOption,
    role: str = RoleOption,
    scope: list[str] = ScopeOption,
    as_json: bool = JsonFlag,
) -> None:
    """List who is in the pool, why, since when, and who cares for them."""
    from tools.pool_view import pool_row

    with command(as_json), application() as app:
        context = app.context(Who(user, role, scope).asker(app))
        found = [
            pool_row(one, app.settings.language, context)
            for one in context.operations.pool(customer_id=customer or None, past=past)
            if carer in ("", one.carer)
        ]
        if as_json:
            print_json({"pool": found})
            return
        rows = [
            (
                one["customer_id"],
                one["entered_at"][:10],
                one["carer"] or "-",
                "；".join(reason["text"] for reason in one["reasons"]),
                one["left_because"],
            )
            for one in found
        ]
        show_table(("customer", "since", "carer", "why", "left"), rows)


@pool.command("scan")
def scan_pool(as_json: bool = JsonFlag) -> None:
    """Bring the pool up to date; alert scans do so too. Safe to repeat."""
    with command(as_json), application() as app:
        report = app.pool_scan.run()
        if as_json:
            print_json(vars(report))
            return
        out().print(
            f"{report.customers} in the pool: {report.entered} entered, {report.left} left,"
            f" {report.without_carer} without anybody to care for them"
        )


@pool.command("add")
def add_to_pool(
    customer_id: str = typer.Argument(...),
    why: str = typer.Option(..., "--why", help="what makes you think so"),
    user: str = UserOption,
    role: str = RoleOption,
    as_json: bool = JsonFlag,
) -> None:
    """Put a customer in by your own judgement."""
    from retention.pool_changes import put_in_pool

    with command(as_json), application() as app:
        asker = Who(user, role, []).asker(app)
        now = app.clock.now()
        put_in_pool(app.operations, customer_id, why, actor=asker.user, role=asker.role, now=now)
        app.pool_scan.run()
        _show(customer_id, app, asker, as_json)


@pool.command("remove")
def remove_from_pool(
    customer_id: str = typer.Argument(...),
    user: str = UserOption,
    role: str = RoleOption,
    as_json: bool = JsonFlag,
) -> None:
    """Take a customer out; only a new reason puts them in again."""
    from retention.pool_changes import take_out_of_pool

    with command(as_json), application() as app:
        asker = Who(user, role, []).asker(app)
        now = app.clock.now()
        entry = take_out_of_pool(app.operations, customer_id, actor=asker.user, role=asker.role, now=now)
        if as_json:
            print_json(entry)
        else:
            out().print(f"{customer_id}: {entry.left_because}")


@pool.command("assign")
def assign_carer(
    customer_id: str = typer.Argument(...),
    carer: str = typer.Argument(..., help="somebody of the care team"),
    user: str = UserOption,
    role: str = RoleOption,
    as_json: bool = JsonFlag,
) -> None:
    """Give a customer of the pool to another carer."""
    from retention.pool_changes import give_to_carer

    with command(as_json), application() as app:
        asker = Who(user, role, []).asker(app)
        team = app.policy_book.live().pool.team.members
        give_to_carer(app.operations, customer_id, carer, actor=asker.user, role=asker.role, team=team)
        _show(customer_id, app, asker, as_json)


def _show(customer_id: str, app: "App", asker: "Asker", as_json: bool) -> None:
    from tools.pool_view import in_pool

    row = in_pool([customer_id], app.settings.language, app.context(asker))[customer_id]
    if as_json:
        print_json(row)
    else:
        out().print(f"{customer_id}: {row['carer'] or '-'}", markup=False)
