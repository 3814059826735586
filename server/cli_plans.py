"""Commands of action plans: `plans list|update|verify|export`."""

from pathlib import Path
from typing import TYPE_CHECKING, get_args

import typer

from server.cli_agent import RoleOption, ScopeOption, UserOption, Who
from server.cli_retention import show_table, status_named
from server.console import JsonFlag, application, command, err, out, print_json, write_bytes
from server.terminal import typed_path
from store.errors import ToolInputError

if TYPE_CHECKING:
    from server.plan_files import PlanFormat
    from tools.arguments import Language
    from tools.plan_verification import Verification

plans = typer.Typer(help="action plans", no_args_is_help=True)
LanguageOption = typer.Option("", "--language", help="zh or en; default: VOICELOOP_LANGUAGE")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(plans, name="plans")


@plans.command("list")
def list_plans(
    status: str = typer.Option("", "--status", help="pending_approval, open, done, rejected or cancelled"),
    user: str = UserOption,
    role: str = RoleOption,
    scope: list[str] = ScopeOption,
    language: str = LanguageOption,
    as_json: bool = JsonFlag,
) -> None:
    """List action plans, newest first."""
    from tools.plans import plan_figures

    with command(as_json), application() as app:
        context = app.context(Who(user, role, scope).asker(app))
        told = _language(language, app.settings.language)
        found = [
            plan_figures(p, context, told) for p in context.operations.plans(status=status_named(status))
        ]
        if as_json:
            print_json({"plans": found})
            return
        rows = [
            (
                plan["plan_id"],
                (plan["review"] or {}).get("outcome") or plan["status"],
                plan["problem"],
                plan["cause"],
                str(len(plan["measures"])),
                plan["window"]["ends_on"],
            )
            for plan in found
        ]
        show_table(("plan", "state", "problem", "cause", "measures", "ends"), rows)


@plans.command("update")
def update_plan(
    plan_id: str = typer.Argument(...),
    status: str = typer.Option(..., "--status", help="open (approve), rejected or cancelled"),
    user: str = UserOption,
    role: str = RoleOption,
    scope: list[str] = ScopeOption,
    as_json: bool = JsonFlag,
) -> None:
    """Approve a plan, turn it down or call it off; `verify` ends it."""
    from retention.approvals import require_approver
    from store.records import TaskStatus
    from tools.plans import plan_figures

    with command(as_json), application() as app:
        wanted = status_named(status)
        if wanted not in (TaskStatus.OPEN, TaskStatus.REJECTED, TaskStatus.CANCELLED):
            raise ToolInputError(f"--status: {status!r} cannot be set", hint="open, rejected or cancelled")
        context = app.context(Who(user, role, scope).asker(app))
        require_approver(context.asker.role, "plan")
        moved = context.operations.set_plan_status(plan_id, wanted, actor=context.asker.user)
        if as_json:
            print_json(plan_figures(moved, context))
        else:
            out().print(f"{moved.plan_id}: {moved.status.value}")


@plans.command("verify")
def verify(
    plan_id: str = typer.Argument("", help="only this plan; default: every plan that runs"),
    user: str = UserOption,
    role: str = RoleOption,
    scope: list[str] = ScopeOption,
    language: str = LanguageOption,
    as_json: bool = JsonFlag,
) -> None:
    """Verify the plans whose window is over: effect, outcome, and the cause anew where one was missed."""
    from tools.plan_verification import verification_figures, verify_plans

    with command(as_json), application() as app:
        told = _language(language, app.settings.language)
        found = verify_plans(app.context(Who(user, role, scope).asker(app)), plan_id or None, language=told)
        if as_json:
            print_json({"plans": [verification_figures(one, told) for one in found]})
            return
        columns = ("plan", "state", "outcome", "effect", "95% interval", "follow-up")
        show_table(columns, [_row(one) for one in found])


def _row(found: "Verification") -> tuple[str, ...]:
    review, plan = found.plan.review, found.plan
    state = f"not due before {found.due_on.isoformat()}" if found.state == "not_due" else found.state
    main = next((effect for effect in found.effects if effect.main), None)
    interval = "" if main is None or main.ci_low is None else f"{main.ci_low:g} to {main.ci_high:g}"
    return (
        plan.plan_id,
        state,
        review.outcome if review else "",
        "" if main is None or main.effect is None else f"{main.title} {main.effect:+g}",
        interval,
        (review.follow_up or "") if review else "",
    )


@plans.command("export")
def export(
    plan_id: str = typer.Argument(...),
    format: str = typer.Option("", "--format", help="md, csv or json; default: by --out, else md"),
    file: str = typer.Option("-", "--out", help="the file to write; - is standard output"),
    user: str = UserOption,
    role: str = RoleOption,
    scope: list[str] = ScopeOption,
    language: str = LanguageOption,
    as_json: bool = JsonFlag,
) -> None:
    """Write a plan as Markdown, as a table of tasks (CSV, one measure a row) or as JSON."""
    from server.plan_files import plan_file
    from store.durable_files import write_whole
    from tools.plans import stored_plan

    with command(as_json), application() as app:
        chosen = _format(format or (Path(file).suffix.lstrip(".").lower() if file != "-" else "md"))
        context = app.context(Who(user, role, scope).asker(app))
        told = _language(language, app.settings.language)
        plan = stored_plan(plan_id, context, told)
        body = plan_file(plan, chosen, context, told)
        if file != "-":
            write_whole(typed_path(file), body)
            if as_json:
                print_json({"plan_id": plan_id, "format": chosen, "file": file})
            else:
                err().print(f"→ {file}", markup=False)
        elif as_json and chosen != "json":
            print_json({"plan_id": plan_id, "format": chosen, "text": body.decode("utf-8-sig")})
        else:
            write_bytes(body)


def _format(given: str) -> "PlanFormat":
    from server.plan_files import PlanFormat

    for known in get_args(PlanFormat):
        if given == known:
            return known  # type: ignore[no-any-return]
    raise ToolInputError(
        f"--format: {given!r} is not known", hint=f"one of {', '.join(get_args(PlanFormat))}"
    )


def _language(given: str, default: "Language") -> "Language":
    from tools.arguments import Language

    for known in get_args(Language):
        if given == known:
            return known  # type: ignore[no-any-return]
    if given:
        raise ToolInputError(f"--language: {given!r} is not known", hint="zh or en")
    return default
