"""Commands that bring data in and lay it out: `ingest`, `themes`, `demo`."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import typer

from server.console import JsonFlag, Progress, application, command, err, out, print_json, progress_bars
from server.terminal import typed_path
from store.errors import InputError, ToolInputError

if TYPE_CHECKING:
    from agent.wiring import App
    from pipeline.account import IngestOptions, IngestReport
    from pipeline.cascade_report import CascadeReport
    from vectorstore.themes import ThemeReport

_KINDS = ("feedback", "customers", "events", "outcomes", "rates")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(demo)
    app.command()(ingest)
    app.command()(themes)


def ingest(
    paths: list[Path] = typer.Argument(
        ..., parser=typed_path, help="files (CSV, XLSX, JSONL, Parquet, also .gz) or folders"
    ),
    kind: str = typer.Option("feedback", "--kind", help=", ".join(_KINDS)),
    maps: list[str] = typer.Option(
        [], "--map", help="field=column, metric:NAME=column, dim:NAME=column, -=column"
    ),
    mapping: Path = typer.Option(None, "--mapping", parser=typed_path, help="YAML file of field: column"),
    source: str = typer.Option(None, "--source", help="name of the origin; default: the file's name"),
    channel: str = typer.Option(None, "--channel", help="survey, review, ticket, chat, call, email, app ..."),
    rejects: Path = typer.Option(
        None, "--rejects", parser=typed_path, help="file for rejected rows; default: in the home"
    ),
    encoding: str = typer.Option(None, "--encoding", help="of the files; default: found out"),
    date_order: str = typer.Option(None, "--date-order", help="ymd, dmy or mdy; default: found out"),
    lenient: bool = typer.Option(False, "--lenient", help="keep a row without its impossible value"),
    dry_run: bool = typer.Option(False, "--dry-run", help="show what would happen and store nothing"),
    index: bool = typer.Option(True, "--index/--no-index", help="embed the texts and refresh the themes"),
    as_json: bool = JsonFlag,
) -> None:
    """Bring feedback (or customers, events, outcomes, industry rates) in. Every row is accounted for."""
    with command(as_json), application() as app:
        from pipeline.account import IngestOptions

        _check_maps(maps)
        options = _options(
            IngestOptions,
            kind=kind,
            maps=tuple(maps),
            mapping_file=mapping,
            source=source,
            channel=channel,
            rejects=rejects,
            encoding=encoding,
            date_order=date_order,
            lenient=lenient,
            dry_run=dry_run,
        )
        with progress_bars(not as_json) as progress:
            if index and kind == "feedback" and not dry_run:
                report = ingest_and_index(app, paths, options, progress)
            else:
                report = app.ingestor.ingest(paths, options, progress)
        if as_json:
            print_json(report)
        else:
            show_report(report)


def _check_maps(maps: Sequence[str]) -> None:
    """What `--map` cannot mean at all is wrong usage, whatever the file holds."""
    from pipeline.columns import parse_overrides

    try:
        parse_overrides(maps)
    except InputError as error:
        raise ToolInputError(error.message, hint=error.hint) from error


def _options(model: Any, **values: Any) -> Any:
    from pydantic import ValidationError

    try:
        return model(**values)
    except ValidationError as error:
        problems = "; ".join(f"--{str(e['loc'][0]).replace('_', '-')}: {e['msg']}" for e in error.errors())
        raise ToolInputError(problems) from error


def ingest_and_index(
    app: "App", paths: Sequence[Path], options: "IngestOptions", progress: Progress | None
) -> "IngestReport":
    """Ingest feedback, embed it meanwhile, and let the new texts join or found themes."""
    from pipeline.concurrent_indexing import ConcurrentIndexing
    from vectorstore.themes import refresh_themes

    indexing = ConcurrentIndexing(app.facts, app.operations, app.index, app.embedder, progress)
    with indexing:
        report = app.ingestor.ingest(paths, options, progress)
    if indexing.texts or not app.facts.themes():
        _tell_unnamed(refresh_themes(app.facts, app.index, app.clock, progress, namer=app.theme_namer))
    return report


def _tell_unnamed(report: "ThemeReport") -> None:
    """Say that a model is set and did not name all themes."""
    if report.unnamed:
        err().print(
            f"[yellow]{report.unnamed} 个主题未由模型命名，沿用关键词[/yellow] "
            f"{report.unnamed} themes go by their own words: the model gave no usable name"
        )


def _show_labelling(labelling: "CascadeReport") -> None:
    from rich.markup import escape

    counts = (
        f"asked {labelling.escalated:,}, known {labelling.cached:,}, over the share {labelling.held_back:,}"
    )
    tokens = f"{labelling.prompt_tokens:,} + {labelling.completion_tokens:,} tokens"
    out().print(
        f"标签服务 label server [bold]{labelling.share:.1%}[/bold] of {labelling.n:,} ({counts})"
        f"   改动 changed {labelling.changed or 0}   {labelling.requests:,} requests, {tokens}"
    )
    if labelling.failed:
        err().print(
            f"[yellow]{labelling.failed:,} 条标签服务未能标注，保留内置标签并已排队"
            f" kept their embedded labels and are queued[/yellow]"
            f" {labelling.failures}: {escape(labelling.trouble)}"
        )
        if labelling.hint:
            err().print(f"  → {escape(labelling.hint)}")


def show_report(report: "IngestReport") -> None:
    """The account of an ingest for a person."""
    from rich.markup import escape
    from rich.table import Table

    console = out()
    for file in report.files:
        console.print(f"[bold]{escape(file.path)}[/bold]  {file.format} {file.encoding}")
        if file.error:
            console.print(f"  [red]✗[/red] {escape(file.error)}")
            continue
        table = Table("字段 field", "列 column", "依据 reason", header_style="bold", box=None)
        for field, column in file.mapping.items():
            reason = file.reasons.get(field) or file.reasons.get(column, "")
            table.add_row(escape(field), escape(column), f"[dim]{escape(reason)}[/dim]")
        console.print(table)
        for column, why in file.ignored_columns.items():
            console.print(f"  [dim]{escape(column)}: {escape(why)}[/dim]")
        if file.date_format:
            console.print(f"  日期 dates: {file.date_format}  [dim]{escape(file.date_reason)}[/dim]")
    mark = "试运行 dry run: " if report.dry_run else ""
    console.print(
        f"{mark}读取 read [bold]{report.read:,}[/bold] = 入库 stored {report.stored:,}"
        f" + 重复 duplicates {report.duplicates:,} + 拒收 rejected {report.rejected:,}"
        f"   近似 near-identical {report.near_duplicates:,}   {report.elapsed_ms / 1000:.1f} s"
    )
    if report.labelling is not None:
        _show_labelling(report.labelling)
    for path in report.skipped_files:
        err().print(f"[yellow]未读 skipped[/yellow] {escape(path)}")
    if report.rejects_file:
        err().print(
            f"[yellow]拒收的行及原因 rejected rows with reasons[/yellow]: {escape(report.rejects_file)}"
        )
        for reason, count in list(report.reject_reasons.items())[:5]:
            err().print(f"  {count:,} × {escape(reason)}")


def themes(
    refresh: bool = typer.Option(False, "--refresh", help="cluster anew; ids are kept where they can be"),
    period: str = typer.Option(None, "--period", help="e.g. 近30天 or last month"),
    limit: int = typer.Option(20, "--limit", min=1, max=200),
    as_json: bool = JsonFlag,
) -> None:
    """Show the themes with size, heat and trend."""
    with command(as_json), application() as app:
        from tools.catalogue import run_tool
        from tools.context import Asker

        if refresh:
            from pipeline.indexing import index_pending
            from vectorstore.themes import refresh_themes

            with progress_bars(not as_json) as progress:
                index_pending(app.facts, app.operations, app.index, app.embedder, progress)
                _tell_unnamed(
                    refresh_themes(
                        app.facts, app.index, app.clock, progress, full=True, namer=app.theme_namer
                    )
                )
        args: dict[str, Any] = {"limit": limit, "language": app.settings.language}
        if period:
            args["period"] = period
        result = run_tool("list_themes", args, app.context(Asker()))
        if as_json:
            print_json(result)
        else:
            show_areas(result.data["areas"])
            show_themes(result.data["themes"], app.settings.language)


def show_themes(found: list[dict[str, Any]], language: Literal["zh", "en"]) -> None:
    """Themes as a table."""
    from rich.markup import escape
    from rich.table import Column, Table

    from agent.compose_causes import theme_label

    table = Table(
        Column("主题 theme", overflow="fold", min_width=24),
        "条数 items",
        "占比 share",
        "负面 negative",
        "热度 heat",
        "趋势 trend",
        "突出 stands out",
        header_style="bold",
    )
    for theme in found:
        negative = theme["negative_share"]
        table.add_row(
            escape(theme_label(theme, language)),
            f"{theme['size']:,}",
            f"{theme['share']:.1%}",
            "" if negative is None else f"{negative:.0%}",
            f"{theme['heat']:.0f}",
            escape(_movement(theme, language)),
            escape(_places(theme["places"])),
        )
    out().print(table)


def _places(places: list[dict[str, Any]]) -> str:
    return ", ".join(f"{place['label']} ×{place['lift']:.1f}" for place in places[:2])


def _movement(theme: dict[str, Any], language: Literal["zh", "en"]) -> str:
    """The trend, and what became of the theme since its birth, with the other theme."""
    from agent.phrases import name

    words = [name(f"value_trend_{theme['trend']}", language, "-")]
    last = theme["lineage"][-1] if theme["lineage"] else {"event": "born"}
    if last["event"] != "born":
        words += [name(f"value_event_{last['event']}", language, last["event"]), last["other_label"]]
    return " ".join(word for word in words if word)


def show_areas(found: list[dict[str, Any]]) -> None:
    """Problem areas on a line each."""
    from rich.markup import escape

    out().print("[bold]问题领域 problem areas[/bold]")
    for area in found:
        negative = "" if area["negative_share"] is None else f"  负面 {area['negative_share']:.0%}"
        out().print(
            f"  {escape(area['label'])}  {area['size']:,} ({area['share']:.1%}){negative}"
            f"  {len(area['themes'])} 个主题"
        )


def demo(
    as_json: bool = JsonFlag,
    seed: int = typer.Option(7, "--seed", help="of the sample feed"),
    question: str = typer.Option(None, "--question", help="another question for the agent"),
) -> None:
    """The whole job from nothing, offline: sample feed, pipeline, NPS, themes, root cause, plan, tasks."""
    with command(as_json):
        from server.demo import run_demo

        run_demo(seed=seed, question=question, as_json=as_json)
