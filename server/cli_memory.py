"""What is kept between turns: `threads`, `preferences`, `approvals`."""

from typing import TYPE_CHECKING, Any

import typer

from server.cli_agent import RoleOption, ScopeOption, UserOption, Who
from server.console import JsonFlag, application, command, out, print_json
from store.errors import ToolInputError

if TYPE_CHECKING:
    from agent.approver import Report
    from agent.wiring import App
    from tools.context import Asker

threads = typer.Typer(help="conversations", no_args_is_help=True)
preferences = typer.Typer(help="default filters and words", no_args_is_help=True)
approvals = typer.Typer(help="drafts that await approval, of all conversations", no_args_is_help=True)
_SHOWN = 60


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(threads, name="threads")
    app.add_typer(preferences, name="preferences")
    app.add_typer(approvals, name="approvals")


@threads.command("list")
def list_threads(
    user: str = UserOption, role: str = RoleOption, scope: list[str] = ScopeOption, as_json: bool = JsonFlag
) -> None:
    """List your conversations, the one asked last first."""
    with command(as_json), application() as app:
        asker = Who(user, role, scope).asker(app)
        entries = app.threads.entries(asker)
        waiting = {draft.id for draft in app.approver.waiting(asker)} if _any_drafts(entries) else set()
        pending = [[draft for draft in one.drafts if draft in waiting] for one in entries]
        found = [
            {
                "thread_id": one.name,
                "asked": one.asked,
                "asked_at": one.asked_at.isoformat() if one.asked_at else None,
                "turns": one.turns,
                "pending_approvals": drafts,
            }
            for one, drafts in zip(entries, pending, strict=True)
        ]
        if as_json:
            print_json({"threads": found})
            return
        rows = [
            (one.name, _local(one.asked_at, app), one.turns, len(drafts), one.asked)
            for one, drafts in zip(entries, pending, strict=True)
        ]
        _table(("thread", "asked at", "turns", "awaiting", "last question"), rows)


@threads.command("show")
def show_thread(
    thread: str = typer.Argument(...),
    user: str = UserOption,
    role: str = RoleOption,
    scope: list[str] = ScopeOption,
    as_json: bool = JsonFlag,
) -> None:
    """Show a conversation from its beginning."""
    import asyncio

    async def turns(app: "App", asker: "Asker") -> list[Any]:
        async with app.assistant() as assistant:
            return list(await assistant.turns(thread, asker))

    with command(as_json), application() as app:
        found = asyncio.run(turns(app, Who(user, role, scope).asker(app)))
        if as_json:
            print_json({"thread_id": thread, "turns": found})
            return
        from rich.markdown import Markdown
        from rich.markup import escape

        for turn in found:
            out().print(f"\n[bold]{escape(turn.question)}[/bold]")
            out().print(Markdown(turn.answer or "…"))


@threads.command("rename")
def rename_thread(
    thread: str = typer.Argument(...),
    new: str = typer.Argument(...),
    user: str = UserOption,
    role: str = RoleOption,
    scope: list[str] = ScopeOption,
    as_json: bool = JsonFlag,
) -> None:
    """Call a conversation otherwise."""
    with command(as_json), application() as app:
        app.threads.rename(thread, new, Who(user, role, scope).asker(app))
        _say({"thread_id": new}, f"{thread} → {new}", as_json)


@threads.command("delete")
def delete_thread(
    thread: str = typer.Argument(...),
    user: str = UserOption,
    role: str = RoleOption,
    scope: list[str] = ScopeOption,
    as_json: bool = JsonFlag,
) -> None:
    """Forget a conversation; what it drafted still awaits approval."""
    with command(as_json), application() as app:
        app.threads.delete(thread, Who(user, role, scope).asker(app))
        _say({"deleted": thread}, f"✗ {thread}", as_json)


@preferences.command("list")
def list_preferences(user: str = UserOption, as_json: bool = JsonFlag) -> None:
    """List what is taken for granted in your questions."""
    with command(as_json), application() as app:
        kept = app.preferences.of(user or app.settings.user)
        if as_json:
            print_json({"preferences": [one.model_dump(mode="json") for one in kept]})
            return
        rows = [(one.kind, one.name, ", ".join(one.values), _local(one.set_at, app)) for one in kept]
        _table(("kind", "name", "values", "since"), rows)


