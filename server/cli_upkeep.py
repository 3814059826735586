"""Commands that keep the installation sound: `reindex`, `doctor`, `audit verify`, `bench`."""

import typer

from server.console import JsonFlag, application, command, out, print_json, progress_bars

audit = typer.Typer(help="the audit log", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(reindex)
    app.command()(doctor)
    app.command()(bench)
    app.add_typer(audit, name="audit")


def reindex(as_json: bool = JsonFlag) -> None:
    """Rebuild the vectors from the stored texts, and the themes from the vectors."""
    with command(as_json), application() as app, progress_bars(not as_json) as progress:
        from pipeline.indexing import index_all
        from vectorstore.themes import refresh_themes

        app.index.reset()
        count = index_all(app.facts, app.index, app.embedder, progress)
        refresh_themes(app.facts, app.index, app.clock, progress, namer=app.theme_namer)
        document = {"texts": count, "themes": sum(not theme.faded for theme in app.facts.themes())}
    if as_json:
        print_json(document)
    else:
        out().print(f"{document['texts']} texts, {document['themes']} themes")


def doctor(as_json: bool = JsonFlag) -> None:
    """Find what is wrong with the installation and say how to mend it."""
    with command(as_json), application("run") as app:
        from server.checkup import check

        findings = check(app)
    if as_json:
        print_json({"ok": all(f.ok for f in findings), "checks": [f._asdict() for f in findings]})
    else:
        for finding in findings:
            mark = "[green]✓[/green]" if finding.ok else "[red]✗[/red]"
            out().print(
                f"{mark} {finding.name}: {finding.detail}" + (f"\n  → {finding.mend}" if finding.mend else "")
            )
    if not all(f.ok for f in findings):
        raise typer.Exit(1)


def bench(
    items: int = typer.Option(1_000_000, "--items", min=1_000, help="stored rows for the tool latencies"),
    as_json: bool = JsonFlag,
) -> None:
    """Measure speed and memory as ratios against a peer in the same run."""
    with command(as_json), progress_bars(not as_json) as progress:
        from evals.bench import render, run

        report = run(items=items, progress=progress)
    if as_json:
        print_json(report)
    else:
        out().print(render(report))


@audit.command()
def verify(as_json: bool = JsonFlag) -> None:
    """Check the hash chain of the audit log."""
    with command(as_json), application() as app:
        entries = app.operations.verify_audit()
        if as_json:
            print_json({"entries": entries, "intact": True})
        else:
            out().print(f"[green]✓[/green] {entries} entries, the chain is unbroken")
