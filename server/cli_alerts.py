"""Commands of alerts: `alerts scan|list|show|verdict|outcomes`."""

from typing import TYPE_CHECKING, Any

import typer

from server.cli_agent import RoleOption, ScopeOption, UserOption, Who
from server.cli_retention import show_fields, show_table
from server.console import JsonFlag, application, command, out, print_json
from store.errors import ToolInputError

if TYPE_CHECKING:
    from store.records import Tier

alerts = typer.Typer(help="alerts on customers about to leave", no_args_is_help=True)
_SHOWN = 2
_FIELDS = ("alert_id", "customer_id", "tier", "status", "verdict", "score", "owner", "due_at", "summary")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(alerts, name="alerts")


@alerts.command("scan")
def scan_alerts(user: str = UserOption, as_json: bool = JsonFlag) -> None:
    """Look for customers to act for; tasks follow. Safe to repeat."""
    with command(as_json), application() as app:
        report = app.scan_alerts(user or app.settings.user)
        if as_json:
            print_json({**vars(report), "at": report.at.astimezone(app.settings.zone)})
            return
        tiers = ", ".join(f"{tier} {n}" for tier, n in report.by_tier.items() if n)
        out().print(
            f"{report.assessed:,} / {report.customers:,} customers: {report.opened} opened"
            f"{f' ({tiers})' if tiers else ''}, {report.raised} raised, {report.joined} joined,"
            f" {report.tasks} tasks, {report.messages} messages ({report.elapsed_ms} ms)"
        )


@alerts.command("list")
def list_alerts(
    status: str = typer.Option("open", "--status", help="open, closed or all"),
    tier: str = typer.Option("", "--tier", help="yellow, callback, orange or red"),
    customer: str = typer.Option("", "--customer", help="only this customer's"),
    user: str = UserOption,
    role: str = RoleOption,
    scope: list[str] = ScopeOption,
    as_json: bool = JsonFlag,
) -> None:
    """List alerts, open ones first, then by deadline."""
    from tools.alert_list import alert_row

    with command(as_json), application() as app:
        if status not in ("open", "closed", "all"):
            raise ToolInputError(f"no status {status!r}; there are: open, closed, all")
        context = app.context(Who(user, role, scope).asker(app))
        every = context.operations.alerts(tier=_tier(tier), customer_id=customer or None)
        found = [
            alert_row(alert, app.settings.language, context)
            for alert in every
            if status in ("all", alert.status)
        ]
        if as_json:
            print_json({"alerts": found})
            return
        rows = [
            (
                one["alert_id"],
                one["tier"],
                one["status"] if not one["overdue"] else "overdue",
                one["customer_id"],
                one["owner"],
                one["due_at"][:16].replace("T", " "),
                "；".join(one["reasons"][:_SHOWN]),
            )
            for one in found
        ]
        show_table(("alert", "tier", "status", "customer", "owner", "due", "reasons"), rows)


@alerts.command("show")
def show_alert(
    alert_id: str = typer.Argument(..., help="the alert, or its task"),
    user: str = UserOption,
    role: str = RoleOption,
    scope: list[str] = ScopeOption,
    as_json: bool = JsonFlag,
) -> None:
    """Show one alert with its parts, task, what to say, and verdicts."""
    from tools.alert_records import named_alert, task_of_alert
    from tools.alert_view import alert_figures

    with command(as_json), application() as app:
        context = app.context(Who(user, role, scope).asker(app))
        alert = named_alert(alert_id, context)
        found = alert_figures(alert, task_of_alert(alert, context), app.settings.language, context)
        if as_json:
            print_json(found)
            return
        parts = [f"{one['points']:+g} {one['text']}" for one in found["parts"]]
        task = found["task"] and f"{found['task']['task_id']} {found['task']['status']}"
        names = (
            "alert_id",
            "customer_id",
            "tier",
            "status",
            "verdict",
            "score",
            "owner",
            "due_at",
            "summary",
        )
        shown: dict[str, Any] = {name: found[name] for name in names}
        show_fields({**shown, "parts": parts, "task": task, "advice": found["advice"]})
        for point in found["what_to_say"]:
            out().print(f"- {point['text']}", markup=False)


@alerts.command("verdict")
def judge_alert(
    alert_id: str = typer.Argument(..., help="the alert, or its task"),
    verdict: str = typer.Argument(..., help="accurate or false_alarm"),
    reason: str = typer.Option("", "--reason", help="why"),
    user: str = UserOption,
    role: str = RoleOption,
    scope: list[str] = ScopeOption,
    as_json: bool = JsonFlag,
) -> None:
    """Say whether an alert was accurate; a later verdict supersedes an earlier one."""
    from tools.catalogue import run_tool

    with command(as_json), application() as app:
        asker = Who(user, role, scope).asker(app)
        args = {"alert_id": alert_id, "verdict": verdict, "reason": reason}
        told = {**args, "language": app.settings.language}
        data = run_tool("record_verdict", told, app.context(asker)).data
        if as_json:
            print_json(data)
            return
        alert = data["alert"]
        out().print(f"{alert['alert_id']}: {data['verdict']} ({alert['status']})")


@alerts.command("outcomes")
def alert_outcomes(
    period: str = typer.Option("", "--period", help="alerts raised in it, such as 'last 90 days'; all"),
    user: str = UserOption,
    role: str = RoleOption,
    scope: list[str] = ScopeOption,
    as_json: bool = JsonFlag,
) -> None:
    """What became of alerts by tier: first response, resolution, on time, saved."""
    from tools.outcomes import outcome_figures
    from tools.periods import resolve

    with command(as_json), application() as app:
        context = app.context(Who(user, role, scope).asker(app))
        span = resolve(period or None, now=app.clock.now(), zone=context.zone, language=app.settings.language)
        found = outcome_figures(span, context)
        if as_json:
            print_json(found)
            return
        rows = [
            (
                one["tier"],
                str(one["alerts"]),
                _hours(one["first_response_hours"]["median"]),
                _percent(one["on_time"]),
                str(one["done"]),
                _hours(one["resolution_hours"]["median"]),
                _percent(one["saved"]),
            )
            for one in found["tiers"]
        ]
        saved = f"saved after {found['saved_days']} days"
        show_table(("tier", "alerts", "first response", "on time", "done", "resolution", saved), rows)


def _hours(found: dict[str, float | None]) -> str:
    return "-" if found["value"] is None else f"{found['value']:.1f} h"


def _percent(found: dict[str, Any]) -> str:
    if found["value"] is None:
        return "-"
    return f"{found['value']:.0%} ({found['ci_low']:.0%} to {found['ci_high']:.0%}, n={found['n']})"


def _tier(name: str) -> "Tier | None":
    from store.records import Tier

    if not name:
        return None
    try:
        return Tier(name)
    except ValueError as error:
        known = ", ".join(tier.value for tier in Tier)
        raise ToolInputError(f"no tier {name!r}; there are: {known}") from error
