"""Commands of surveys: `surveys check|list|ask`."""

from typing import TYPE_CHECKING

import typer

from server.cli_agent import RoleOption, ScopeOption, UserOption, Who
from server.cli_retention import show_table
from server.console import JsonFlag, application, command, out, print_json
from store.errors import ToolInputError

if TYPE_CHECKING:
    from retention.wording import Language

surveys = typer.Typer(help="surveys: asked after key occasions, in fair words", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(surveys, name="surveys")


@surveys.command("check")
def check(
    question: str = typer.Argument(..., help="one survey question"),
    language: str = typer.Option("", "--language", help="zh or en; default: by its characters"),
    as_json: bool = JsonFlag,
) -> None:
    """Say whether a question leads, why, and how to ask it better."""
    from retention.survey_questions import check_question

    with command(as_json):
        found = check_question(question, _language(language))
        if as_json:
            leads = [vars(lead) for lead in found.leads]
            print_json({**vars(found), "leads": leads, "better": list(found.better), "fair": found.fair})
            return
        if found.fair:
            out().print("fair: nothing in it leads" if found.language == "en" else "中立：没有发现诱导")
            return
        for lead in found.leads:
            out().print(f"{lead.rule}: “{lead.words}” - {lead.why}", markup=False)
        for one in found.better:
            out().print(f"→ {one}", markup=False)


@surveys.command("list")
def list_surveys(
    node: str = typer.Option("", "--node", help="only of this node of the policy"),
    customer: str = typer.Option("", "--customer", help="only this customer's"),
    user: str = UserOption,
    role: str = RoleOption,
    scope: list[str] = ScopeOption,
    as_json: bool = JsonFlag,
) -> None:
    """List who was asked what, and how many answer at each node."""
    from tools.survey_view import node_rows, survey_row, surveys_seen

    with command(as_json), application() as app:
        context = app.context(Who(user, role, scope).asker(app))
        found = surveys_seen(app.surveys, context, node=node or None, customer_id=customer or None)
        nodes = node_rows(found)
        if as_json:
            print_json({"nodes": nodes, "surveys": [survey_row(one, context) for one in found]})
            return
        rows = [
            (
                one["node"],
                one["kind"],
                str(one["asked"]),
                str(one["sent"]),
                str(one["answered"]),
                _told(one["response_rate"]),
                _told(one["score"]),
            )
            for one in nodes
        ]
        show_table(("node", "kind", "asked", "sent", "answered", "response rate", "score"), rows)


@surveys.command("ask")
def ask(as_json: bool = JsonFlag) -> None:
    """Ask where occasions are due, and tie answers that came as feedback; a server does so by itself."""
    from retention.survey_answers import settle_answers

    with command(as_json), application() as app:
        report = {**vars(app.survey_asking.run()), "answered": settle_answers(app.facts, app.surveys)}
        if as_json:
            print_json(report)
            return
        out().print(", ".join(f"{name.replace('_', ' ')}: {n}" for name, n in report.items()))
        if not app.policy_book.live().surveys.active:
            out().print("surveys are off: set surveys.active in the policy (voiceloop policy apply)")


def _told(figure: dict[str, float | None]) -> str:
    if figure["value"] is None:
        return "-"
    if figure["ci_low"] is None:
        return f"{figure['value']:g}"
    return f"{figure['value']:g} ({figure['ci_low']:g} to {figure['ci_high']:g})"


def _language(given: str) -> "Language | None":
    for known in ("zh", "en"):
        if given == known:
            return known
    if given:
        raise ToolInputError(f"--language: {given!r} is not known", hint="zh or en")
    return None
