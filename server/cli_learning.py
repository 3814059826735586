"""`policy learn`: what verdicts teach, shown, tried beside the live policy, or put live."""

from typing import TYPE_CHECKING, Any

import typer

from server.cli_agent import RoleOption, ScopeOption, UserOption, Who
from server.cli_retention import show_table
from server.console import JsonFlag, application, command, out, print_json
from store.errors import NotPermitted

if TYPE_CHECKING:
    from tools.context import Asker


def learn_policy(
    dry_run: bool = typer.Option(False, "--dry-run", help="only show it; that is so without an option too"),
    shadow: bool = typer.Option(False, "--shadow", help="put it in shadow mode, beside the live policy"),
    apply: bool = typer.Option(False, "--apply", help="put it live"),
    force: bool = typer.Option(False, "--force", help="although it makes more tasks than people can take on"),
    user: str = UserOption,
    role: str = RoleOption,
    scope: list[str] = ScopeOption,
    as_json: bool = JsonFlag,
) -> None:
    """Learn weights and thresholds from verdicts; `policy revert` takes a version back."""
    from retention.lesson_figures import lesson_figures
    from server.policy_learning import put_lesson

    if dry_run + shadow + apply > 1:
        raise typer.BadParameter("--dry-run, --shadow and --apply exclude each other")
    with command(as_json), application() as app:
        asker = Who(user, role, scope).asker(app)
        _require_everything(asker)
        if not (shadow or apply):
            figures = lesson_figures(app.policy_lesson(), app.settings.language)
            _show(figures, None, as_json)
            return
        put, told = put_lesson(app, "live" if apply else "shadow", asker, forced=force)
        _show({**told}, {"number": put.number, "state": put.state}, as_json)


def _require_everything(asker: "Asker") -> None:
    if asker.scope:
        raise NotPermitted("not permitted: verdicts teach the policy of all units, and you are of some")


def _show(figures: dict[str, Any], put: dict[str, Any] | None, as_json: bool) -> None:
    if as_json:
        print_json({**figures, "put": put})
        return
    out().print(figures["says"])
    if figures["held_out"] is not None:
        held = figures["held_out"]
        rows = [
            (name, _told(held[name]), str(held[name]["n"]))
            for name in ("precision_before", "precision_after", "accurate_lost")
        ]
        show_table((f"verdicts not learnt from, since {held['since'][:10]}", "share (95%)", "n"), rows)
    for change in figures["changes"]:
        out().print(f"  {change['says']}", markup=False)
    if figures["situations"]:
        show_table(
            ("situation", "kind", "accurate (95%)", "verdicts"),
            [(one["told"], one["kind"], _told(one), str(one["n"])) for one in figures["situations"]],
        )
    if put is not None:
        out().print(f"policy version {put['number']}: {put['state']}")


def _told(share: dict[str, Any]) -> str:
    if share["value"] is None:
        return "-"
    return f"{share['value']:.0%} ({share['ci_low']:.0%} to {share['ci_high']:.0%})"
