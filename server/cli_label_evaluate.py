"""`label evaluate`: how right the labels are on a file that people have labelled."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from server.console import JsonFlag, application, command, err, out, print_json, progress_bars
from store.errors import ToolInputError

if TYPE_CHECKING:
    from analytics.estimates import Estimate
    from pipeline.label_evaluation import Evaluation, Selective

_FORMATS = {
    **dict.fromkeys(("csv", "tsv", "txt", "delimited"), "delimited"),
    **dict.fromkeys(("xlsx", "xls", "workbook"), "workbook"),
    **dict.fromkeys(("jsonl", "json", "ndjson"), "json"),
    **dict.fromkeys(("parquet", "pq"), "parquet"),
}


def evaluate(
    file: Path = typer.Argument(..., help="a labelled table: CSV, TSV, XLSX, JSONL or Parquet, also .gz"),
    text_column: str = typer.Option("", "--text-column", help="the column of the text; default: guessed"),
    label_column: str = typer.Option("", "--label-column", help="the column of the label; default: by name"),
    label: str = typer.Option(
        "sentiment", "--label", help="sentiment, topic, intent, emotion, priority or risk"
    ),
    maps: list[str] = typer.Option(
        [], "--map", help="value=label: what a value means; value=- leaves it out"
    ),
    level: str = typer.Option("", "--level", help="of topics: leaf or branch; default: as the file has it"),
    blank_is_none: bool = typer.Option(
        False, "--blank-is-none", help="an empty cell means: no topic (or risk), not: nobody looked"
    ),
    encoding: str = typer.Option(None, "--encoding", help="of the file; default: found out"),
    file_format: str = typer.Option(
        None, "--format", help="csv, tsv, xlsx, jsonl or parquet; default: found out"
    ),
    as_json: bool = JsonFlag,
) -> None:
    """Score the labels on any labelled file: accuracy, F1 a label, confusion, calibration, with intervals."""
    with command(as_json), application("run") as app:
        from pipeline.label_evaluation import evaluate_file
        from pipeline.label_file import LabelFileOptions, parse_maps
        from pipeline.mask import mask_texts

        if level not in ("", "leaf", "branch"):
            raise ToolInputError(f"--level {level}: topics are compared at leaf or branch level")
        options = LabelFileOptions(
            label=label,
            text_column=text_column,
            label_column=label_column,
            maps=parse_maps(maps),
            encoding=encoding,
            format=_format(file_format),
            blank_is_none=blank_is_none,
        )
        with progress_bars(not as_json) as progress:
            found = evaluate_file(
                file,
                options,
                classifier=app.classifier,
                mask=mask_texts,
                taxonomy=app.taxonomy,
                level=level,
                progress=progress,
            )
        if as_json:
            print_json(found.document())
        else:
            show_evaluation(found)


def show_evaluation(found: "Evaluation") -> None:
    """The figures as tables for a person."""
    from rich.markup import escape
    from rich.table import Table

    console, scores = out(), found.scores
    level = f" ({found.level} level)" if found.level else ""
    console.print(
        f"[bold]{escape(found.file)}[/bold]  {found.field}{level}  [dim]{escape(found.labeller)}[/dim]"
    )
    console.print(
        f"  文本 text: {escape(found.text_column)}   标注 label: {escape(found.label_column)}"
        + (f"   [dim]{found.scheme}[/dim]" if found.scheme else "")
    )
    figures = Table("指标 figure", "值 value", "95% 区间 interval", "n", header_style="bold", box=None)
    whole = "全对 all labels right" if scores.confusion is None else "准确率 accuracy"
    rows: list[tuple[str, Estimate]] = [(whole, scores.accuracy), ("宏平均 macro-F1", scores.macro_f1)]
    if scores.confusion is None:
        rows.append(("微平均 micro-F1", scores.micro_f1))
    rows += _selective_rows(found.selective, "")
    if found.two_way is not None:
        rows.append(("正负二分 two-way accuracy", found.two_way.accuracy))
        rows.append(("判为中性 called neutral", found.two_way.neutral_share))
        rows += _selective_rows(found.two_way.selective, "二分 two-way, ")[1:]
    for name, figure in rows:
        figures.add_row(name, _number(figure.value), interval(figure), f"{figure.n:,}")
    for name, one in (
        ("校准误差 ECE", found.calibration),
        ("二分校准误差 two-way ECE", found.two_way and found.two_way.calibration),
    ):
        if one:
            figures.add_row(name, f"{one.ece:.4f}", "", f"{one.n:,}")
    console.print(figures)
    console.print(_label_table(found))
    if scores.confusion is not None:
        console.print(_confusion(found))
    _account(found)


def interval(figure: "Estimate") -> str:
    """The interval of a figure, or nothing where it has none."""
    return "" if figure.ci_low is None else f"{figure.ci_low:.3f} – {figure.ci_high:.3f}"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"


def _selective_rows(one: "Selective | None", prefix: str) -> "list[tuple[str, Estimate]]":
    if one is None:
        return []
    return [
        ("覆盖率 not abstained", one.coverage),
        (f"{prefix}不弃权的准确率 accuracy where it does not abstain", one.accuracy),
    ]


def _label_table(found: "Evaluation") -> Any:
    from rich.table import Table

    table = Table(
        "标签 label",
        "真实 true",
        "判为 given",
        "精确率 precision",
        "召回率 recall",
        "F1",
        header_style="bold",
    )
    for one in found.scores.labels:
        table.add_row(
            one.label,
            f"{one.support:,}",
            f"{one.predicted:,}",
            *(
                f"{_number(figure.value)}  [dim]{interval(figure)}[/dim]"
                for figure in (one.precision, one.recall, one.f1)
            ),
        )
    return table


def _confusion(found: "Evaluation") -> Any:
    from rich.table import Table

    names = [one.label for one in found.scores.labels]
    table = Table(
        "真实 true \\ 判为 given",
        *names,
        header_style="bold",
        title="混淆矩阵 confusion",
        title_justify="left",
    )
    for name, row in zip(names, found.scores.confusion or (), strict=True):
        table.add_row(name, *(f"{cell:,}" for cell in row))
    return table


def _account(found: "Evaluation") -> None:
    """Every row that was not scored, and why."""
    from rich.markup import escape

    notes = err()
    out().print(
        f"读取 read {found.rows:,} = 评分 scored [bold]{found.n:,}[/bold] + 未标注 unlabelled {found.blank:,}"
        f" + 未识别 not understood {found.unmapped_rows:,} + 排除 left out {found.left_out:,}"
        f" + 坏行 unreadable {found.unreadable:,}   {found.elapsed_ms / 1000:.1f} s"
    )
    for value, rows in list(found.unmapped.items())[:10]:
        notes.print(f"[yellow]未识别 not understood[/yellow] {escape(repr(value))}: {rows:,} 行 rows")
    if found.unmapped:
        notes.print("  → --map VALUE=LABEL")


def _format(named: str | None) -> str | None:
    if named is None:
        return None
    if named.lower() not in _FORMATS:
        raise ToolInputError(f"--format {named}: not known", hint=f"known: {', '.join(_FORMATS)}")
    return _FORMATS[named.lower()]
