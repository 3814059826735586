"""`label queue`: texts that a label server could not label, and asking again."""

from typing import TYPE_CHECKING

import typer

from server.console import JsonFlag, application, command, err, out, print_json
from store.errors import ConfigError

if TYPE_CHECKING:
    from agent.wiring import App

_SHOWN = 20


def queue(
    retry: bool = typer.Option(False, "--retry", help="ask the label server again, and show its labels"),
    limit: int = typer.Option(1_000, "--limit", min=1, help="how many texts to list or to ask about"),
    as_json: bool = JsonFlag,
) -> None:
    """List the texts that a label server could not label, with the reason; `--retry` asks again."""
    with command(as_json), application() as app:
        if retry:
            _retry(app, limit, as_json)
            return
        waiting = app.label_cache.queued(limit=limit)
        counts = [
            {"labeller": labeller, "reason": reason, "texts": texts}
            for (labeller, reason), texts in sorted(app.label_cache.queue_counts().items())
        ]
        if as_json:
            print_json({"counts": counts, "texts": [one.model_dump(mode="json") for one in waiting]})
            return
        from rich.markup import escape
        from rich.table import Table

        if not counts:
            out().print("队列为空 nothing waits")
            return
        table = Table("标注者 labeller", "原因 reason", "文本 texts", header_style="bold")
        for row in counts:
            table.add_row(escape(str(row["labeller"])), str(row["reason"]), f"{row['texts']:,}")
        out().print(table)
        for one in waiting[:_SHOWN]:
            line = f"  {one.reason} × {one.attempts}  {one.text[:60]}  {one.detail[:80]}"
            out().print(line, markup=False, style="dim")
        out().print("  → voiceloop label queue --retry")


def _retry(app: "App", limit: int, as_json: bool) -> None:
    from pipeline.label_apply import put

    cascade = app.cascade
    if cascade is None:
        raise ConfigError(
            "no label server is set, so nobody can be asked again",
            hint="set VOICELOOP_LABEL_BASE_URL and VOICELOOP_LABEL_MODEL (docs/vllm.md)",
        )
    labels = cascade.retry(limit=limit)
    items = put(app.facts, app.human_labels, labels)
    report = cascade.take_report()
    waiting = sum(app.label_cache.queue_counts().values())
    if as_json:
        print_json({"labelled": len(labels), "items": items, "waiting": waiting, "report": report})
    else:
        out().print(
            f"已标注 labelled [bold]{len(labels):,}[/bold] 个文本 texts ({items:,} 条 items), "
            f"仍在排队 still waiting {waiting:,}"
        )
        if report.trouble:
            err().print(report.trouble, markup=False, style="yellow")
