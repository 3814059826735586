"""`voiceloop insights`: the daily, weekly, monthly or ad hoc report as Markdown, HTML, PDF or JSON."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from server.cli_agent import RoleOption, ScopeOption, UserOption, Who
from server.console import JsonFlag, application, command, err, out, print_json, write_bytes
from server.report_files import FORMATS, ReportFormat, file_name, rendered
from server.terminal import typed_path
from store.errors import ToolInputError

if TYPE_CHECKING:
    from agent.insight_document import InsightDocument

_KINDS = ("daily", "weekly", "monthly", "ad_hoc")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(insights)


def insights(
    kind: str = typer.Argument(
        "", help="daily (yesterday), weekly, monthly (the last whole one); default: ad hoc"
    ),
    first: str = typer.Option("", "--from", help="first day of an ad hoc report, e.g. 2026-10-01"),
    end: str = typer.Option("", "--to", help="the day after its last"),
    filters: list[str] = typer.Option([], "--filter", help="dimension=value, repeatable: region=广东"),
    format: str = typer.Option("", "--format", help="md, html, pdf or json; default: as --out ends, else md"),
    file: str = typer.Option(
        "", "--out", help="the file; - is standard output; default: reports/ in the data folder"
    ),
    language: str = typer.Option("", "--language", help="zh or en; default: VOICELOOP_LANGUAGE"),
    user: str = UserOption,
    role: str = RoleOption,
    scope: list[str] = ScopeOption,
    as_json: bool = JsonFlag,
) -> None:
    """Write an insight report: what changed and why, themes, new problems, risks, plans, next steps."""
    with command(as_json):
        chosen = _format(format, file)
        narrowed = _filters(filters)
        with application() as app:
            spoken = _one_of("--language", language or app.settings.language, ("zh", "en"))
            named = _one_of("KIND", (kind or "ad_hoc").replace("-", "_"), _KINDS)
            if named != "ad_hoc" and (first or end):
                raise ToolInputError(
                    f"{named} derives its own period", hint="leave out the kind to give --from and --to"
                )
            report = app.insights(
                Who(user, role, scope).asker(app),
                kind=named,
                language=spoken,
                first=first or None,
                end=end or None,
                filters=narrowed,
            ).document
            body = rendered(report, chosen)
            if file == "-" and not as_json:
                write_bytes(body)
                return
            path = (
                typed_path(file)
                if file not in ("", "-")
                else app.home / "reports" / file_name(report, chosen)
            )
            _write(path, body)
            _show(report, path, chosen, as_json)


def _format(asked: str, file: str) -> ReportFormat:
    ending = Path(file).suffix.lower().lstrip(".") if file not in ("", "-") else ""
    ending = {"markdown": "md", "htm": "html"}.get(ending, ending)
    chosen: ReportFormat = _one_of("--format", asked or (ending if ending in FORMATS else "md"), FORMATS)
    return chosen


def _one_of(name: str, given: str, allowed: tuple[str, ...]) -> Any:
    if given not in allowed:
        raise ToolInputError(f"{name}: {given!r} is not known", hint=f"one of {', '.join(allowed)}")
    return given


def _filters(given: list[str]) -> dict[str, Any]:
    """`dimension=value`; the same dimension twice means either value."""
    found: dict[str, list[str]] = {}
    for one in given:
        name, equals, value = one.partition("=")
        if not (name.strip() and equals):
            raise ToolInputError(f"--filter {one!r} is not dimension=value", hint="e.g. --filter region=广东")
        found.setdefault(name.strip(), []).append(value.strip())
    return {name: values[0] if len(values) == 1 else values for name, values in found.items()}


def _write(path: Path, body: bytes) -> None:
    from store.durable_files import write_whole

    write_whole(path, body)


def _show(report: "InsightDocument", path: Path, format: str, as_json: bool) -> None:
    if as_json:
        print_json({"file": str(path), "format": format, "insights": report.model_dump(mode="json")})
        return
    from rich.markup import escape

    out().print(f"[bold]{escape(report.title)}[/bold]  {escape(report.period.label)}")
    out().print(escape(report.summary))
    err().print(f"[dim]→ {escape(str(path))}[/dim]")