@preferences.command("set")
def set_preference(
    filters: list[str] = typer.Option([], "--filter", help="default filter, e.g. region=华东"),
    words: list[str] = typer.Option([], "--word", help="what a word stands for, e.g. 新品=空气炸锅,电饭煲"),
    user: str = UserOption,
    as_json: bool = JsonFlag,
) -> None:
    """Set default filters and words."""
    from store.preferences import Preference

    with command(as_json), application() as app:
        who = user or app.settings.user
        chosen: list[tuple[Any, str]] = [*(("filter", one) for one in filters), *(("word", w) for w in words)]
        if not chosen:
            raise ToolInputError("nothing is set", hint="--filter region=华东 or --word 新品=空气炸锅,电饭煲")
        kept = []
        for kind, text in chosen:
            name, values = _pair(text)
            if kind == "filter" and name not in app.facts.catalogue().dimensions:
                raise ToolInputError(
                    f"the data has no dimension {name!r}", hint="voiceloop tool data_quality"
                )
            at = app.clock.now()
            kept.append(Preference(user=who, kind=kind, name=name, values=values, set_at=at))
        for one in kept:
            app.preferences.keep(one)
        _say({"set": [one.name for one in kept]}, ", ".join(one.name for one in kept), as_json)


@preferences.command("forget")
def forget_preferences(
    names: list[str] = typer.Argument(None, help="dimensions or words; default: everything"),
    user: str = UserOption,
    as_json: bool = JsonFlag,
) -> None:
    """Forget default filters and words."""
    with command(as_json), application() as app:
        who = user or app.settings.user
        chosen: list[str | None] = [*names] if names else [None]
        gone = sum(app.preferences.forget(who, name=name) for name in chosen)
        _say({"forgotten": gone}, str(gone), as_json)


@approvals.command("list")
def list_approvals(
    user: str = UserOption, role: str = RoleOption, scope: list[str] = ScopeOption, as_json: bool = JsonFlag
) -> None:
    """List what awaits approval: everything you may see if you may approve, else your own."""
    with command(as_json), application() as app:
        found = app.approver.waiting(Who(user, role, scope).asker(app))
        if as_json:
            print_json({"approvals": found})
            return
        rows = [
            (d.id, d.kind, d.created_by, d.customer_id, "expired" if d.expired else "", d.summary[:_SHOWN])
            for d in found
        ]
        _table(("draft", "kind", "by", "customer", "", "summary"), rows)


@approvals.command("approve")
def approve_drafts(
    ids: list[str] = typer.Argument(...),
    anyway: bool = typer.Option(False, "--anyway", help="also for customers who have left since"),
    user: str = UserOption,
    role: str = RoleOption,
    scope: list[str] = ScopeOption,
    as_json: bool = JsonFlag,
) -> None:
    """Approve drafts by their ids."""
    from agent.approvals import Decision

    _decide(Decision(approve=ids, anyway=anyway), Who(user, role, scope), as_json)


@approvals.command("reject")
def reject_drafts(
    ids: list[str] = typer.Argument(...),
    user: str = UserOption,
    role: str = RoleOption,
    scope: list[str] = ScopeOption,
    as_json: bool = JsonFlag,
) -> None:
    """Reject drafts by their ids."""
    from agent.approvals import Decision

    _decide(Decision(reject=ids), Who(user, role, scope), as_json)


def _decide(decision: Any, who: Who, as_json: bool) -> None:
    with command(as_json), application() as app:
        report: Report = app.approver.decide(decision, who.asker(app))
        _say(report, report.text(app.settings.language), as_json)


def _pair(text: str) -> tuple[str, tuple[str, ...]]:
    name, _, rest = text.partition("=")
    values = tuple(part.strip() for part in rest.replace("，", ",").split(",") if part.strip())
    if not name.strip() or not values:
        raise ToolInputError(f"{text!r} is no name=value", hint="write it like region=华东")
    return name.strip(), values


def _any_drafts(entries: Any) -> bool:
    return any(entry.drafts for entry in entries)


def _say(document: Any, words: str, as_json: bool) -> None:
    if as_json:
        print_json(document)
    else:
        out().print(words, markup=False)


def _local(at: Any, app: "App") -> str:
    return f"{at.astimezone(app.settings.zone):%Y-%m-%d %H:%M}" if at else ""


def _table(columns: tuple[str, ...], rows: list[tuple[Any, ...]]) -> None:
    from rich.markup import escape
    from rich.table import Table

    table = Table(*columns, header_style="bold")
    for row in rows:
        table.add_row(*[escape("" if cell is None else str(cell)) for cell in row])
    out().print(table)
